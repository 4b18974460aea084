// batch_normalization: y = scale (x - mean) / sqrt(var + eps) + bias per channel; x [n,c,..].
//
// Training takes mean and variance of the mini-batch over N = n x positions values per channel, with Bessel's
// factor N/(N-1) and a lower bound eps (so eps counts twice, as in LBANN), and afterwards moves the running
// statistics: running = decay running + (1 - decay) batch. The gradient goes through mean and variance; where
// the bound was hit the variance is a constant, hence `factor` = 0 there.
// One value per channel (N = 1): its own mean, variance 1, so y = bias, and nothing moves.
// Evaluation takes the running statistics as constants.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

void check_params(const lbann_data::Layer::BatchNormalization& p) {
  if (!(p.decay() >= 0 && p.decay() < 1)) {
    refuse("value-out-of-range", fmt::format("decay = {}, must be in [0, 1)", p.decay()), "decay");
  }
  if (!(p.epsilon() >= 0) || p.epsilon() > 1e30) {
    refuse("value-out-of-range", fmt::format("epsilon = {}, must be at least 0", p.epsilon()), "epsilon");
  }
  const std::string& how = p.stats_aggregation();
  if (!how.empty() && how != "local" && how != "node_local" && how != "global") {
    refuse_word("stats_aggregation", how, {"local", "node_local", "global"});
  }
}

std::vector<graph::ValueId> lower_batch_normalization(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::BatchNormalization>(ctx);
  check_params(p);
  ops::Builder& b = ctx.b();
  const graph::ValueId x = ctx.inputs()[0];
  const std::int64_t c = b.shape(x)[1], num_values = b.shape(x).num_elements() / c;
  const double decay = p.decay() == 0 ? 0.9 : p.decay();
  const double epsilon = p.epsilon() == 0 ? 1e-5 : p.epsilon();
  const auto constant = DefaultInitializer::Kind::constant;

  const graph::ValueId scale = ctx.weight({"_scale", {c}, {constant, 1}});
  const graph::ValueId bias = ctx.weight({"_bias", {c}});
  const graph::ValueId running_mean = ctx.weight({"_running_mean", {c}, {constant, 0}, false});
  const graph::ValueId running_var = ctx.weight({"_running_variance", {c}, {constant, 1}, false});
  const graph::Attrs plain{{"act", std::string()}};
  const auto inverse_deviation = [&](graph::ValueId var) {
    return b.ewise("rsqrt", {b.ewise("affine", {var}, 1, epsilon)});
  };
  if (ctx.mode() == Mode::evaluate) {
    return {b.add("norm_apply", {x, running_mean, inverse_deviation(running_var), scale, bias}, plain)};
  }

  const auto stats = b.add_n("norm_stats", {x});
  const tensor::TensorSpec per_channel = b.spec(stats[0]);
  if (num_values <= 1) {
    const graph::ValueId one = b.fill(1, per_channel), no_gradient = b.fill(0, per_channel);
    return {b.add("norm_apply", {x, stats[0], one, scale, bias, no_gradient}, plain)};
  }
  const double n = static_cast<double>(num_values);
  const double bessel = p.no_bessel_correction() ? 1 : n / (n - 1);
  const graph::ValueId var = b.ewise("scale_clamp", {stats[1]}, bessel, epsilon);
  const graph::ValueId factor =
      b.ewise("scale_clamp_grad", {b.fill(1, per_channel), stats[1]}, bessel, epsilon);
  ctx.assign(2, b.ewise("lerp", {running_mean, stats[0]}, decay));
  ctx.assign(3, b.ewise("lerp", {running_var, var}, decay));
  return {b.add("norm_apply", {x, stats[0], inverse_deviation(var), scale, bias, factor}, plain)};
}

}  // namespace

std::vector<LayerDef> batch_normalization_layers() {
  return {{"batch_normalization", "each channel to zero mean and unit variance, then scale and bias", 1, 1, 4,
           lower_batch_normalization}};
}

}  // namespace lbann::layers
