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

/// 0, 1, .., n - 1 along axis 1 of a tensor with `rank` dims, by doubling.
graph::ValueId counting(ops::Builder& b, std::int64_t n, int rank, tensor::DataType type) {
  std::vector<std::int64_t> ones(static_cast<std::size_t>(rank), 1);
  graph::ValueId list = b.fill(0, {type, tensor::Shape(ones), {}});
  for (std::int64_t have = 1; have < n; have *= 2) {
    graph::ValueId more = b.ewise("affine", {list}, 1, static_cast<double>(have));
    if (2 * have > n) {
      more =
          b.add("slice", {more}, {{"axis", std::int64_t{1}}, {"start", std::int64_t{0}}, {"stop", n - have}});
    }
    list = b.add("concat", {list, more}, {{"axis", std::int64_t{1}}});
  }
  return list;
}

/// With use_labels: x [n,C,s..] and class indices [n,1,s..]; the indices become one-hot vectors.
graph::ValueId one_hot_labels(LowerContext& ctx) {
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
  return b.ewise("eq", {ctx.inputs()[1], counting(b, x[0], x.rank() + 1, b.spec(ctx.inputs()[1]).type)});
}

std::vector<graph::ValueId> lower_cross_entropy(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::CrossEntropy>(ctx);
  if (!p.use_labels()) check_equal_dims(ctx);
  const graph::ValueId truth = p.use_labels() ? one_hot_labels(ctx) : ctx.inputs()[1];
  return {over_sample(ctx, "sum", ctx.b().ewise("xent", {ctx.inputs()[0], truth}))};
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
