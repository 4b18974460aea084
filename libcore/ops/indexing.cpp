// Rows picked by index: gather and its transpose scatter_add, each the gradient of the other.
//
//   gather        table[v,d], idx i64[..] -> y[..,d]      y[i] = table[idx[i]]; zeros where idx is no row
//   scatter_add   idx i64[..], g[..,d] -> t[rows,d]       t[r] = sum of g[i] over idx[i] = r, in order of i
//
// With batch_dims = b the first b dims are common to all operands, and every index of them is a gather
// (scatter_add) of its own: table[B..,v,d], idx[B..,..] -> y[B..,..,d].
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

int batch_dims(const graph::Attrs& attrs) { return static_cast<int>(attrs.get_int("batch_dims", 0)); }

// The batch dims that `index` shares with `other`.
Dims infer_batch(std::string_view op, const graph::Attrs& attrs, const tensor::Shape& index,
                 const tensor::Shape& other) {
  const int b = batch_dims(attrs);
  bool equal = b >= 0 && b <= index.rank() && b <= other.rank();
  for (int d = 0; equal && d < b; ++d) equal = index[d] == other[d];
  if (!equal) {
    refuse("gather-batch", fmt::format("{}: {} and {} do not share {} batch dims", op, index.to_string(),
                                       other.to_string(), b));
  }
  return Dims(index.dims().begin(), index.dims().begin() + b);
}

Specs infer_gather(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_floating("gather", in[0]);
  check_type("gather", "index", in[1], tensor::DataType::i64);
  const int rank = in[0].shape.rank();
  if (rank != batch_dims(attrs) + 2) {
    refuse("rank-mismatch", fmt::format("gather: table {} has rank {}, expected {}", in[0].shape.to_string(),
                                        rank, batch_dims(attrs) + 2));
  }
  infer_batch("gather", attrs, in[1].shape, in[0].shape);
  Dims dims = in[1].shape.dims();
  dims.push_back(in[0].shape[rank - 1]);
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
  Dims result = infer_batch("scatter_add", attrs, in[0].shape, in[1].shape);
  result.push_back(attrs.get_int("rows"));
  result.push_back(width);
  return {make_spec(in[1].type, std::move(result))};
}

bool place_gather(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  const int last = g.shape(n.inputs[1]).rank(), batch = batch_dims(n.attrs);
  const bool batch_sharded = !is_partial(in[1]) && !is_replicated(in[1]) && in[1].dim < batch;
  if (batch_sharded) {  // every shard has its own tables
    out[0] = in[1];
    return in[0] == in[1];
  }
  if (is_replicated(in[0]) && !is_partial(in[1])) {
    out[0] = in[1];
    return true;
  }
  if (!is_replicated(in[1])) return false;
  if (!is_partial(in[0]) && !is_shard(in[0], batch + 1)) return false;
  out[0] = is_partial(in[0]) ? partial : shard(last, in[0].unit);
  return true;
}

bool place_scatter_add(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                       AxisPlacements& out) {
  const int last = g.shape(n.inputs[0]).rank(), batch = batch_dims(n.attrs);
  out[0] = partial;
  if (!is_replicated(in[0]) && !is_partial(in[0]) && in[0].dim < batch) {
    out[0] = in[0];
    return in[0] == in[1];
  }
  if (is_replicated(in[0])) {
    if (is_shard(in[1], last)) out[0] = shard(batch + 1, in[1].unit);
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
    const int batch = batch_dims(args.node.attrs);
    graph::Attrs attrs{{"rows", args.b.shape(args.node.inputs[0])[batch]}};
    if (batch > 0) attrs.set("batch_dims", std::int64_t{batch});
    return {args.b.add("scatter_add", {args.node.inputs[1], args.cotangents[0]}, attrs), graph::none};
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
    graph::Attrs attrs;
    if (const int batch = batch_dims(args.node.attrs)) attrs.set("batch_dims", std::int64_t{batch});
    return {graph::none, args.b.add("gather", {args.cotangents[0], args.node.inputs[0]}, attrs)};
  };
  def.place = place_scatter_add;
  def.flops = [](const graph::Graph& g, const graph::Node& n) { return elements(g, n.inputs[1]); };
  return def;
}

}  // namespace lbann::ops
