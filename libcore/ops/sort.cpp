// sort {axis, descending}  x -> y, index i64: entries along the last axis in order, and where they were.
// Equal entries keep their order; NaN comes last either way. y[i] = x[index[i]], so the gradient goes back
// by scatter_add. Placement: any dim but the axis.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {

OpDef make_sort_op() {
  OpDef def;
  def.name = "sort";
  def.infer = [](const graph::Attrs& attrs, std::span<const tensor::TensorSpec> in) {
    check_floating("sort", in[0]);
    const int rank = in[0].shape.rank();
    check_axis("sort", attrs.get_int("axis"), rank);
    if (attrs.get_int("axis") != rank - 1) {
      fail(
          fmt::format("sort: axis {} of {} is not the last", attrs.get_int("axis"), in[0].shape.to_string()));
    }
    return Specs{make_spec(in[0].type, in[0].shape.dims()),
                 make_spec(tensor::DataType::i64, in[0].shape.dims())};
  };
  def.vjp = [](VjpArgs& args) -> std::vector<graph::ValueId> {
    if (args.cotangents[0] == graph::none) return {graph::none};
    const tensor::Shape shape = args.b.shape(args.node.inputs[0]);
    Dims column = shape.dims();
    column.push_back(1);
    const std::int64_t batch = shape.rank() - 1;
    graph::Attrs attrs{{"rows", shape[shape.rank() - 1]}};
    if (batch > 0) attrs.set("batch_dims", batch);
    const graph::ValueId rows =
        args.b.add("scatter_add",
                   {args.node.outputs[1], args.b.reshape(args.cotangents[0], tensor::Shape(column))}, attrs);
    return {args.b.reshape(rows, shape)};
  };
  def.place = [](const graph::Graph&, const graph::Node& n, std::span<const tensor::AxisPlacement> in,
                 AxisPlacements& out) {
    out[0] = out[1] = in[0];
    return !is_partial(in[0]) && !is_shard(in[0], static_cast<int>(n.attrs.get_int("axis")));
  };
  return def;
}

}  // namespace lbann::ops
