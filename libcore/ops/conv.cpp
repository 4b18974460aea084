// Convolution (cross-correlation) and its twins.
//
//   conv              x[n,c,s..], w[k,c/g,k..] (, b[k])  -> y[n,k,o..]   o = floor((s + 2p - d(k-1) - 1) /
//   stride) + 1 conv_bwd_data     dy[n,k,o..], w                     -> dx           {.., input_dims = shape
//   of x} conv_bwd_weights  x, dy                              -> dw (, db)    {.., kernel_dims = shape of w,
//   bias}
//
// All three are linear in each operand, so each is the gradient of the others (a deconvolution is
// conv_bwd_data run forward). Placement: batch S(0) keeps S(0) and makes weight gradients P; a
// cotangent P stays P. Channels and spatial dims are not sharded yet.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::Shape;
using tensor::TensorSpec;

// y's dims; refuses what does not fit together.
Dims infer_conv_dims(const graph::Attrs& attrs, const Shape& x, const Shape& w) {
  if (x.rank() < 3 || x.rank() > 5) {
    refuse("input-rank",
           fmt::format("input [n,c,..] of shape {} has {} spatial dims, a convolution takes 1 to 3",
                       x.to_string(), x.rank() - 2));
  }
  if (w.rank() != x.rank()) {
    refuse("kernel-rank", fmt::format("kernel {} has {} spatial dims, the input {} has {}", w.to_string(),
                                      w.rank() - 2, x.to_string(), x.rank() - 2));
  }
  const std::int64_t groups = attrs.get_int("groups", 1);
  if (groups < 1) refuse("groups-positive", fmt::format("groups = {} is less than 1", groups));
  if (x[1] % groups != 0) {
    refuse("groups-divide-channels",
           fmt::format("{} input channels not divisible by groups = {}", x[1], groups),
           fmt::format("use a divisor of {}", x[1]));
  }
  if (w[0] < 1) refuse("channels-positive", fmt::format("{} output channels", w[0]));
  if (w[0] % groups != 0) {
    refuse("groups-divide-filters",
           fmt::format("{} output channels not divisible by groups = {}", w[0], groups),
           fmt::format("use a divisor of {}", w[0]));
  }
  if (w[1] != x[1] / groups) {
    refuse("kernel-channels",
           fmt::format("kernel {} is for {} input channels per group, the input has {} / {} = {}",
                       w.to_string(), w[1], x[1], groups, x[1] / groups));
  }
  const Window window{tail(w, 2), attrs.get_ints("strides"), attrs.get_ints("pads"),
                      attrs.get_ints("dilations")};
  Dims dims{x[0], w[0]};
  for (std::int64_t extent : infer_window_extents(tail(x, 2), window)) dims.push_back(extent);
  return dims;
}

Specs infer_conv(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_act("conv", attrs);
  check_same_type("conv", in);
  check_floating("conv", in[0]);
  Dims dims = infer_conv_dims(attrs, in[0].shape, in[1].shape);
  if (in.size() == 3) check_shape("conv", "bias", in[2], {in[1].shape[0]});
  return {make_spec(in[0].type, std::move(dims))};
}

Specs infer_conv_bwd_data(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_same_type("conv_bwd_data", in);
  check_floating("conv_bwd_data", in[0]);
  const Dims& dims = attrs.get_ints("input_dims");
  check_dims("conv_bwd_data", dims);
  check_shape("conv_bwd_data", "dy", in[0], Shape(infer_conv_dims(attrs, Shape(dims), in[1].shape)));
  return {make_spec(in[0].type, dims)};
}

Specs infer_conv_bwd_weights(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_same_type("conv_bwd_weights", in);
  check_floating("conv_bwd_weights", in[0]);
  const Dims& dims = attrs.get_ints("kernel_dims");
  check_dims("conv_bwd_weights", dims);
  check_shape("conv_bwd_weights", "dy", in[1], Shape(infer_conv_dims(attrs, in[0].shape, Shape(dims))));
  Specs out{make_spec(in[0].type, dims)};
  if (attrs.get_int("bias", 0) != 0) out.push_back(make_spec(in[0].type, {dims[0]}));
  return out;
}

// The attributes all twins share.
graph::Attrs shared_attrs(const graph::Attrs& attrs) {
  return {{"strides", attrs.get_ints("strides")},
          {"pads", attrs.get_ints("pads")},
          {"dilations", attrs.get_ints("dilations")},
          {"groups", attrs.get_int("groups", 1)}};
}

graph::ValueId add_bwd_data(Builder& b, const graph::Attrs& attrs, graph::ValueId dy, graph::ValueId w,
                            const Shape& x) {
  graph::Attrs a = shared_attrs(attrs);
  a.set("input_dims", x.dims());
  return b.add("conv_bwd_data", {dy, w}, std::move(a));
}

std::vector<graph::ValueId> add_bwd_weights(Builder& b, const graph::Attrs& attrs, graph::ValueId x,
                                            graph::ValueId dy, const Shape& w, bool bias) {
  graph::Attrs a = shared_attrs(attrs);
  a.set("kernel_dims", w.dims());
  a.set("bias", std::int64_t{bias});
  return b.add_n("conv_bwd_weights", {x, dy}, std::move(a));
}

