// Local response normalisation over channels {size, alpha, beta, k} and its twin.
//
//   lrn      x[n,c,..] -> y = x s^-beta,  s_c = k + alpha / size * sum of x_j^2 over the window of c
//   lrn_bwd  dy, x -> dx = dy s^-beta - 2 alpha beta / size * x_i * sum over windows c that hold i of
//                          dy_c x_c s_c^(-beta - 1)
//
// The window of c: (size - 1) / 2 channels before it, size / 2 behind it (whole divisions; cuDNN, ONNX).
// Placement: batch and every dim behind the channels.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

Specs infer_lrn(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_floating("lrn", in[0]);
  check_same_type("lrn", in);
  if (in[0].shape.rank() < 2) {
    refuse("input-rank", fmt::format("input {} has rank {}, a normalisation over channels takes [n,c,..]",
                                     in[0].shape.to_string(), in[0].shape.rank()));
  }
  for (std::size_t i = 1; i < in.size(); ++i) check_shape("lrn_bwd", "x", in[i], in[0].shape);
  if (attrs.get_int("size") < 1) {
    refuse("window-positive", fmt::format("lrn: a window of {} channels", attrs.get_int("size")));
  }
  for (const char* name : {"alpha", "beta", "k"}) attrs.get_real(name);
  return {make_spec(in[0].type, in[0].shape.dims())};
}

bool place_lrn(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
               AxisPlacements& out) {
  out[0] = in[0];
  for (const AxisPlacement& p : in) {
    if (!(p == in[0])) return false;
  }
  return is_replicated(in[0]) || (!is_partial(in[0]) && !is_shard(in[0], 1));
}

OpDef make_twin(std::string_view name, int arity) {
  OpDef def;
  def.name = name;
  def.min_inputs = def.max_inputs = arity;
  def.infer = infer_lrn;
  def.place = place_lrn;
  // Square, sum and power; the gradient has two windows.
  def.flops = [arity](const graph::Graph& g, const graph::Node& n) {
    return elements(g, n.outputs[0]) * arity * (static_cast<double>(n.attrs.get_int("size")) + 10);
  };
  return def;
}

}  // namespace

OpDef make_lrn_op() {
  OpDef def = make_twin("lrn", 1);
  def.vjp = [](VjpArgs& args) {
    return std::vector<graph::ValueId>{
        args.b.add("lrn_bwd", {args.cotangents[0], args.node.inputs[0]}, args.node.attrs)};
  };
  return def;
}

OpDef make_lrn_bwd_op() {
  OpDef def = make_twin("lrn_bwd", 2);
  def.vjp = vjp_refuse;
  return def;
}

}  // namespace lbann::ops
