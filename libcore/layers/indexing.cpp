// Layers of positions: gather and scatter by given indices, argmax, argmin, one_hot, sort, and what is
// counted among the k largest (in_top_k, top_k_categorical_accuracy). Indices are real numbers, rounded down;
// one that is no position reads zeros and writes nothing. Ties: the smaller position first; NaN is the
// smallest of all.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

const std::int64_t one_batch_dim = 1;

/// The user's axis, for values of two dims; 0 for one.
int index_axis(LowerContext& ctx, bool has_axis, std::uint64_t axis) {
  const tensor::Shape values = sample_dims(ctx, 0), indices = sample_dims(ctx, 1);
  if (indices.rank() != 1) {
    refuse("index-dims", fmt::format("indices have 1 dim, not {}", indices.to_string()), "", "",
           parent_notes(ctx));
  }
  if (values.rank() == 1) return 0;
  if (values.rank() != 2) {
    refuse("input-dims", fmt::format("values have 1 or 2 dims, not {}", values.to_string()), "", "",
           parent_notes(ctx));
  }
  if (!has_axis) refuse_missing("axis", "axis { value: 0 }, for example");
  if (axis > 1)
    refuse("axis-out-of-range", fmt::format("axis = {}, but the values have 2 dims", axis), "axis");
  return static_cast<int>(axis);
}

graph::ValueId index_of(LowerContext& ctx) {
  return floor_to_index(ctx.b(), ctx.b().add("stop_gradient", {ctx.inputs()[1]}));
}

std::vector<graph::ValueId> lower_gather(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Gather>(ctx);
  const int axis = index_axis(ctx, p.has_axis(), p.axis().value());
  ops::Builder& b = ctx.b();
  const tensor::Shape values = sample_dims(ctx, 0);
  const std::int64_t n = ctx.batch(), count = sample_dims(ctx, 1)[0];
  graph::ValueId table = ctx.inputs()[0];
  if (values.rank() == 1) table = b.reshape(table, {n, values[0], 1});
  if (axis == 1) table = b.permute(table, {0, 2, 1});
  const graph::ValueId y = b.add("gather", {table, index_of(ctx)}, {{"batch_dims", one_batch_dim}});
  if (values.rank() == 1) return {b.reshape(y, {n, count})};
  return {axis == 1 ? b.permute(y, {0, 2, 1}) : y};
}

std::vector<graph::ValueId> lower_scatter(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Scatter>(ctx);
  const int axis = index_axis(ctx, p.has_axis(), p.axis().value());
  ops::Builder& b = ctx.b();
  const tensor::Shape values = sample_dims(ctx, 0);
  const std::int64_t n = ctx.batch(), count = sample_dims(ctx, 1)[0];
  if (p.dims_size() == 0) refuse_missing("dims", "dims: [10], for example");
  for (const std::int64_t d : p.dims()) check_range("dims", d, 1);
  const bool fits = p.dims_size() == values.rank() && values[axis] == count &&
                    (values.rank() == 1 || p.dims(1 - axis) == values[1 - axis]);
  if (!fits) {
    refuse("scatter-dims",
           fmt::format(
               "values {} with {} indices along axis {} do not fit into dims {}", values.to_string(), count,
               axis, tensor::Shape(std::vector<std::int64_t>(p.dims().begin(), p.dims().end())).to_string()),
           "dims", "", parent_notes(ctx));
  }
  graph::ValueId rows = ctx.inputs()[0];
  if (values.rank() == 1) rows = b.reshape(rows, {n, count, 1});
  if (axis == 1) rows = b.permute(rows, {0, 2, 1});
  const graph::ValueId y =
      b.add("scatter_add", {index_of(ctx), rows}, {{"rows", p.dims(axis)}, {"batch_dims", one_batch_dim}});
  if (values.rank() == 1) return {b.reshape(y, {n, p.dims(0)})};
  return {axis == 1 ? b.permute(y, {0, 2, 1}) : y};
}

std::vector<graph::ValueId> lower_arg(LowerContext& ctx, const char* fn) {
  ops::Builder& b = ctx.b();
  const tensor::Shape dims = sample_dims(ctx, 0);
  if (dims.rank() != 1) {
    refuse("input-dims", fmt::format("takes 1 dim, not {}", dims.to_string()), "", "put a reshape before it",
           parent_notes(ctx));
  }
  const graph::ValueId index =
      b.add("arg_reduce", {ctx.inputs()[0]}, {{"fn", std::string(fn)}, {"axis", std::int64_t{1}}});
  return {b.cast(index, ctx.type())};
}
std::vector<graph::ValueId> lower_argmax(LowerContext& ctx) { return lower_arg(ctx, "max"); }
std::vector<graph::ValueId> lower_argmin(LowerContext& ctx) { return lower_arg(ctx, "min"); }

