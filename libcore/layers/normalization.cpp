// Normalisation of every sample by itself: layer_norm over the dims from start_dim on (with scale and bias of
// those dims), instance_norm over the positions of each channel. Variances are biased (divided by n), as in
// LBANN from v0.103 on; one value alone gives 0.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

template <class Params>
double epsilon_of(const Params& p) {
  const double epsilon = p.has_epsilon() ? p.epsilon().value() : 1e-5;
  if (!(epsilon >= 0))
    refuse("value-out-of-range", fmt::format("epsilon = {}, must be at least 0", epsilon), "epsilon");
  return epsilon;
}

graph::Attrs norm_attrs(int axis, double epsilon) {
  return {{"axis", std::int64_t{axis}}, {"epsilon", epsilon}};
}

std::vector<graph::ValueId> lower_layer_norm(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::LayerNorm>(ctx);
  ops::Builder& b = ctx.b();
  const tensor::Shape dims = sample_dims(ctx, 0);
  const int start = wrap_axis("start_dim", p.start_dim(), dims.rank());
  const graph::Attrs attrs = norm_attrs(start + 1, epsilon_of(p));
  const int parts = int{p.scale()} + int{p.bias()};
  if (ctx.num_listed_weights() > parts) {
    refuse("too-many-weights", fmt::format("{} weights listed, holds {}", ctx.num_listed_weights(), parts));
  }
  const tensor::Shape normalised(std::vector<std::int64_t>(dims.dims().begin() + start, dims.dims().end()));
  WeightRequest scale{"_scale_weights", normalised};
  scale.initializer.value = 1;
  const WeightRequest bias{"_bias_weights", normalised};
  const graph::ValueId x = ctx.inputs()[0];
  if (parts == 2) {
    const graph::ValueId s = ctx.weight(scale);
    return {b.add_n("layer_norm", {x, s, ctx.weight(bias)}, attrs)[0]};
  }
  const graph::ValueId y = b.add_n("layer_norm", {x}, attrs)[0];
  if (parts == 0) return {y};
  std::vector<std::int64_t> row(static_cast<std::size_t>(start + 1), 1);
  row.insert(row.end(), normalised.dims().begin(), normalised.dims().end());
  const graph::ValueId w = b.reshape(ctx.weight(p.scale() ? scale : bias), tensor::Shape(row));
  return {b.ewise(p.scale() ? "mul" : "add", {y, w})};
}

std::vector<graph::ValueId> lower_instance_norm(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::InstanceNorm>(ctx);
  ops::Builder& b = ctx.b();
  const tensor::Shape dims = sample_dims(ctx, 0);
  const std::int64_t rest = dims.num_elements() / dims[0];
  const graph::ValueId rows = b.reshape(ctx.inputs()[0], {ctx.batch(), dims[0], rest});
  const graph::ValueId y = b.add_n("layer_norm", {rows}, norm_attrs(2, epsilon_of(p)))[0];
  return {b.reshape(y, with_batch(ctx.batch(), dims))};
}

}  // namespace

std::vector<LayerDef> normalization_layers() {
  return {{"layer_norm", "(x - mean) / deviation over the dims from start_dim on", 1, 1, 2, lower_layer_norm},
          {"instance_norm", "(x - mean) / deviation in every channel", 1, 1, 0, lower_instance_norm}};
}

}  // namespace lbann::layers
