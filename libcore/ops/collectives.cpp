// Collectives: what `redistribute` becomes. Each acts along one axis of the mesh.
//
//   all_reduce {mesh_axis, fn}            P.. -> R..      several tensors travel as one message (a bucket)
//   reduce_scatter {mesh_axis, dim, unit} P -> S(dim)
//   all_gather {mesh_axis, dim, unit}     S(dim) -> R
//   local_slice {mesh_axis, dim, unit}    R -> S(dim)     no message: every rank keeps its piece
//   all_to_all {mesh_axis, from, to, ..}  S(from) -> S(to)
//   fetch_box, scatter_box                halos; see below
//
// A collective changes where a value lives, never the value, so the gradient of each goes back to the
// placement of its operand, as that of redistribute does. In the global program shapes are those of the
// whole tensors. `project` turns a node into what one rank does: shapes become local, and the attributes
// group (ranks along the axis, in order), member (which of them this rank is) and extents (length of every
// member's piece of the dim) say the rest. all_reduce with fn max or min exists in projected form only.
//
//   fetch_box {dim, extents, starts, stops, fill}   x: my piece -> [start, stop) of the whole dim; what lies
//                                                   outside of it is `fill`. Senders are intersections.
//   scatter_box {dim, extents, starts, stops}       its transpose: pieces of boxes are summed at their
//                                                   owners, what lies outside is dropped
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

bool is_projected(const graph::Attrs& attrs) { return attrs.has("group"); }

std::size_t member_of(std::string_view op, const graph::Attrs& attrs) {
  const std::int64_t member = attrs.get_int("member");
  const auto size = static_cast<std::int64_t>(attrs.get_ints("group").size());
  if (member < 0 || member >= size) fail(fmt::format("{}: member {} of a group of {}", op, member, size));
  return static_cast<std::size_t>(member);
}

const Dims& lengths_of(std::string_view op, const graph::Attrs& attrs, std::string_view name) {
  const Dims& lengths = attrs.get_ints(name);
  if (lengths.size() != attrs.get_ints("group").size()) {
    fail(
        fmt::format("{}: {} {} for a group of {}", op, lengths.size(), name, attrs.get_ints("group").size()));
  }
  return lengths;
}

std::int64_t sum(const Dims& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
}

/// The operand's spec with another placement on the node's mesh axis. Fails where it lies otherwise than
/// `from`.
TensorSpec moved(std::string_view op, const graph::Attrs& attrs, const TensorSpec& x, AxisPlacement from,
                 AxisPlacement to) {
  const auto axis = static_cast<std::size_t>(attrs.get_int("mesh_axis"));
  TensorSpec y = x;
  if (y.placement.axes.size() <= axis) y.placement.axes.resize(axis + 1);
  AxisPlacement& p = y.placement.axes[axis];
  if (!(p == from)) {
    fail(fmt::format("{}: the operand {} lies on mesh axis {} otherwise than {}", op, x.to_string(), axis,
                     tensor::Placement{{from}}.to_string()));
  }
  if (is_shard(to)) check_axis(op, to.dim, x.shape.rank());
  p = to;
  return y;
}

/// Of the dim named by `dim_name`, cut in the units named by `unit_name`.
AxisPlacement shard_of(const graph::Attrs& attrs, std::string_view dim_name, std::string_view unit_name) {
  return shard(static_cast<int>(attrs.get_int(dim_name)), attrs.get_int(unit_name, 1));
}

/// `x` with another extent in one dim, which must be `from` now.
TensorSpec resized(std::string_view op, const TensorSpec& x, std::int64_t dim, std::int64_t from,
                   std::int64_t to) {
  check_axis(op, dim, x.shape.rank());
  TensorSpec y = x;
  std::int64_t& extent = y.shape[static_cast<int>(dim)];
  if (extent != from)
    fail(fmt::format("{}: dim {} of {} is {}, expected {}", op, dim, x.to_string(), extent, from));
  extent = to;
  return y;
}

Specs infer_all_reduce(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::string& fn = attrs.get_text("fn");
  if (fn != "sum" && fn != "max" && fn != "min") fail(fmt::format("all_reduce: unknown fn '{}'", fn));
  check_same_type("all_reduce", in);
  Specs out(in.begin(), in.end());
  if (is_projected(attrs)) {
    member_of("all_reduce", attrs);
  } else {
    if (fn != "sum") fail("all_reduce: only sums are placements");
    for (TensorSpec& spec : out) spec = moved("all_reduce", attrs, spec, partial, replicate);
  }
  return out;
}