std::vector<graph::ValueId> lower_one_hot(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::OneHot>(ctx);
  ops::Builder& b = ctx.b();
  if (!p.has_size()) refuse_missing("size", "size: 10, for example");
  check_range("size", p.size(), 1);
  const tensor::Shape dims = sample_dims(ctx, 0);
  if (dims.num_elements() != 1) {
    refuse("not-a-scalar", fmt::format("takes one index per sample, not {}", dims.to_string()), "", "",
           parent_notes(ctx));
  }
  const graph::ValueId x = b.add("stop_gradient", {flatten(b, ctx.inputs()[0])});
  return {b.ewise("eq", {b.ewise("floor", {x}), iota(b, p.size(), 1, 2, ctx.type())})};
}

/// Entries of the sample in order: their values and their positions.
std::vector<graph::ValueId> sorted(LowerContext& ctx, graph::ValueId x, bool descending) {
  ops::Builder& b = ctx.b();
  return b.add_n("sort", {flatten(b, x)},
                 {{"axis", std::int64_t{1}}, {"descending", std::int64_t{descending}}});
}

std::vector<graph::ValueId> lower_sort(LowerContext& ctx) {
  const bool descending = params_as<lbann_data::Layer::Sort>(ctx).descending();
  const graph::ValueId x = ctx.inputs()[0];
  const tensor::Shape shape = ctx.b().shape(x);
  return {ctx.b().reshape(sorted(ctx, x, descending)[0], shape)};
}

/// 1 where an entry is among the k largest of its sample, [n, entries].
graph::ValueId among_largest(LowerContext& ctx, graph::ValueId x, std::int64_t k) {
  ops::Builder& b = ctx.b();
  const std::int64_t n = ctx.batch(), size = sample_dims(b, x).num_elements();
  if (k < 1 || k >= size) return b.fill(k < 1 ? 0 : 1, {ctx.type(), tensor::Shape{n, size}, {}});
  graph::ValueId where = sorted(ctx, b.add("stop_gradient", {x}), true)[1];
  where = b.add("slice", {where}, {{"axis", std::int64_t{1}}, {"start", std::int64_t{0}}, {"stop", k}});
  const graph::ValueId ones = b.fill(1, {ctx.type(), tensor::Shape{n, k, 1}, {}});
  const graph::ValueId marks =
      b.add("scatter_add", {where, ones}, {{"rows", size}, {"batch_dims", one_batch_dim}});
  return b.reshape(marks, {n, size});
}

std::vector<graph::ValueId> lower_in_top_k(LowerContext& ctx) {
  const graph::ValueId x = ctx.inputs()[0];
  const tensor::Shape shape = ctx.b().shape(x);
  return {ctx.b().reshape(among_largest(ctx, x, params_as<lbann_data::Layer::InTopK>(ctx).k()), shape)};
}

/// Is the label, the first positive entry of the truth, among the k largest predictions?
std::vector<graph::ValueId> lower_top_k_accuracy(LowerContext& ctx) {
  check_equal_dims(ctx);
  ops::Builder& b = ctx.b();
  const graph::ValueId largest =
      among_largest(ctx, ctx.inputs()[0], params_as<lbann_data::Layer::TopKCategoricalAccuracy>(ctx).k());
  const graph::ValueId truth = flatten(b, ctx.inputs()[1]);
  const graph::ValueId positive = b.ewise("greater", {truth, scalar_like(b, truth, 0)});
  const graph::ValueId label =
      b.add("arg_reduce", {positive}, {{"fn", std::string("max")}, {"axis", std::int64_t{1}}});
  const graph::ValueId found =
      b.add("gather", {b.reshape(largest, {ctx.batch(), b.shape(largest)[1], 1}), label},
            {{"batch_dims", one_batch_dim}});
  const graph::ValueId any = b.reduce("max", positive, {1});
  const graph::ValueId y = b.ewise("mul", {b.reshape(found, {ctx.batch(), 1}), any});
  return {b.add("stop_gradient", {y})};
}

}  // namespace

std::vector<LayerDef> index_layers() {
  return {{"gather", "values at given positions", 2, 2, 0, lower_gather},
          {"scatter", "values added at given positions", 2, 2, 0, lower_scatter},
          {"argmax", "position of the largest entry", 1, 1, 0, lower_argmax},
          {"argmin", "position of the smallest entry", 1, 1, 0, lower_argmin},
          {"one_hot", "1 at a given position, else 0", 1, 1, 0, lower_one_hot},
          {"sort", "entries in order", 1, 1, 0, lower_sort},
          {"in_top_k", "1 for the k largest entries, else 0", 1, 1, 0, lower_in_top_k},
          {"top_k_categorical_accuracy", "1 where the label is among the k largest predictions, else 0", 2, 2,
           0, lower_top_k_accuracy}};
}

}  // namespace lbann::layers
