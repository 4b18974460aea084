// The gradient of a dense layer's weights, block by block: dW[m,n] = x^T dy with x [k,m], dy [k,n] row-major.
//
// dW lies as the weight does: row-major, or in blocks of (8 i) x (32 j) floats as the library packs weights
// (BA16a64b, AB16b64a). The innermost dim of a block is called its columns, the other its rows; both operands
// are packed into panels (rows by 8, columns by 32) so that a tile of 8 x 32 sums in registers. Every element
// is one chain of fused multiply-adds over k, from +0: its bits depend on no layout, blocking or number of
// threads. A block is handed on while it is in the first-level cache: cpu.matmul stores it, cpu.update
// updates the weight by it, and the gradient never is in memory.
#pragma once

#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/kernel.hpp"
#include "kernels/node_view.hpp"

namespace lbann::kernels::cpu {

class WeightGradient {
public:
  static constexpr std::int64_t row_panel = 8, column_panel = 32;
  static constexpr std::int64_t max_block_floats = 4096;

  /// One block of dW: `rows` x `columns` floats, rows `stride` floats apart, `offset` floats into the weight.
  struct Block {
    std::int64_t rows, columns, offset, stride;
  };

  static bool takes(const tensor::Layout& layout);
  /// Room for the panels.
  static std::int64_t scratch_bytes(const tensor::Shape& weight, const tensor::Layout& layout,
                                    std::int64_t k);

  WeightGradient(const Loops& loops, const tensor::Shape& weight, const tensor::Layout& layout,
                 std::int64_t k);

  /// Calls each(block, gradient of the block, its rows `block_columns()` floats apart) on the team's threads.
  /// `prefetch(block, part)` is called before each of the block's tiles, parts counting from 0 to
  /// `num_tiles() - 1`.
  template <class Each, class Prefetch>
  void run(const float* x, const float* dy, float* scratch, Each&& each, Prefetch&& prefetch) const {
    pack(x, dy, scratch);
    const float* columns = scratch + row_floats();
    parallel_tasks(row_blocks_ * column_blocks_, work(), [&](std::int64_t task) {
      const std::int64_t rb = task % row_blocks_, cb = task / row_blocks_;
      const Block b = block(rb, cb);
      alignas(64) float gradient[max_block_floats];
      std::int64_t part = 0;
      for (std::int64_t c = 0; c < block_columns_; c += column_panel) {
        const float* column = columns + (cb * block_columns_ + c) * k_;
        for (std::int64_t r = 0; r < block_rows_; r += row_panel) {
          prefetch(b, part++);
          loops_.product_tile(scratch + (rb * block_rows_ + r) * k_, column, k_,
                              gradient + r * block_columns_ + c, block_columns_);
        }
      }
      each(b, gradient);
    });
  }

  std::int64_t block_columns() const { return block_columns_; }
  std::int64_t num_tiles() const { return block_rows_ / row_panel * (block_columns_ / column_panel); }

private:
  void pack(const float* x, const float* dy, float* scratch) const;
  Block block(std::int64_t rb, std::int64_t cb) const;
  std::int64_t row_floats() const { return row_blocks_ * block_rows_ * k_; }
  /// In elements of memory-bound work, which is what grains count: a multiply-add costs about a sixteenth of
  /// one.
  std::int64_t work() const { return rows_ * columns_ * (2 + k_ / 16); }

  const Loops& loops_;
  std::int64_t k_, rows_, columns_;
  bool packed_ = false;            // the weight lies in blocks
  bool rows_are_outputs_ = false;  // rows are dim 1 of the weight, from dy
  std::int64_t block_rows_ = 16, block_columns_ = 64;
  std::int64_t row_blocks_, column_blocks_;
  std::int64_t row_step_, column_step_;  // floats from one block to the next
};

/// cpu.matmul of [k,m] transposed and [k,n]; scratch as planned.
std::unique_ptr<Kernel> make_weight_gradient(const NodeView& v, Isa isa);

}  // namespace lbann::kernels::cpu
