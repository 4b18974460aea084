// entrywise_batch_normalization: y = (x - mean) / sqrt(var + eps) for every entry of a sample, over the
// mini-batch; no scale, no bias.
//
// Training takes mean and variance of the mini-batch of n samples, with Bessel's factor n/(n-1), and moves
// the running statistics: running = decay running + (1 - decay) batch. One sample: variance 1, so y = 0, and
// nothing moves. Evaluation takes the running statistics as constants. decay and epsilon have no defaults:
// absent is 0.
#include <cmath>

#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_entrywise_batch_normalization(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::EntrywiseBatchNormalization>(ctx);
  if (!(p.decay() >= 0 && p.decay() <= 1)) {
    refuse("value-out-of-range", fmt::format("decay = {}, must be from 0 to 1", p.decay()), "decay");
  }
  if (!(p.epsilon() >= 0) || !std::isfinite(p.epsilon())) {
    refuse("value-out-of-range", fmt::format("epsilon = {}, must be at least 0", p.epsilon()), "epsilon");
  }
  ops::Builder& b = ctx.b();
  const tensor::Shape shape = b.shape(ctx.inputs()[0]), sample = sample_dims(ctx, 0);
  const tensor::Shape entries{sample.num_elements()};
  const graph::ValueId x = flatten(b, ctx.inputs()[0]);
  const auto constant = DefaultInitializer::Kind::constant;
  const graph::ValueId running_mean =
      b.reshape(ctx.weight({"_running_mean", sample, {constant, 0}, false}), entries);
  const graph::ValueId running_var =
      b.reshape(ctx.weight({"_running_variance", sample, {constant, 1}, false}), entries);
  const tensor::TensorSpec spec = b.spec(running_mean);
  const graph::ValueId one = b.fill(1, spec), zero = b.fill(0, spec);
  const graph::Attrs plain{{"act", std::string()}};
  const auto normalised = [&](graph::ValueId mean, graph::ValueId var, graph::ValueId factor) {
    const graph::ValueId rstd = b.ewise("rsqrt", {b.ewise("affine", {var}, 1, p.epsilon())});
    std::vector<graph::ValueId> operands{x, mean, rstd, one, zero};
    if (factor != graph::none) operands.push_back(factor);
    return std::vector<graph::ValueId>{b.reshape(b.add("norm_apply", operands, plain), shape)};
  };
  if (ctx.mode() == Mode::evaluate) return normalised(running_mean, running_var, graph::none);

  const auto stats = b.add_n("norm_stats", {x});
  if (shape[0] <= 1) return normalised(stats[0], one, zero);
  const double n = static_cast<double>(shape[0]), bessel = n / (n - 1);
  const graph::ValueId var = b.scale(stats[1], bessel);
  ctx.assign(0, b.reshape(b.ewise("lerp", {running_mean, stats[0]}, p.decay()), sample));
  ctx.assign(1, b.reshape(b.ewise("lerp", {running_var, var}, p.decay()), sample));
  return normalised(stats[0], var, b.fill(bessel, spec));
}

}  // namespace

std::vector<LayerDef> entrywise_batch_normalization_layers() {
  return {{"entrywise_batch_normalization", "each entry to zero mean and unit variance over the mini-batch",
           1, 1, 2, lower_entrywise_batch_normalization}};
}

}  // namespace lbann::layers
