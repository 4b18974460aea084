// cpu.pool and cpu.pool_bwd in row-major, channels-last and 8- or 16-blocked layouts. Max pooling saves
// the winner's number within its window, one byte per element of y's storage, and its gradient needs
// nothing else; without `saved` the gradient is not offered here. A task is an image's channel (plain)
// or tile of channels: nothing is shared, nothing is atomic.
#include <algorithm>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"

namespace lbann::kernels::cpu {
namespace {

// Taps of the window at output position o that fall inside the input, along one dim.
Range inner_taps(const PoolTile& t, int d, std::int64_t o) {
  const std::int64_t start = o * t.stride[d] - t.pad[d];
  const std::int64_t begin = start >= 0 ? 0 : (-start + t.dilation[d] - 1) / t.dilation[d];
  const std::int64_t room = t.in[d] - 1 - start;
  return {begin, std::min(room < 0 ? 0 : room / t.dilation[d] + 1, t.kernel[d])};
}

// Output positions whose window holds the input at tap k inside the image, along one dim.
Range outputs_of_tap(const PoolTile& t, int d, std::int64_t k) {
  const std::int64_t shift = t.pad[d] - k * t.dilation[d];  // input = o * stride - shift
  const std::int64_t begin = shift <= 0 ? 0 : (shift + t.stride[d] - 1) / t.stride[d];
  const std::int64_t room = t.in[d] - 1 + shift;
  return {begin, std::min(room < 0 ? 0 : room / t.stride[d] + 1, t.out[d])};
}

class PoolGeometry {
public:
  // x and y: the larger and the smaller image.
  PoolGeometry(const NodeView& v, const graph::Value& x, const graph::Value& y) {
    if (!(x.layout == y.layout)) v.refuse("x and y lie differently");
    if (x.spec.type != tensor::DataType::f32 || y.spec.type != tensor::DataType::f32)
      v.refuse("operands are not f32");
    const Window w = make_window(x.spec.shape, y.spec.shape, v.n.attrs.get_ints("window"), v.n.attrs);
    const std::string& mode = v.n.attrs.get_text("mode");
    if (mode != "max" && mode != "avg" && mode != "avg_no_pad") v.refuse("unknown mode '" + mode + "'");
    tile_.average = mode != "max";
    tile_.count_padding = mode == "avg";
    if (!tile_.average && w.num_taps() > 256) v.refuse("a winner's number does not fit in a byte");
    tile_.disjoint = true;
    tile_.covering = true;
    for (int d = 0; d < 3; ++d) {
      tile_.in[d] = w.in[d], tile_.out[d] = w.out[d], tile_.kernel[d] = w.kernel[d];
      tile_.stride[d] = w.stride[d], tile_.pad[d] = w.pad[d], tile_.dilation[d] = w.dilation[d];
      const std::int64_t reach = (w.kernel[d] - 1) * w.dilation[d];
      if (w.pad[d] > reach || (w.out[d] - 1) * w.stride[d] - w.pad[d] >= w.in[d]) v.refuse("an empty window");
      // With dilation a window inside the image may still have all its taps outside.
      if (w.dilation[d] > 1 && w.pad[d] > 0 && w.in[d] < reach + 1) v.refuse("an empty window");
      tile_.disjoint = tile_.disjoint && w.stride[d] >= reach + 1;
      tile_.covering = tile_.covering && w.dilation[d] == 1 && w.stride[d] <= w.kernel[d] &&
                       (w.out[d] - 1) * w.stride[d] - w.pad[d] + w.kernel[d] >= w.in[d];
    }
    for (int d = 0; d < 3; ++d) {
      for (std::int64_t o = 0; o < w.out[d]; ++o) taps_[d].push_back(inner_taps(tile_, d, o));
    }
    for (std::int64_t k = 0; k < w.kernel[2]; ++k) columns_.push_back(outputs_of_tap(tile_, 2, k));
    n_ = x.spec.shape[0];
    c_ = x.spec.shape[1];
    const int rank = x.spec.shape.rank();
    tile_.lanes = 0;
    tile_.row_stride = 1;
    if (x.layout.is_plain()) {
      groups_ = c_;
    } else if (x.layout == tensor::Layout::channels_last(rank)) {
      channels_last_ = true;
      groups_ = (c_ + 15) / 16;
      tile_.row_stride = c_;
      tile_.lanes = 16;
      last_lanes_ = static_cast<int>(c_ - (groups_ - 1) * 16);
    } else {
      const int block = x.layout == tensor::Layout::blocked_channels(rank, 16)  ? 16
                        : x.layout == tensor::Layout::blocked_channels(rank, 8) ? 8
                                                                                : 0;
      if (block == 0) v.refuse("operand lies as " + x.layout.tag());
      groups_ = (c_ + block - 1) / block;
      tile_.row_stride = block;
      tile_.lanes = block;
      last_lanes_ = block;  // padding is 0 and pools to 0
    }
    tile_.num_taps = w.num_taps();
    for (std::int64_t t = 0; t < w.num_taps(); ++t) {
      const std::int64_t d = t / (w.kernel[1] * w.kernel[2]) * w.dilation[0];
      const std::int64_t h = t / w.kernel[2] % w.kernel[1] * w.dilation[1];
      tap_offsets_.push_back(((d * w.in[1] + h) * w.in[2] + t % w.kernel[2] * w.dilation[2]) *
                             tile_.row_stride);
    }
  }

