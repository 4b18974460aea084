// softmax {axis, log} and its twin softmax_bwd.
//
//   log 0: dx = y (dy - sum dy y)      log 1: dx = dy - exp(y) sum dy
// Placement: the axis must not be sharded; softmax_bwd is linear in dy.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

Specs infer_softmax(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_axis("softmax", attrs.get_int("axis"), in[0].shape.rank());
  check_floating("softmax", in[0]);
  check_same_type("softmax_bwd", in);
  for (const TensorSpec& spec : in) check_shape("softmax_bwd", "y", spec, in[0].shape);
  return {make_spec(in[0].type, in[0].shape.dims())};
}

bool place_softmax(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                   AxisPlacements& out) {
  out[0] = in[0];
  if (in.size() == 2 && is_partial(in[0])) return is_replicated(in[1]);
  for (const AxisPlacement& p : in) {
    if (!(p == in[0])) return false;
  }
  return !is_partial(in[0]) && !is_shard(in[0], static_cast<int>(n.attrs.get_int("axis")));
}

OpDef make_common(std::string_view name, int num_inputs, double flops_per_element) {
  OpDef def;
  def.name = name;
  def.min_inputs = def.max_inputs = num_inputs;
  def.infer = infer_softmax;
  def.place = place_softmax;
  def.flops = [flops_per_element](const graph::Graph& g, const graph::Node& n) {
    return flops_per_element * elements(g, n.outputs[0]);
  };
  return def;
}

}  // namespace

OpDef make_softmax_op() {
  OpDef def = make_common("softmax", 1, 5);  // max, subtract, exp, sum, divide
  def.vjp = [](VjpArgs& args) {
    const graph::Attrs& attrs = args.node.attrs;
    return std::vector<graph::ValueId>{
        args.b.add("softmax_bwd", {args.cotangents[0], args.node.outputs[0]},
                   {{"axis", attrs.get_int("axis")}, {"log", attrs.get_int("log", 0)}})};
  };
  return def;
}

OpDef make_softmax_bwd_op() {
  OpDef def = make_common("softmax_bwd", 2, 4);  // multiply, sum, subtract, multiply
  def.vjp = vjp_refuse;
  return def;
}

}  // namespace lbann::ops
