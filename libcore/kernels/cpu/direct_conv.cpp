// Geometry, layouts, threads and scratch; the arithmetic is in direct_conv_loops.cpp. With spatial
// padding an image is summed in a padded one (per thread, in scratch), so that the loop knows no borders.
#include "kernels/cpu/direct_conv.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/direct_conv_loops.hpp"
#include "kernels/cpu/dnnl_layout.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/node_view.hpp"

namespace lbann::kernels {
namespace cpu {
namespace {

using tensor::Layout;
using tensor::Shape;

struct Geometry {
  std::int64_t n, c, h, w, k, kh, kw, oh, ow, sh, sw, ph, pw;
  std::int64_t y_pitch;
  int threads;

  std::int64_t run() const { return kw * c; }
  std::int64_t row() const { return (w + 2 * pw) * c; }
  bool padded() const { return ph > 0 || pw > 0; }
  std::int64_t plane() const { return padded() ? ((h + 2 * ph) * row() + 15) / 16 * 16 : 0; }
  std::int64_t vectors() const { return (run() + 15) / 16; }
  std::int64_t scratch_bytes() const {
    return (threads * plane() + k * kh * vectors() * 16) * static_cast<std::int64_t>(sizeof(float));
  }
};

std::optional<Geometry> try_geometry(const graph::Graph& g, const graph::Node& node,
                                     const std::vector<Layout>& inputs, const std::vector<Layout>& outputs) {
  if (node.op != "conv_bwd_data" || detect_isa() != Isa::avx512) return std::nullopt;
  const Shape &y = g.shape(node.inputs[0]), &w = g.shape(node.inputs[1]), &x = g.shape(node.outputs[0]);
  for (graph::ValueId v : {node.inputs[0], node.inputs[1], node.outputs[0]}) {
    if (g.value(v).spec.type != tensor::DataType::f32 || g.shape(v).num_elements() == 0) return std::nullopt;
  }
  if (x.rank() != 4 || node.attrs.get_int("groups", 1) != 1 || w[0] > 16) return std::nullopt;
  if (outputs[0].rank() != 4 || inputs[0].rank() != 4 || inputs[1].rank() != 4) return std::nullopt;
  if (node.attrs.has("dilations") && node.attrs.get_ints("dilations") != std::vector<std::int64_t>{1, 1}) {
    return std::nullopt;
  }
  const auto &strides = node.attrs.get_ints("strides"), &pads = node.attrs.get_ints("pads");
  Geometry s{};
  s.n = x[0], s.c = x[1], s.h = x[2], s.w = x[3];
  s.k = w[0], s.kh = w[2], s.kw = w[3], s.oh = y[2], s.ow = y[3];
  s.sh = strides[0], s.sw = strides[1], s.ph = pads[0], s.pw = pads[1];
  s.threads = omp_get_max_threads();
  const Layout last = Layout::channels_last(4);
  if (!has_direct_data_loop(s.kh, s.run()) || !same_storage(x, outputs[0], last) ||
      !same_storage(w, inputs[1], Layout::from_tag("Acdb16a"))) {
    return std::nullopt;
  }
  if (same_storage(y, inputs[0], last)) {
    s.y_pitch = s.k;
  } else if (same_storage(y, inputs[0], Layout::blocked_channels(4, 16))) {
    s.y_pitch = 16;
  } else {
    return std::nullopt;
  }
  return s;
}

void run_data(const Geometry& s, const KernelArgs& args) {
  const auto* dy = static_cast<const float*>(args.inputs[0]);
  const auto* w = static_cast<const float*>(args.inputs[1]);
  auto* dx = static_cast<float*>(args.outputs[0]);
  auto* planes = static_cast<float*>(args.scratch);
  float* transposed = planes + s.threads * s.plane();  // [k][kh][vectors][16]
  const std::int64_t width = s.vectors() * 16;
  for (std::int64_t k = 0; k < s.k; ++k) {
    for (std::int64_t r = 0; r < s.kh; ++r) {
      float* to = transposed + (k * s.kh + r) * width;
      for (std::int64_t j = 0; j < width; ++j) to[j] = j < s.run() ? w[(r * s.run() + j) * 16 + k] : 0.0F;
    }
  }
  const DataLoop loop{transposed, s.kh, s.run(), s.row(), s.sw * s.c, s.y_pitch, static_cast<int>(s.k)};
  const std::int64_t image_floats = s.h * s.w * s.c;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < s.n; ++i) {
    float* image = dx + i * image_floats;
    float* target = s.padded() ? planes + omp_get_thread_num() * s.plane() : image;
    std::memset(target, 0, static_cast<std::size_t>(s.padded() ? s.plane() : image_floats) * sizeof(float));
    for (std::int64_t o = 0; o < s.oh; ++o) {
      direct_data(loop, dy + (i * s.oh + o) * s.ow * s.y_pitch, target + o * s.sh * s.row(), s.ow);
    }
    if (!s.padded()) continue;
    for (std::int64_t r = 0; r < s.h; ++r) {
      std::memcpy(image + r * s.w * s.c, target + (r + s.ph) * s.row() + s.pw * s.c,
                  static_cast<std::size_t>(s.w * s.c) * sizeof(float));
    }
  }
}

}  // namespace

std::optional<DirectConvOffer> try_direct_conv(const graph::Graph& g, const graph::Node& node,
                                               const std::vector<Layout>& inputs,
                                               const std::vector<Layout>& outputs) {
  const std::optional<Geometry> s = try_geometry(g, node, inputs, outputs);
  if (!s) return std::nullopt;
  const std::int64_t lanes = s->n * s->oh * s->ow * s->k * s->kh * s->vectors() * 16;
  return DirectConvOffer{s->scratch_bytes(), 2 * static_cast<double>(lanes)};
}

}  // namespace cpu

std::unique_ptr<Kernel> make_direct_kernel(const graph::Graph& g, graph::NodeId id) {
  const NodeView v(g, id);
  std::vector<tensor::Layout> inputs, outputs;
  for (graph::ValueId value : v.n.inputs) inputs.push_back(g.value(value).layout);
  for (graph::ValueId value : v.n.outputs) outputs.push_back(g.value(value).layout);
  const auto s = cpu::try_geometry(g, v.n, inputs, outputs);
  if (!s || v.n.kernel != "direct." + v.n.op) v.refuse("not offered for these shapes and layouts");
  if (s->scratch_bytes() > v.n.scratch_bytes) {
    v.refuse("needs more scratch than planned; was the plan made for another number of threads?");
  }
  return make_function_kernel([geometry = *s](const KernelArgs& args) { cpu::run_data(geometry, args); });
}

}  // namespace lbann::kernels