std::vector<graph::ValueId> vjp_conv(VjpArgs& args) {
  const graph::Attrs& attrs = args.node.attrs;
  if (!attrs.get_text("act", "").empty()) fail("conv: differentiated after an activation was merged in");
  Builder& b = args.b;
  const graph::ValueId x = args.node.inputs[0], w = args.node.inputs[1], dy = args.cotangents[0];
  const Shape x_shape = b.shape(x), w_shape = b.shape(w), y_shape = b.shape(dy);
  std::vector<graph::ValueId> result(args.node.inputs.size(), graph::none);
  const bool need_bias = result.size() == 3 && args.needs[2];
  if (args.needs[0]) result[0] = add_bwd_data(b, attrs, dy, w, x_shape);
  if (args.needs[1]) {
    const std::vector<graph::ValueId> grads = add_bwd_weights(b, attrs, x, dy, w_shape, need_bias);
    result[1] = grads[0];
    if (need_bias) result[2] = grads[1];
  } else if (need_bias) {
    result[2] = b.reshape(b.reduce("sum", dy, axes_without(y_shape.rank(), 1)), {y_shape[1]});
  }
  return result;
}

// dx = T(dy, w); cotangent v of dx: d(dy) = conv(v, w), dw = conv_bwd_weights(v, dy).
std::vector<graph::ValueId> vjp_conv_bwd_data(VjpArgs& args) {
  Builder& b = args.b;
  const graph::ValueId dy = args.node.inputs[0], w = args.node.inputs[1], v = args.cotangents[0];
  const Shape w_shape = b.shape(w);
  std::vector<graph::ValueId> result(2, graph::none);
  if (args.needs[0]) result[0] = b.add("conv", {v, w}, shared_attrs(args.node.attrs));
  if (args.needs[1]) result[1] = add_bwd_weights(b, args.node.attrs, v, dy, w_shape, false)[0];
  return result;
}

// dw = U(x, dy), db = sum dy; cotangents v of dw, u of db: dx = conv_bwd_data(dy, v), d(dy) = conv(x, v) + u.
std::vector<graph::ValueId> vjp_conv_bwd_weights(VjpArgs& args) {
  Builder& b = args.b;
  const graph::ValueId x = args.node.inputs[0], dy = args.node.inputs[1], v = args.cotangents[0];
  const graph::ValueId u = args.cotangents.size() > 1 ? args.cotangents[1] : graph::none;
  const Shape x_shape = b.shape(x), y_shape = b.shape(dy);
  std::vector<graph::ValueId> result(2, graph::none);
  if (args.needs[0] && v != graph::none) result[0] = add_bwd_data(b, args.node.attrs, dy, v, x_shape);
  if (!args.needs[1]) return result;
  if (v != graph::none) {
    std::vector<graph::ValueId> operands{x, v};
    if (u != graph::none) operands.push_back(u);
    result[1] = b.add("conv", std::move(operands), shared_attrs(args.node.attrs));
  } else if (u != graph::none) {
    Dims dims(static_cast<std::size_t>(y_shape.rank()), 1);
    dims[1] = y_shape[1];
    result[1] = b.expand(b.reshape(u, Shape(dims)), y_shape);
  }
  return result;
}

// First operand (x or dy) S(0) or P, second replicated. A bias must not be added to a partial sum.
bool place_first(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
  out[0] = in[0];
  if (!all_replicated(in.subspan(1))) return false;
  const bool act = !n.attrs.get_text("act", "").empty();
  if (is_partial(in[0])) return in.size() == 2 && !act;
  return is_replicated(in[0]) || is_shard(in[0], 0);
}

bool place_bwd_weights(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                       AxisPlacements& out) {
  if (all_replicated(in)) return true;
  for (AxisPlacement& p : out) p = partial;
  if (is_shard(in[0], 0) && is_shard(in[1], 0)) return same_cut(in[0], in[1]);
  if (is_replicated(in[0]) && is_partial(in[1])) return true;
  return is_partial(in[0]) && is_replicated(in[1]) && out.size() == 1;  // db has no x to be partial in
}

// 2 multiply-adds per element of the convolution's result and tap.
double conv_flops(double result_elements, const Shape& w) {
  return 2 * result_elements * static_cast<double>(w.num_elements()) / static_cast<double>(w[0]);
}

}  // namespace

OpDef make_conv_op() {
  OpDef def;
  def.name = "conv";
  def.min_inputs = 2;
  def.max_inputs = 3;
  def.infer = infer_conv;
  def.vjp = vjp_conv;
  def.place = place_first;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    const double y = elements(g, n.outputs[0]);
    return conv_flops(y, g.shape(n.inputs[1])) + (n.inputs.size() == 3 ? y : 0);
  };
  return def;
}

OpDef make_conv_bwd_data_op() {
  OpDef def;
  def.name = "conv_bwd_data";
  def.min_inputs = def.max_inputs = 2;
  def.infer = infer_conv_bwd_data;
  def.vjp = vjp_conv_bwd_data;
  def.place = place_first;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    return conv_flops(elements(g, n.inputs[0]), g.shape(n.inputs[1]));
  };
  return def;
}

OpDef make_conv_bwd_weights_op() {
  OpDef def;
  def.name = "conv_bwd_weights";
  def.min_inputs = def.max_inputs = 2;
  def.infer = infer_conv_bwd_weights;
  def.vjp = vjp_conv_bwd_weights;
  def.place = place_bwd_weights;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    const double dy = elements(g, n.inputs[1]);
    return conv_flops(dy, g.shape(n.outputs[0])) + (n.outputs.size() == 2 ? dy : 0);
  };
  return def;
}

}  // namespace lbann::ops
