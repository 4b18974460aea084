// See conv_costs.hpp.
#include "kernels/cpu/conv_costs.hpp"

#include <algorithm>
#include <cmath>

namespace lbann::kernels::cpu {

using tensor::Layout;
using tensor::Shape;

namespace {

double rounded(double value, double block) { return std::ceil(value / block) * block; }

}  // namespace

Problem make_problem(const graph::Graph& g, const graph::Node& n) {
  const double groups = static_cast<double>(n.attrs.get_int("groups", 1));
  const Shape &a = g.shape(n.inputs[0]), &b = g.shape(n.inputs[1]), &out = g.shape(n.outputs[0]);
  if (n.op == "conv") return {Role::forward, a, b, out, groups};
  if (n.op == "conv_bwd_data") return {Role::data, out, b, a, groups};
  return {Role::weights, a, out, b, groups};
}

passes::ConvLayouts conv_layouts(const Problem& p, const std::vector<Layout>& inputs,
                                 const std::vector<Layout>& outputs) {
  switch (p.role) {
    case Role::data:
      return {canonical(outputs[0], p.x), canonical(inputs[1], p.w), canonical(inputs[0], p.y)};
    case Role::weights:
      return {canonical(inputs[0], p.x), canonical(outputs[0], p.w), canonical(inputs[1], p.y)};
    case Role::forward:
      break;
  }
  return {canonical(inputs[0], p.x), canonical(inputs[1], p.w), canonical(outputs[0], p.y)};
}

std::vector<std::string> conv_kernels(const graph::Graph& g, const graph::Node& n,
                                      passes::Numerics numerics) {
  std::vector<std::string> kernels{"dnnl." + n.op};
  const Problem p = make_problem(g, n);
  const auto all_ones = [](const std::vector<std::int64_t>& v) {
    return std::all_of(v.begin(), v.end(), [](std::int64_t i) { return i == 1; });
  };
  const bool fits = p.w.rank() == 4 && p.w[2] == 3 && p.w[3] == 3 && p.groups == 1 &&
                    all_ones(n.attrs.get_ints("strides")) &&
                    (!n.attrs.has("dilations") || all_ones(n.attrs.get_ints("dilations")));
  if (numerics == passes::Numerics::fast && fits) kernels.push_back("dnnl." + n.op + "_winograd");
  return kernels;
}

double ConvCosts::kernel_ms(const graph::Node& n, std::string_view kernel, const DnnlOp& op) const {
  const Problem p = make_problem(g_, n);
  const passes::ConvLayouts layouts = conv_layouts(p, op.inputs, op.outputs);
  if (choices_.table != nullptr) {
    if (const auto us = choices_.table->find_us(choices_.machine, g_, n, kernel, layouts)) return *us * 1e-3;
  }
  return kernel.ends_with("_winograd") ? winograd_ms(p)
                                       : arithmetic_ms(p, layouts.x, layouts.y, op.implementation);
}

// Our own kernel for few channels keeps half of the peak busy.
double ConvCosts::direct_ms(const graph::Node& n, const std::vector<Layout>& inputs,
                            const std::vector<Layout>& outputs, const DirectConvOffer& offer) const {
  if (choices_.table != nullptr) {
    const auto us = choices_.table->find_us(choices_.machine, g_, n, "direct." + n.op,
                                            conv_layouts(make_problem(g_, n), inputs, outputs));
    if (us) return *us * 1e-3;
  }
  return offer.lane_flops / (choices_.rates.flops_per_ms * 0.5);
}

// Vector lanes run over output channels (bwd_data: input channels); a
// blocked tensor is computed with its padding.
double ConvCosts::arithmetic_ms(const Problem& p, const Layout& x, const Layout& y,
                                const std::string& implementation) const {
  double c = static_cast<double>(p.w[1]), k = static_cast<double>(p.w[0]) / p.groups;
  double taps = 1, positions = static_cast<double>(p.y[0]);
  for (int d = 2; d < p.w.rank(); ++d) taps *= static_cast<double>(p.w[d]);
  for (int d = 2; d < p.y.rank(); ++d) positions *= static_cast<double>(p.y[d]);
  const bool gemm = is_gemm(implementation);
  const bool channels_last = !x.is_blocked() && !y.is_blocked() && !gemm;
  double share = efficiency(implementation);
  if (c == 1 && k == 1) {
    share *= 0.15;  // depthwise: no reuse
  } else if (gemm) {
    share *= std::min(1.0, (k + 8) / 64);  // narrow products: 73 GFLOP/s at k = 64, 34 at 16, 20 at 6
  } else {
    if (x.is_blocked() || p.role == Role::data) c = rounded(c, 16);
    if (y.is_blocked() || p.role != Role::data) k = rounded(k, 16);
    if (p.w[1] * static_cast<std::int64_t>(taps) <= 64 && p.role != Role::data) {
      share *= channels_last ? 0.6 : 0.85;  // too few products per output to hide the loads
    } else if (channels_last) {
      share *= 0.95;
    }
    // Volumes with few channels: blocked bwd_weights takes 5 times as long as channels last.
    if (p.role == Role::weights && p.w.rank() == 5 && p.w[1] <= 4 && y.is_blocked()) share *= 0.2;
  }
  return 2 * positions * c * k * taps * p.groups / (choices_.rates.flops_per_ms * share);
}

// Fits what was measured on Sapphire Rapids with two threads (oneDNN 2.6.3) within 20 %: 64 channels on
// 56x56 and 16 images 5.0 ms of 11.6 direct, 512 on 7x7 9.5 of 9.6.
double ConvCosts::winograd_ms(const Problem& p) const {
  const Shape& out = p.role == Role::data ? p.x : p.y;
  const double tiles = static_cast<double>(out[0]) * rounded(static_cast<double>(out[2]), 4) / 4 *
                       rounded(static_cast<double>(out[3]), 4) / 4;
  const double c = rounded(static_cast<double>(p.w[1]), 16), k = rounded(static_cast<double>(p.w[0]), 16);
  constexpr double products = 36, bytes = sizeof(float);
  return 2 * products * tiles * c * k / (choices_.rates.flops_per_ms * 0.8) +
         2 * products * tiles * (c + k) * bytes / choices_.rates.own_bytes_per_ms +
         4 * products * c * k * bytes / choices_.rates.bytes_per_ms;
}

double ConvCosts::reorder_ms(graph::ValueId v) const {
  const double bytes = 2 * static_cast<double>(g_.value(v).spec.num_bytes());
  return choices_.rates.overhead_ms + bytes / choices_.rates.bytes_per_ms;
}

double ConvCosts::walk_ms(graph::ValueId v, const Layout& layout) const {
  const double bytes = storage_bytes(g_, v, layout);
  return bytes / (bytes < 3.2e7 ? 1e8 : choices_.rates.bytes_per_ms);
}

}  // namespace lbann::kernels::cpu
