// Layers without parents: constant, gaussian, uniform, bernoulli. Random ones draw new numbers in every step,
// in evaluation too unless `training_only`; there they give the mean of the distribution (bernoulli: 0).
#include <cmath>

#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

tensor::Shape output_shape(LowerContext& ctx, std::string_view field,
                           const google::protobuf::RepeatedField<std::int64_t>& dims) {
  if (dims.empty()) refuse_missing(field, "the dims of one sample");
  for (const std::int64_t d : dims) check_range(field, d, 1);
  return with_batch(ctx.batch(), tensor::Shape(std::vector<std::int64_t>(dims.begin(), dims.end())));
}

void check_finite(std::string_view field, double value) {
  if (std::isfinite(value)) return;
  refuse("value-out-of-range", fmt::format("{} = {}, must be finite", field, value), std::string(field));
}

graph::ValueId constant(LowerContext& ctx, const tensor::Shape& shape, double value) {
  return ctx.b().fill(value, {ctx.type(), shape, {}});
}

std::vector<graph::ValueId> lower_constant(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Constant>(ctx);
  return {constant(ctx, output_shape(ctx, "num_neurons", p.num_neurons()), p.value())};
}

std::vector<graph::ValueId> lower_gaussian(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Gaussian>(ctx);
  const tensor::Shape shape = output_shape(ctx, "neuron_dims", p.neuron_dims());
  const bool standard = p.mean() == 0 && p.stdev() == 0;
  const double mean = p.mean(), stdev = standard ? 1 : p.stdev();
  check_finite("mean", mean);
  check_finite("stdev", stdev);
  if (stdev < 0) {
    refuse("value-out-of-range", fmt::format("stdev = {}, must not be negative", stdev), "stdev");
  }
  if (p.training_only() && ctx.mode() == Mode::evaluate) return {constant(ctx, shape, mean)};
  const graph::ValueId z = ctx.random({"normal", "gaussian", shape});
  return {mean == 0 && stdev == 1 ? z : ctx.b().ewise("affine", {z}, stdev, mean)};
}

std::vector<graph::ValueId> lower_uniform(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Uniform>(ctx);
  const tensor::Shape shape = output_shape(ctx, "neuron_dims", p.neuron_dims());
  const bool standard = p.min() == 0 && p.max() == 0;
  const double low = p.min(), high = standard ? 1 : p.max();
  check_finite("min", low);
  check_finite("max", high);
  if (low > high) {
    refuse("value-out-of-range", fmt::format("min = {} is above max = {}", low, high), "min");
  }
  if (p.training_only() && ctx.mode() == Mode::evaluate) return {constant(ctx, shape, (low + high) / 2)};
  ops::Builder& b = ctx.b();
  const graph::ValueId u = ctx.random({"uniform", "uniform", shape});
  if (low == 0 && high == 1) return {u};
  const graph::ValueId y = b.ewise("affine", {u}, high - low, low);
  if (low == high) return {y};
  // Rounding must not reach the open end.
  const double last =
      ctx.type() == tensor::DataType::f64
          ? std::nextafter(high, low)
          : static_cast<double>(std::nextafter(static_cast<float>(high), static_cast<float>(low)));
  return {b.ewise("min2", {y, scalar_like(b, y, last)})};
}

std::vector<graph::ValueId> lower_bernoulli(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Bernoulli>(ctx);
  const tensor::Shape shape = output_shape(ctx, "neuron_dims", p.neuron_dims());
  if (!(p.prob() >= 0 && p.prob() <= 1)) {
    refuse("value-out-of-range", fmt::format("prob = {}, must be from 0 to 1", p.prob()), "prob");
  }
  if (ctx.mode() == Mode::evaluate) return {constant(ctx, shape, 0)};
  return {ctx.random({"bernoulli", "bernoulli", shape, p.prob(), 1})};
}

}  // namespace

std::vector<LayerDef> source_layers() {
  return {{"constant", "one value everywhere", 0, 0, 0, lower_constant},
          {"gaussian", "normally distributed random numbers", 0, 0, 0, lower_gaussian},
          {"uniform", "uniformly distributed random numbers", 0, 0, 0, lower_uniform},
          {"bernoulli", "random zeros and ones while training", 0, 0, 0, lower_bernoulli}};
}

}  // namespace lbann::layers