  bool average() const { return tile_.average; }
  std::int64_t storage(bool of_y) const {
    return n_ * image(of_y) * (channels_last_ ? c_ : groups_ * tile_.row_stride);
  }

  /// body(offset in x, offset in y, tile) for every image's tile.
  template <class Body>
  void for_each_tile(Body body) const {
    parallel_tasks(n_ * groups_, storage(false) + storage(true), [&](std::int64_t task) {
      const std::int64_t n = task / groups_;
      const std::int64_t group = task % groups_;
      PoolTile tile = tile_;
      for (int d = 0; d < 3; ++d) tile.taps[d] = taps_[d].data();
      tile.columns = columns_.data();
      tile.tap_offsets = tap_offsets_.data();
      if (tile.lanes > 0 && group + 1 == groups_) tile.lanes = last_lanes_;
      if (channels_last_) {
        body(n * image(false) * c_ + group * 16, n * image(true) * c_ + group * 16, tile);
      } else {
        const std::int64_t index = task * tile.row_stride;
        body(index * image(false), index * image(true), tile);
      }
    });
  }

private:
  std::int64_t image(bool of_y) const {
    const std::int64_t* e = of_y ? tile_.out : tile_.in;
    return e[0] * e[1] * e[2];
  }

  PoolTile tile_{};
  std::vector<Range> taps_[3];
  std::vector<Range> columns_;
  std::vector<std::int64_t> tap_offsets_;
  std::int64_t n_ = 1, c_ = 1, groups_ = 1;
  int last_lanes_ = 0;
  bool channels_last_ = false;
};

}  // namespace

std::unique_ptr<Kernel> make_pool(const NodeView& v, Isa isa) {
  const PoolGeometry g(v, v.in(0), v.out(0));
  const bool saves = v.num_outputs() > 1;
  if (saves && (g.average() || v.out_shape(1).num_elements() < g.storage(true)))
    v.refuse("wrong saved bytes");
  return make_function_kernel([=, &loops = loops_for(isa)](const KernelArgs& args) {
    const float* x = input<float>(args, 0);
    float* y = output<float>(args, 0);
    std::uint8_t* winners = saves ? output<std::uint8_t>(args, 1) : nullptr;
    g.for_each_tile([&](std::int64_t at_x, std::int64_t at_y, const PoolTile& tile) {
      loops.pool(x + at_x, y + at_y, saves ? winners + at_y : nullptr, tile);
    });
  });
}

std::unique_ptr<Kernel> make_pool_bwd(const NodeView& v, Isa isa) {
  const PoolGeometry g(v, v.out(0), v.in(0));
  if (!g.average()) {
    const bool saved = v.num_inputs() > 1 && v.in_type(1) == tensor::DataType::u8;
    if (!saved || v.in_shape(1).num_elements() < g.storage(true))
      v.refuse("needs the winners its forward twin saves");
  }
  return make_function_kernel([=, &loops = loops_for(isa)](const KernelArgs& args) {
    const float* dy = input<float>(args, 0);
    const std::uint8_t* winners = g.average() ? nullptr : input<std::uint8_t>(args, 1);
    float* dx = output<float>(args, 0);
    g.for_each_tile([&](std::int64_t at_x, std::int64_t at_y, const PoolTile& tile) {
      loops.pool_bwd(dy + at_y, winners == nullptr ? nullptr : winners + at_y, dx + at_x, tile);
    });
  });
}

}  // namespace lbann::kernels::cpu
