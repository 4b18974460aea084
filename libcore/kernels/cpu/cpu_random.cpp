// cpu.random: whole stretches of the C order at once, many Philox blocks side by side in vector registers.
// What does not fill a group of numbers goes through a buffer. Where the tensor does not lie row-major, lines
// along its last dim are made in a buffer and spread out; the lines of one block of channels follow each
// other, so that what they share of a cache line is still there. A line costs at least one group of 128
// numbers.
#include <algorithm>
#include <array>
#include <vector>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/storage.hpp"
#include "kernels/random_node.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::kernels::cpu {
namespace {

constexpr std::int64_t stretch = 4096;  // numbers per task; a multiple of every group
constexpr int cost = 4;                 // of a number, relative to a memory-bound element

class RandomKernel final : public Kernel {
public:
  RandomKernel(const NodeView& v, Isa isa)
    : loops_(loops_for(isa)),
      node_(v),
      count_(v.out_shape().num_elements()),
      plain_(v.out(0).layout.is_plain()) {
    if (v.out_type() != tensor::DataType::f32) v.refuse("not f32");
    if (plain_) return;
    const tensor::Layout& layout = v.out(0).layout;
    const tensor::Shape& shape = v.out_shape();
    if (layout.blocks().size() > 1) v.refuse("more than one inner block");
    if (shape.rank() > 16) v.refuse("too many dims");
    tables_ = tensor::make_offset_tables(layout, shape);
    total_ = layout.storage_elements(shape);
    padding_ = Padding(layout, shape);
    dims_ = shape.dims();
    // Lines are visited with the blocked dim (else the one before last) fastest.
    fastest_ = std::max(shape.rank() - 2, 0);
    if (layout.is_blocked()) fastest_ = layout.blocks().front().dim;
    if (fastest_ == shape.rank() - 1) fastest_ = std::max(shape.rank() - 2, 0);
  }

  void run(const KernelArgs& args) override {
    const bool chooses = node_.distribution == RandomNode::Distribution::bernoulli;
    const Fill fill{loops_, node_.distribution, chooses ? static_cast<float>(node_.probability(args)) : 0,
                    chooses ? static_cast<float>(node_.value(args)) : 0, node_.numbers(args)};
    float* y = output<float>(args, 0);
    if (plain_) {
      parallel_tasks((count_ + stretch - 1) / stretch, cost * count_, [&](std::int64_t task) {
        const std::int64_t first = task * stretch;
        const auto n = static_cast<std::size_t>(std::min(stretch, count_ - first));
        fill(std::span<float>(y + first, n), node_.first + first);
      });
      return;
    }
    const std::int64_t length = dims_.back();
    const std::int64_t lines = length == 0 ? 0 : count_ / length;
    parallel_ranges(lines, cost * count_, [&](std::int64_t begin, std::int64_t end) {
      thread_local std::vector<float> room;  // grows once
      if (room.size() < static_cast<std::size_t>(length)) room.resize(static_cast<std::size_t>(length));
      const std::span<float> buffer(room.data(), static_cast<std::size_t>(length));
      for (std::int64_t line = begin; line < end; ++line) spread_line(fill, line, buffer, y);
    });
    if (!padding_.empty()) padding_.clear(y, 0, total_);
  }

private:
  // Everything that does not change within a run.
  struct Fill {
    const Loops& loops;
    RandomNode::Distribution kind;
    float p;
    float value;
    base::RandomStream numbers;

    void operator()(std::span<float> out, std::int64_t first) const {
      const auto index = static_cast<std::uint64_t>(first);
      if (kind == RandomNode::Distribution::normal) return base::fill_normal(numbers, out, index);
      const auto n = static_cast<std::int64_t>(out.size());
      std::int64_t i = 0;
      const auto partial = [&](std::int64_t skip, std::int64_t count) {
        float buffer[philox_group];
        groups((index + static_cast<std::uint64_t>(i)) / 4, 1, buffer);
        std::copy_n(buffer + skip, count, out.data() + i);
        i += count;
      };
      const std::int64_t skip = first % 4;  // of the first block
      if (skip != 0) partial(skip, std::min(n, philox_group - skip));
      const std::int64_t whole = (n - i) / philox_group;
      groups((index + static_cast<std::uint64_t>(i)) / 4, whole, out.data() + i);
      i += whole * philox_group;
      if (i < n) partial(0, n - i);
    }

    void groups(std::uint64_t block, std::int64_t count, float* out) const {
      const PhiloxPlace place{numbers.philox_key(), numbers.draw()};
      if (kind == RandomNode::Distribution::uniform) {
        loops.philox_uniform(place, block, count, out);
      } else {
        loops.philox_bernoulli(place, block, count, p, value, out);
      }
    }
  };

  void spread_line(const Fill& fill, std::int64_t line, std::span<float> buffer, float* y) const {
    // Index of the line: dim `fastest_` from the lowest digit, the others in C order.
    const std::size_t last = dims_.size() - 1;
    const auto fast = static_cast<std::size_t>(fastest_);
    std::array<std::int64_t, 16> index{};
    if (last > 0) {
      index[fast] = line % dims_[fast];
      line /= dims_[fast];
      for (std::size_t d = last; d-- > 0;) {
        if (d == fast) continue;
        index[d] = line % dims_[d];
        line /= dims_[d];
      }
    }
    std::int64_t position = 0, offset = 0;
    for (std::size_t d = 0; d <= last; ++d) {
      position = position * dims_[d] + index[d];
      if (d < last) offset += tables_[d][static_cast<std::size_t>(index[d])];
    }
    fill(buffer, node_.first + position);
    const std::vector<std::int64_t>& step = tables_[last];
    for (std::size_t i = 0; i < buffer.size(); ++i) y[offset + step[i]] = buffer[i];
  }

  const Loops& loops_;
  RandomNode node_;
  std::int64_t count_;
  bool plain_;
  int fastest_ = 0;
  std::int64_t total_ = 0;
  Padding padding_;
  std::vector<std::int64_t> dims_;
  std::vector<std::vector<std::int64_t>> tables_;  // storage offset per index, by dim
};

}  // namespace

std::unique_ptr<Kernel> make_random(const NodeView& v, Isa isa) {
  return std::make_unique<RandomKernel>(v, isa);
}

}  // namespace lbann::kernels::cpu
