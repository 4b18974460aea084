// Activations: relu, leaky_relu, elu (entrywise), softmax and log_softmax (over a whole sample, or over the
// channels of every position). A parameter that is 0 or absent takes LBANN's default.
#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_relu(LowerContext& ctx) {
  return {ctx.b().ewise("relu", {ctx.inputs()[0]})};
}

std::vector<graph::ValueId> lower_leaky_relu(LowerContext& ctx) {
  const double slope = params_as<lbann_data::Layer::LeakyRelu>(ctx).negative_slope();
  return {ctx.b().ewise("leaky_relu", {ctx.inputs()[0]}, slope == 0 ? 0.01 : slope)};
}

std::vector<graph::ValueId> lower_elu(LowerContext& ctx) {
  const double alpha = params_as<lbann_data::Layer::Elu>(ctx).alpha();
  return {ctx.b().ewise("elu", {ctx.inputs()[0]}, alpha == 0 ? 1.0 : alpha)};
}

/// Over all entries of a sample: flat and back.
graph::ValueId instance_softmax(LowerContext& ctx, bool log) {
  ops::Builder& b = ctx.b();
  const graph::ValueId x = ctx.inputs()[0];
  const tensor::Shape shape = b.shape(x);
  const graph::ValueId y =
      b.add("softmax", {flatten(b, x)}, {{"axis", std::int64_t{1}}, {"log", std::int64_t{log}}});
  return shape.rank() == 2 ? y : b.reshape(y, shape);
}

std::vector<graph::ValueId> lower_softmax(LowerContext& ctx) {
  const std::string& mode = params_as<lbann_data::Layer::Softmax>(ctx).softmax_mode();
  if (mode.empty() || mode == "instance") return {instance_softmax(ctx, false)};
  if (mode != "channel") refuse_word("softmax_mode", mode, {"instance", "channel"});
  return {ctx.b().add("softmax", {ctx.inputs()[0]}, {{"axis", std::int64_t{1}}, {"log", std::int64_t{0}}})};
}

std::vector<graph::ValueId> lower_log_softmax(LowerContext& ctx) { return {instance_softmax(ctx, true)}; }

}  // namespace

std::vector<LayerDef> activation_layers() {
  return {{"relu", "max(x, 0)", 1, 1, 0, lower_relu},
          {"leaky_relu", "x where x > 0, else negative_slope x", 1, 1, 0, lower_leaky_relu},
          {"elu", "x where x > 0, else alpha (exp(x) - 1)", 1, 1, 0, lower_elu},
          {"softmax", "exp(x) / sum exp(x)", 1, 1, 0, lower_softmax},
          {"log_softmax", "x - log sum exp(x)", 1, 1, 0, lower_log_softmax}};
}

}  // namespace lbann::layers
