// Losses: one number per sample, y [n,1], from a prediction and a ground truth of equal dims.
//   cross_entropy       -sum t log p over entries with t > 0
//   mean_squared_error  mean (p - t)^2        mean_absolute_error  mean |p - t|
//   l1_norm             sum |x|               l2_norm2             sum x^2 (one parent)
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

graph::ValueId over_sample(LowerContext& ctx, std::string_view fn, graph::ValueId entries) {
  return ctx.b().reduce(fn, flatten(ctx.b(), entries), {1});
}

/// With use_labels: the predicted probability of the labels, x [n,C,s..] at class indices [n,1,s..], and 1
/// where the label is a class, else 0: both [n, positions].
std::vector<graph::ValueId> pick_labels(LowerContext& ctx) {
  ops::Builder& b = ctx.b();
  const tensor::Shape x = sample_dims(ctx, 0), labels = sample_dims(ctx, 1);
  bool fits = x.rank() >= 2 && labels.rank() == x.rank() && labels[0] == 1;
  for (int d = 1; fits && d < x.rank(); ++d) fits = labels[d] == x[d];
  if (!fits) {
    refuse("label-dims",
           fmt::format("use_labels needs a prediction [C, spatial...] and labels [1, same spatial...], "
                       "not {} and {}",
                       x.to_string(), labels.to_string()),
           "use_labels", "", parent_notes(ctx));
  }
  const std::int64_t classes = x[0], positions = labels.num_elements();
  graph::ValueId values = ctx.inputs()[0];
  std::int64_t class_step = positions, position_step = 1;
  // Classes that were moved to the front only for this layer are read where they were, at the end.
  const graph::Node& producer = b.graph().producer(values);
  if (x.rank() == 2 && producer.op == "permute" &&
      producer.attrs.get_ints("perm") == std::vector<std::int64_t>{0, 2, 1}) {
    values = producer.inputs[0];
    class_step = 1, position_step = classes;
  }
  const graph::ValueId label = b.add("stop_gradient", {flatten(b, ctx.inputs()[1])});
  // Entries of a sample are counted in the layer's type: exact up to 2^24 in f32.
  const bool exact = x.num_elements() < std::int64_t{1} << 24;
  const tensor::DataType type = exact ? b.spec(label).type : tensor::DataType::f64;
  const graph::ValueId index = b.cast(label, type);
  const graph::ValueId is_class = b.ewise(
      "mul",
      {b.ewise("eq", {index, b.ewise("floor", {index})}),
       b.ewise("mul", {b.ewise("greater_equal", {index, scalar_like(b, index, 0)}),
                       b.ewise("less", {index, scalar_like(b, index, static_cast<double>(classes))})})});
  const graph::ValueId position =
      b.ewise("scale", {iota(b, positions, 1, 2, type)}, static_cast<double>(position_step));
  const graph::ValueId entry = b.add2(b.ewise("scale", {index}, static_cast<double>(class_step)), position);
  const graph::ValueId where =
      floor_to_index(b, b.ewise("where", {is_class, entry, scalar_like(b, entry, -1)}));
  const std::int64_t n = ctx.batch();
  const graph::ValueId picked = b.add("gather", {b.reshape(values, {n, x.num_elements(), 1}), where},
                                      {{"batch_dims", std::int64_t{1}}});
  return {b.reshape(picked, {n, positions}), b.cast(is_class, b.spec(values).type)};
}

std::vector<graph::ValueId> lower_cross_entropy(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::CrossEntropy>(ctx);
  if (p.use_labels()) return {over_sample(ctx, "sum", ctx.b().ewise("xent", pick_labels(ctx)))};
  check_equal_dims(ctx);
  return {over_sample(ctx, "sum", ctx.b().ewise("xent", {ctx.inputs()[0], ctx.inputs()[1]}))};
}

std::vector<graph::ValueId> lower_error(LowerContext& ctx, std::string_view fn) {
  check_equal_dims(ctx);
  const graph::ValueId d = ctx.b().ewise("sub", {ctx.inputs()[0], ctx.inputs()[1]});
  return {over_sample(ctx, "mean", ctx.b().ewise(fn, {d}))};
}

std::vector<graph::ValueId> lower_mean_squared_error(LowerContext& ctx) { return lower_error(ctx, "square"); }
std::vector<graph::ValueId> lower_mean_absolute_error(LowerContext& ctx) { return lower_error(ctx, "abs"); }

std::vector<graph::ValueId> lower_l1_norm(LowerContext& ctx) {
  return {over_sample(ctx, "sum", ctx.b().ewise("abs", {ctx.inputs()[0]}))};
}

std::vector<graph::ValueId> lower_l2_norm2(LowerContext& ctx) {
  return {over_sample(ctx, "sum", ctx.b().ewise("square", {ctx.inputs()[0]}))};
}

}  // namespace

std::vector<LayerDef> loss_layers() {
  return {{"cross_entropy", "-sum of truth times log(prediction)", 2, 2, 0, lower_cross_entropy},
          {"mean_squared_error", "mean of (prediction - truth)^2", 2, 2, 0, lower_mean_squared_error},
          {"mean_absolute_error", "mean of |prediction - truth|", 2, 2, 0, lower_mean_absolute_error},
          {"l1_norm", "sum of |x|", 1, 1, 0, lower_l1_norm},
          {"l2_norm2", "sum of x^2", 1, 1, 0, lower_l2_norm2}};
}

}  // namespace lbann::layers
