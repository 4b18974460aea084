// Sums, means and moments: over a sample (reduction, covariance, variance), over some of its dims
// (multidim_reduction, channelwise_mean), over the mini-batch (batchwise_reduce_sum).
#include <fmt/format.h>

#include <algorithm>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_reduction(LowerContext& ctx) {
  const std::string& mode = params_as<lbann_data::Layer::Reduction>(ctx).mode();
  const bool mean = mode == "mean" || mode == "average";
  if (!mode.empty() && mode != "sum" && !mean) refuse_word("mode", mode, {"sum", "mean", "average"});
  return {ctx.b().reduce(mean ? "mean" : "sum", flatten(ctx.b(), ctx.inputs()[0]), {1})};
}

/// prod over an axis of extent k: factors multiplied in halves, so that gradients are right at zeros.
graph::ValueId product_over(ops::Builder& b, graph::ValueId x, std::int64_t axis) {
  const auto slice = [&](std::int64_t start, std::int64_t stop) {
    return b.add("slice", {x}, {{"axis", axis}, {"start", start}, {"stop", stop}});
  };
  for (std::int64_t k = b.shape(x)[static_cast<int>(axis)]; k > 1; k = b.shape(x)[static_cast<int>(axis)]) {
    const std::int64_t half = k / 2;
    const graph::ValueId product = b.ewise("mul", {slice(0, half), slice(half, 2 * half)});
    x = k % 2 == 0 ? product : b.add("concat", {product, slice(2 * half, k)}, {{"axis", axis}});
  }
  return x;
}

/// Reduced dims are removed.
std::vector<graph::ValueId> lower_multidim_reduction(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::MultiDimReduction>(ctx);
  ops::Builder& b = ctx.b();
  const tensor::Shape dims = sample_dims(ctx, 0);
  std::vector<std::int64_t> axes;
  for (const std::uint32_t axis : p.axes()) {
    if (axis >= static_cast<std::uint32_t>(dims.rank())) {
      refuse("axis-out-of-range", fmt::format("axis {}, but the input has {} dims", axis, dims.rank()),
             "axes", "", parent_notes(ctx));
    }
    axes.push_back(axis + 1);
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (axes.empty()) refuse_missing("axes", "axes: 0, for example");
  if (static_cast<int>(axes.size()) == dims.rank()) {
    refuse("reduction-axes", "reduces all dims and leaves none", "axes", "use the layer reduction");
  }
  const std::string& mode = p.mode();
  graph::ValueId y = ctx.inputs()[0];
  if (mode.empty() || mode == "sum" || mode == "add") {
    y = b.reduce("sum", y, axes);
  } else if (mode == "max" || mode == "maximum") {
    y = b.reduce("max", y, axes);
  } else if (mode == "min" || mode == "minimum") {
    y = b.reduce("min", y, axes);
  } else if (mode == "product" || mode == "mul") {
    for (const std::int64_t axis : axes) y = product_over(b, y, axis);
  } else {
    refuse_word("mode", mode, {"sum", "add", "product", "mul", "max", "maximum", "min", "minimum"});
  }
  std::vector<std::int64_t> kept;
  for (int d = 0; d <= dims.rank(); ++d) {
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) kept.push_back(b.shape(y)[d]);
  }
  return {b.reshape(y, tensor::Shape(kept))};
}

/// Every sample gets the sum over the mini-batch.
std::vector<graph::ValueId> lower_batchwise_reduce_sum(LowerContext& ctx) {
  ops::Builder& b = ctx.b();
  const graph::ValueId x = ctx.inputs()[0];
  const tensor::Shape shape = b.shape(x);
  return {b.expand(b.reduce("sum", x, {0}), shape)};
}

std::vector<graph::ValueId> lower_channelwise_mean(LowerContext& ctx) {
  ops::Builder& b = ctx.b();
  const tensor::Shape dims = sample_dims(ctx, 0);
  const graph::ValueId rows =
      b.reshape(ctx.inputs()[0], {ctx.batch(), dims[0], dims.num_elements() / dims[0]});
  return {b.reshape(b.reduce("mean", rows, {2}), {ctx.batch(), dims[0]})};
}

/// sum (x - mean x) (y - mean y) / (n - 1), or / n where biased.
graph::ValueId covariance(LowerContext& ctx, graph::ValueId x, graph::ValueId y, bool biased) {
  ops::Builder& b = ctx.b();
  const std::int64_t n = sample_dims(ctx, 0).num_elements();
  if (n < 2 && !biased) {
    refuse("input-dims", "needs at least 2 entries per sample: the sum is divided by one less", "",
           "biased: true", parent_notes(ctx));
  }
  const auto centred = [&](graph::ValueId v) {
    const graph::ValueId flat = flatten(b, v);
    return b.ewise("sub", {flat, b.reduce("mean", flat, {1})});
  };
  const graph::ValueId dx = centred(x);
  const graph::ValueId terms = x == y ? b.ewise("square", {dx}) : b.ewise("mul", {dx, centred(y)});
  return b.scale(b.reduce("sum", terms, {1}), 1.0 / static_cast<double>(biased ? n : n - 1));
}

std::vector<graph::ValueId> lower_covariance(LowerContext& ctx) {
  check_equal_dims(ctx);
  return {covariance(ctx, ctx.inputs()[0], ctx.inputs()[1],
                     params_as<lbann_data::Layer::Covariance>(ctx).biased())};
}

std::vector<graph::ValueId> lower_variance(LowerContext& ctx) {
  if (sample_dims(ctx, 0).num_elements() < 2) {
    refuse("input-dims", "needs at least 2 entries per sample", "", "", parent_notes(ctx));
  }
  const graph::ValueId x = ctx.inputs()[0];
  return {covariance(ctx, x, x, params_as<lbann_data::Layer::Variance>(ctx).biased())};
}

}  // namespace

std::vector<LayerDef> reduction_layers() {
  return {{"reduction", "sum or mean of a sample", 1, 1, 0, lower_reduction},
          {"multidim_reduction", "sum, product, maximum or minimum over some dims", 1, 1, 0,
           lower_multidim_reduction},
          {"batchwise_reduce_sum", "sum over the mini-batch, for every sample", 1, 1, 0,
           lower_batchwise_reduce_sum},
          {"channelwise_mean", "mean of every channel", 1, 1, 0, lower_channelwise_mean},
          {"covariance", "covariance of two samples' entries", 2, 2, 0, lower_covariance},
          {"variance", "variance of a sample's entries", 1, 1, 0, lower_variance}};
}

}  // namespace lbann::layers