Specs infer_reduce_scatter(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  constexpr std::string_view op = "reduce_scatter";
  if (!is_projected(attrs)) return {moved(op, attrs, in[0], partial, shard_of(attrs, "dim", "unit"))};
  const Dims& extents = lengths_of(op, attrs, "extents");
  return {resized(op, in[0], attrs.get_int("dim"), sum(extents), extents[member_of(op, attrs)])};
}

Specs infer_all_gather(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  constexpr std::string_view op = "all_gather";
  if (!is_projected(attrs)) return {moved(op, attrs, in[0], shard_of(attrs, "dim", "unit"), replicate)};
  const Dims& extents = lengths_of(op, attrs, "extents");
  return {resized(op, in[0], attrs.get_int("dim"), extents[member_of(op, attrs)], sum(extents))};
}

Specs infer_local_slice(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  return {moved("local_slice", attrs, in[0], replicate, shard_of(attrs, "dim", "unit"))};
}

Specs infer_all_to_all(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  constexpr std::string_view op = "all_to_all";
  if (!is_projected(attrs)) {
    return {moved(op, attrs, in[0], shard_of(attrs, "from", "from_unit"), shard_of(attrs, "to", "to_unit"))};
  }
  const Dims& from = lengths_of(op, attrs, "from_extents");
  const Dims& to = lengths_of(op, attrs, "to_extents");
  const std::size_t me = member_of(op, attrs);
  const TensorSpec whole = resized(op, in[0], attrs.get_int("from"), from[me], sum(from));
  return {resized(op, whole, attrs.get_int("to"), sum(to), to[me])};
}

struct BoxLengths {
  std::int64_t piece, box;
};

BoxLengths box_lengths(std::string_view op, const graph::Attrs& attrs) {
  const std::size_t me = member_of(op, attrs);
  const std::int64_t box = lengths_of(op, attrs, "stops")[me] - lengths_of(op, attrs, "starts")[me];
  if (box < 0) fail(fmt::format("{}: a box of {} elements", op, box));
  return {lengths_of(op, attrs, "extents")[me], box};
}

Specs infer_fetch_box(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const BoxLengths n = box_lengths("fetch_box", attrs);
  attrs.get_real("fill");
  return {resized("fetch_box", in[0], attrs.get_int("dim"), n.piece, n.box)};
}

Specs infer_scatter_box(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const BoxLengths n = box_lengths("scatter_box", attrs);
  return {resized("scatter_box", in[0], attrs.get_int("dim"), n.box, n.piece)};
}

std::vector<graph::ValueId> vjp_collective(VjpArgs& args) {
  if (is_projected(args.node.attrs))
    fail(fmt::format("{}: differentiated after its projection", args.node.op));
  std::vector<graph::ValueId> result;
  for (std::size_t i = 0; i < args.node.inputs.size(); ++i) {
    result.push_back(args.needs[i] ? args.cotangents[i] : graph::none);
  }
  return result;
}

OpDef make_collective(std::string_view name,
                      Specs (*infer)(const graph::Attrs&, std::span<const TensorSpec>)) {
  OpDef def;
  def.name = name;
  def.infer = infer;
  def.vjp = vjp_collective;
  def.places_itself = true;
  return def;
}

}  // namespace

bool is_collective(std::string_view op) {
  constexpr std::string_view names[] = {"all_reduce", "reduce_scatter", "all_gather",
                                        "all_to_all", "fetch_box",      "scatter_box"};
  return std::find(std::begin(names), std::end(names), op) != std::end(names);
}

OpDef make_all_reduce_op() {
  OpDef def = make_collective("all_reduce", infer_all_reduce);
  def.max_inputs = -1;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    double adds = 0;
    for (graph::ValueId v : n.inputs) adds += elements(g, v);
    return adds;
  };
  return def;
}

OpDef make_reduce_scatter_op() {
  OpDef def = make_collective("reduce_scatter", infer_reduce_scatter);
  def.flops = [](const graph::Graph& g, const graph::Node& n) { return elements(g, n.inputs[0]); };
  return def;
}

OpDef make_all_gather_op() { return make_collective("all_gather", infer_all_gather); }
OpDef make_local_slice_op() { return make_collective("local_slice", infer_local_slice); }
OpDef make_all_to_all_op() { return make_collective("all_to_all", infer_all_to_all); }
OpDef make_fetch_box_op() {
  OpDef def = make_collective("fetch_box", infer_fetch_box);
  def.vjp = vjp_refuse;
  return def;
}
OpDef make_scatter_box_op() {
  OpDef def = make_collective("scatter_box", infer_scatter_box);
  def.vjp = vjp_refuse;
  return def;
}

}  // namespace lbann::ops
