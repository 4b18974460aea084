// Rows picked by index: gather and its transpose scatter_add, each the gradient of the other.
//
//   gather        table[v,d], idx i64[..] -> y[..,d]      y[i] = table[idx[i]]; zeros where idx is no row
//   scatter_add   idx i64[..], g[..,d] -> t[rows,d]       t[r] = sum of g[i] over idx[i] = r, in order of i
//
// An index outside the table is no error: it reads zeros and its gradient goes nowhere, as LBANN's
// embedding has it. Placement: both are linear, so P passes, columns stay sharded with replicated
// indices, and indices sharded over the mini-batch make the sum of rows partial.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

Specs infer_gather(const graph::Attrs&, std::span<const TensorSpec> in) {
  check_floating("gather", in[0]);
  check_type("gather", "index", in[1], tensor::DataType::i64);
  if (in[0].shape.rank() != 2) {
    refuse("rank-mismatch", fmt::format("gather: table {} has rank {}, expected 2", in[0].shape.to_string(),
                                        in[0].shape.rank()));
  }
  Dims dims = in[1].shape.dims();
  dims.push_back(in[0].shape[1]);
  return {make_spec(in[0].type, std::move(dims))};
}

Specs infer_scatter_add(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_type("scatter_add", "index", in[0], tensor::DataType::i64);
  check_floating("scatter_add", in[1]);
  if (in[1].shape.rank() != in[0].shape.rank() + 1) {
    refuse("rank-mismatch", fmt::format("scatter_add: rows {} have rank {}, expected {} for indices {}",
                                        in[1].shape.to_string(), in[1].shape.rank(), in[0].shape.rank() + 1,
                                        in[0].shape.to_string()));
  }
  Dims dims = in[0].shape.dims();
  const std::int64_t width = in[1].shape[in[1].shape.rank() - 1];
  dims.push_back(width);
  check_shape("scatter_add", "rows", in[1], tensor::Shape(dims));
  return {make_spec(in[1].type, {attrs.get_int("rows"), width})};
}

bool place_gather(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  const int last = g.shape(n.inputs[1]).rank();
  if (is_replicated(in[0]) && !is_partial(in[1])) {
    out[0] = in[1];
    return true;
  }
  if (!is_replicated(in[1]) || is_shard(in[0], 0)) return false;
  out[0] = is_partial(in[0]) ? partial : shard(last);
  return true;
}

bool place_scatter_add(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                       AxisPlacements& out) {
  const int last = g.shape(n.inputs[0]).rank();
  out[0] = partial;
  if (is_replicated(in[0])) {
    if (is_shard(in[1], last)) out[0] = shard(1);
    if (is_replicated(in[1])) out[0] = replicate;
    return !(out[0] == partial) || is_partial(in[1]);
  }
  return !is_partial(in[0]) && in[0] == in[1];
}

}  // namespace

OpDef make_gather_op() {
  OpDef def;
  def.name = "gather";
  def.min_inputs = def.max_inputs = 2;
  def.infer = infer_gather;
  def.vjp = [](VjpArgs& args) -> std::vector<graph::ValueId> {
    if (!args.needs[0]) return {graph::none, graph::none};
    const std::int64_t rows = args.b.shape(args.node.inputs[0])[0];
    return {args.b.add("scatter_add", {args.node.inputs[1], args.cotangents[0]}, {{"rows", rows}}),
            graph::none};
  };
  def.place = place_gather;
  def.bytes = [](const graph::Graph& g, const graph::Node& n) {  // rows read, not the table
    return spec_bytes(g, n.inputs[1]) + 2 * spec_bytes(g, n.outputs[0]);
  };
  return def;
}

OpDef make_scatter_add_op() {
  OpDef def;
  def.name = "scatter_add";
  def.min_inputs = def.max_inputs = 2;
  def.infer = infer_scatter_add;
  def.vjp = [](VjpArgs& args) -> std::vector<graph::ValueId> {
    if (!args.needs[1]) return {graph::none, graph::none};
    return {graph::none, args.b.add("gather", {args.cotangents[0], args.node.inputs[0]})};
  };
  def.place = place_scatter_add;
  def.flops = [](const graph::Graph& g, const graph::Node& n) { return elements(g, n.inputs[1]); };
  return def;
}

}  // namespace lbann::ops
