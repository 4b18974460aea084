// Boundaries of the graph and nodes that keep every value as it is: input, weight, stop_gradient,
// reorder (another memory layout), redistribute (another placement).
//
// The gradient of redistribute is its cotangent wherever that lies: placements change no value, and
// what reads it next asks for the placement it needs.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

Specs infer_same(const graph::Attrs&, std::span<const TensorSpec> in) {
  return {make_spec(in[0].type, in[0].shape.dims())};
}

bool place_same(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                AxisPlacements& out) {
  out[0] = in[0];
  return true;
}

std::vector<graph::ValueId> vjp_same(VjpArgs& args) { return {args.cotangents[0]}; }

OpDef make_boundary(std::string_view name) {
  OpDef def;
  def.name = name;
  def.min_inputs = def.max_inputs = 0;
  def.bytes = no_bytes;
  return def;
}

OpDef make_unary(std::string_view name) {
  OpDef def;
  def.name = name;
  def.infer = infer_same;
  def.place = place_same;
  return def;
}

}  // namespace

OpDef make_input_op() { return make_boundary("input"); }
OpDef make_weight_op() { return make_boundary("weight"); }

OpDef make_stop_gradient_op() {
  OpDef def = make_unary("stop_gradient");
  def.bytes = no_bytes;
  return def;
}

OpDef make_reorder_op() {
  OpDef def = make_unary("reorder");
  def.vjp = vjp_same;
  return def;
}

OpDef make_redistribute_op() {
  OpDef def = make_unary("redistribute");
  def.infer = [](const graph::Attrs& attrs, std::span<const TensorSpec> in) {
    TensorSpec out = in[0];
    out.placement = tensor::parse_placement(attrs.get_text("to"));
    for (const AxisPlacement& axis : out.placement.axes) {
      if (axis.kind == tensor::PlacementKind::shard) check_axis("redistribute", axis.dim, out.shape.rank());
    }
    return Specs{out};
  };
  def.place = {};
  def.places_itself = true;
  def.vjp = vjp_same;
  return def;
}

}  // namespace lbann::ops
