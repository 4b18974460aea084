// A layout as the dims it has in memory: the outer dims in order, then the inner blocks. Elementwise
// kernels walk storage in this order; broadcast operands are read through strides over these dims.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/layout.hpp"

namespace lbann::kernels::cpu {

struct StorageDim {
  int dim;               // logical dim
  std::int64_t extent;   // in memory, padding included
  std::int64_t stride;   // floats, of this layout
  std::int64_t logical;  // what a step here means in the logical dim
};

/// Outermost first. Blocked dims appear twice or more.
std::vector<StorageDim> storage_dims(const tensor::Layout& layout, const tensor::Shape& shape);

/// Sets the padding of a buffer to +0.
class Padding {
public:
  Padding() = default;
  Padding(const tensor::Layout& layout, const tensor::Shape& shape);
  bool empty() const { return spans_.empty() && block_ == 0; }
  /// Clears what lies in [begin, end); both multiples of the innermost block, or the buffer's end.
  void clear(float* data, std::int64_t begin, std::int64_t end) const;

private:
  struct Span {
    std::int64_t begin, end;
  };
  // One dim split by one innermost block: the last block of each stretch of blocks is partial.
  std::int64_t block_ = 0;
  std::int64_t used_ = 0;        // logical lanes of the last block
  std::int64_t rows_ = 0;        // rows of `block_` floats that share a block index
  std::int64_t num_blocks_ = 0;  // blocks of the dim
  std::vector<Span> spans_;      // any other layout: a sorted list
};

}  // namespace lbann::kernels::cpu
