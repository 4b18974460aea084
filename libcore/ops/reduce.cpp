// Reductions with dims kept (extent 1): reduce {sum, mean, max, min}, arg_reduce {max, min},
// all_finite.
//
// Gradients: sum: expand; mean: expand(g / count); max, min: g goes to the extreme elements in equal
// parts, dx = eq(x, y) * g / reduce_sum(eq(x, y)).
// Placement: a sharded dim that is reduced gives P for sum and mean (of which the projection makes a sum over
// the count of all ranks), R for max and min (a collective maximum) and for all_finite (a collective
// minimum).
#include <algorithm>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

bool is_extreme(const std::string& fn) { return fn == "max" || fn == "min"; }

Specs infer_reduce(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::string& fn = attrs.get_text("fn");
  if (fn != "sum" && fn != "mean" && !is_extreme(fn)) fail(fmt::format("reduce: unknown fn '{}'", fn));
  if (fn == "mean") check_floating("reduce mean", in[0]);
  Dims dims = in[0].shape.dims();
  std::int64_t last = -1;
  for (std::int64_t axis : attrs.get_ints("axes")) {
    check_axis("reduce", axis, in[0].shape.rank());
    if (axis <= last) fail(fmt::format("reduce: axes {} and {} are not ascending", last, axis));
    last = axis;
    std::int64_t& extent = dims[static_cast<std::size_t>(axis)];
    if (extent == 0 && fn != "sum") {
      refuse("reduce-empty",
             fmt::format("reduce {}: dim {} of {} has extent 0", fn, axis, in[0].shape.to_string()));
    }
    extent = 1;
  }
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_reduce(VjpArgs& args) {
  Builder& b = args.b;
  const graph::ValueId x = args.node.inputs[0], y = args.node.outputs[0];
  const TensorSpec spec = b.spec(x);
  if (!args.needs[0] || !tensor::is_floating(spec.type)) return {graph::none};
  const std::string& fn = args.node.attrs.get_text("fn");
  graph::ValueId g = args.cotangents[0];
  if (is_extreme(fn)) {
    const graph::ValueId mask = b.ewise("eq", {x, y});
    const graph::ValueId count = b.reduce("sum", mask, args.node.attrs.get_ints("axes"));
    return {b.ewise("mul", {mask, b.ewise("div", {g, count})})};
  }
  if (fn == "mean") {
    const double count = elements(b.graph(), x) / elements(b.graph(), y);
    g = b.scale(g, 1.0 / count);
  }
  return {b.expand(g, spec.shape)};
}

bool place_reduce(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  const std::string& fn = n.attrs.get_text("fn");
  out[0] = in[0];
  if (is_partial(in[0])) return !is_extreme(fn);
  const Dims& axes = n.attrs.get_ints("axes");
  if (std::find(axes.begin(), axes.end(), in[0].dim) == axes.end()) return true;
  out[0] = is_extreme(fn) ? replicate : partial;
  return true;
}

Specs infer_arg_reduce(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::string& fn = attrs.get_text("fn");
  if (!is_extreme(fn)) fail(fmt::format("arg_reduce: unknown fn '{}'", fn));
  const std::int64_t axis = attrs.get_int("axis");
  check_axis("arg_reduce", axis, in[0].shape.rank());
  Dims dims = in[0].shape.dims();
  std::int64_t& extent = dims[static_cast<std::size_t>(axis)];
  if (extent == 0) {
    refuse("reduce-empty",
           fmt::format("arg_reduce {}: dim {} of {} has extent 0", fn, axis, in[0].shape.to_string()));
  }
  extent = 1;
  return {make_spec(tensor::DataType::i64, dims)};
}

double flops_operands(const graph::Graph& g, const graph::Node& n) {
  double sum = 0;
  for (graph::ValueId v : n.inputs) sum += elements(g, v);
  return sum;
}

}  // namespace

OpDef make_reduce_op() {
  OpDef def;
  def.name = "reduce";
  def.infer = infer_reduce;
  def.vjp = vjp_reduce;
  def.place = place_reduce;
  def.flops = flops_operands;
  return def;
}

OpDef make_arg_reduce_op() {
  OpDef def;
  def.name = "arg_reduce";
  def.infer = infer_arg_reduce;
  def.place = [](const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
    out[0] = in[0];
    return !is_partial(in[0]) && !is_shard(in[0], static_cast<int>(n.attrs.get_int("axis")));
  };
  def.flops = flops_operands;
  return def;
}

OpDef make_all_finite_op() {
  OpDef def;
  def.name = "all_finite";
  def.max_inputs = -1;
  def.infer = [](const graph::Attrs&, std::span<const TensorSpec> in) {
    for (const TensorSpec& spec : in) check_floating("all_finite", spec);
    return Specs{make_spec(tensor::DataType::f32, {1})};
  };
  def.place = [](const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                 AxisPlacements&) { return std::none_of(in.begin(), in.end(), is_partial); };
  def.flops = flops_operands;
  return def;
}

}  // namespace lbann::ops
