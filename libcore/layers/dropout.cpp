// dropout, selu_dropout: entries are switched off at random while training; in evaluation the identity.
//
//   dropout        y = x m / q                         m = 1 with probability q = keep_prob, else 0
//   selu_dropout   y = a (x m + a' (1 - m)) + b        a' = -scale alpha, a = 1 / sqrt(q + a'^2 q (1 - q)),
//                                                      b = -a a' (1 - q): keeps mean 0 and variance 1
//
// (Srivastava et al., JMLR 15, 2014; Klambauer et al., NIPS 2017, section 2.) keep_prob < 0 switches the
// layer off; absent it is 0 as in LBANN: everything is dropped, which gets a warning.
#include <cmath>

#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

void check_keep_prob(LowerContext& ctx, double q) {
  if (std::isnan(q) || q > 1) {
    refuse("value-out-of-range", fmt::format("keep_prob = {}, must be at most 1 (negative: no dropout)", q),
           "keep_prob");
  }
  if (q == 0) {
    ctx.warn({"absent-is-zero", "keep_prob is 0: everything is dropped", "keep_prob",
              "give the probability with which an entry is kept, e.g. keep_prob: 0.5"});
  }
}

std::vector<graph::ValueId> lower_dropout(LowerContext& ctx) {
  const double q = params_as<lbann_data::Layer::Dropout>(ctx).keep_prob();
  check_keep_prob(ctx, q);
  const graph::ValueId x = ctx.inputs()[0];
  if (ctx.mode() == Mode::evaluate || q < 0 || q == 1) return {x};
  ops::Builder& b = ctx.b();
  const tensor::Shape shape = b.shape(x);
  return {b.ewise("mul", {x, ctx.random({"bernoulli", "dropout mask", shape, q, q == 0 ? 0 : 1 / q})})};
}

std::vector<graph::ValueId> lower_selu_dropout(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::SeluDropout>(ctx);
  const double q = p.keep_prob();
  check_keep_prob(ctx, q);
  const graph::ValueId x = ctx.inputs()[0];
  if (ctx.mode() == Mode::evaluate || q < 0) return {x};
  const bool given = p.alpha() != 0 && p.scale() != 0;
  const double alpha = given ? p.alpha() : 1.6732632423543772, scale = given ? p.scale() : 1.0507009873554805;
  const double dropped = -scale * alpha;
  const double a = 1 / std::sqrt(q + dropped * dropped * q * (1 - q)), shift = -a * dropped * (1 - q);
  if (!std::isfinite(a)) {  // q = 0: every entry takes one value, which has no variance to restore
    refuse("value-out-of-range", "keep_prob = 0, must be greater than 0 here (negative: no dropout)",
           "keep_prob");
  }
  ops::Builder& b = ctx.b();
  const tensor::Shape shape = b.shape(x);
  const graph::ValueId kept = ctx.random({"bernoulli", "dropout mask", shape, q, 1});
  const graph::ValueId y = b.ewise("affine", {x}, a, shift);
  return {b.ewise("where", {kept, y, scalar_like(b, x, a * dropped + shift)})};
}

}  // namespace

std::vector<LayerDef> dropout_layers() {
  return {{"dropout", "zeroes entries at random while training", 1, 1, 0, lower_dropout},
          {"selu_dropout", "dropout that keeps mean and variance of SELU", 1, 1, 0, lower_selu_dropout}};
}

}  // namespace lbann::layers
