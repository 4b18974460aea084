// cpu.lrn and cpu.lrn_bwd over x [n,c,..]. Channels of one position (channels last, blocked) or of up to 32
// neighbouring positions (row-major) are brought into a buffer, channel by channel, and back: there the
// windows are shifted sums over contiguous memory, whatever the layout.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"

namespace lbann::kernels::cpu {
namespace {

constexpr std::int64_t max_lanes = 32;  // positions of a row-major line

class LrnKernel final : public Kernel {
public:
  LrnKernel(const NodeView& v, Isa isa, bool backward) : loops_(loops_for(isa)), backward_(backward) {
    v.check_types(tensor::DataType::f32);
    const graph::Value& x = v.in(0);
    const tensor::Shape& shape = x.spec.shape;
    const int rank = shape.rank();
    n_ = shape[0];
    c_ = shape[1];
    for (int d = 2; d < rank; ++d) inner_ *= shape[d];
    if (x.layout.is_plain()) {
      lanes_ = std::min(inner_, max_lanes);
    } else if (x.layout == tensor::Layout::channels_last(rank)) {
      block_ = c_;
    } else if (x.layout == tensor::Layout::blocked_channels(rank, 16)) {
      block_ = 16;
    } else if (x.layout == tensor::Layout::blocked_channels(rank, 8)) {
      block_ = 8;
    } else {
      v.refuse("operand lies as " + x.layout.tag());
    }
    for (int i = 1; i < v.num_inputs(); ++i) {
      if (!(v.in(i).layout == x.layout)) v.refuse("operands lie differently");
    }
    if (!(v.out(0).layout == x.layout)) v.refuse("operands lie differently");
    const std::int64_t size = v.n.attrs.get_int("size");
    if (size > 4 * c_ + 64) v.refuse("a window far beyond the channels");
    window_.before = (size - 1) / 2;
    window_.behind = size / 2;
    window_.alpha = static_cast<float>(v.n.attrs.get_real("alpha") / static_cast<double>(size));
    window_.beta = static_cast<float>(v.n.attrs.get_real("beta"));
    window_.k = static_cast<float>(v.n.attrs.get_real("k"));
    window_.step = block_ == 0 ? lanes_ : 1;
    tiles_ = block_ == 0 && inner_ > 0 ? (inner_ + lanes_ - 1) / lanes_ : inner_;
  }

  void run(const KernelArgs& args) override {
    const std::int64_t work = n_ * c_ * inner_ * (backward_ ? 8 : 4);
    parallel_ranges(n_ * tiles_, work, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t line = block_ == 0 ? c_ * lanes_ : (c_ + block_ - 1) / block_ * block_;
      const std::int64_t margin = (std::max(window_.before, window_.behind) * window_.step + 15) / 16 * 16;
      // dy, x, result, sum; squares and products with their margins
      thread_local std::vector<float> buffer;  // grows once
      buffer.assign(static_cast<std::size_t>(6 * line + 4 * margin), 0.0f);
      float* dy = buffer.data();
      float *x = dy + line, *result = x + line, *s = result + line;
      float *square = s + line + margin, *product = square + line + 2 * margin;
      for (std::int64_t task = begin; task < end; ++task) {
        const Place place = place_of(task);
        if (backward_) gather(input<float>(args, 0), place, dy);
        gather(input<float>(args, backward_ ? 1 : 0), place, x);
        // Of a row-major line that is shorter than the others the rest is computed from what the buffer held,
        // and not stored.
        const std::int64_t n = block_ == 0 ? c_ * lanes_ : c_;
        if (backward_) {
          loops_.lrn_bwd(dy, x, result, square, product, s, n, window_);
        } else {
          loops_.lrn(x, result, square, s, n, window_);
        }
        scatter(result, place, output<float>(args, 0));
      }
    });
  }

private:
  struct Place {
    std::int64_t offset;  // of the first channel
    std::int64_t lanes;   // positions, of a row-major line
  };

  Place place_of(std::int64_t task) const {
    const std::int64_t n = task / tiles_, tile = task % tiles_;
    if (block_ == 0) {
      return {n * c_ * inner_ + tile * lanes_, std::min(lanes_, inner_ - tile * lanes_)};
    }
    const std::int64_t blocks = (c_ + block_ - 1) / block_;
    return {(n * blocks * inner_ + tile) * block_, 0};
  }

  // Runs of the line in memory: (offset, place in the line, length).
  template <class Body>
  void for_each_run(const Place& p, Body body) const {
    if (block_ == 0) {
      for (std::int64_t c = 0; c < c_; ++c) body(p.offset + c * inner_, c * lanes_, p.lanes);
      return;
    }
    for (std::int64_t b = 0; b * block_ < c_; ++b) body(p.offset + b * inner_ * block_, b * block_, block_);
  }

  void gather(const float* from, const Place& p, float* line) const {
    for_each_run(p, [&](std::int64_t offset, std::int64_t at, std::int64_t n) {
      std::memcpy(line + at, from + offset, static_cast<std::size_t>(n) * sizeof(float));
    });
  }
  // Lanes behind the last channel are never computed: they stay the zeros the buffer began with.
  void scatter(const float* line, const Place& p, float* to) const {
    for_each_run(p, [&](std::int64_t offset, std::int64_t at, std::int64_t n) {
      std::memcpy(to + offset, line + at, static_cast<std::size_t>(n) * sizeof(float));
    });
  }

  const Loops& loops_;
  bool backward_;
  std::int64_t n_ = 1, c_ = 1, inner_ = 1;
  std::int64_t lanes_ = 1;  // positions of a row-major line
  std::int64_t block_ = 0;  // channels that lie together; 0: row-major
  std::int64_t tiles_ = 1;  // lines of an image
  LrnWindow window_{};
};

}  // namespace

std::unique_ptr<Kernel> make_lrn(const NodeView& v, Isa isa) {
  return std::make_unique<LrnKernel>(v, isa, false);
}

std::unique_ptr<Kernel> make_lrn_bwd(const NodeView& v, Isa isa) {
  return std::make_unique<LrnKernel>(v, isa, true);
}

}  // namespace lbann::kernels::cpu
