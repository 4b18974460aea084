// Layers that treat the channels (dim 0), or all entries, alike: softmax over one dim or over all others,
// scale and bias per channel or per entry.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

graph::ValueId softmax(ops::Builder& b, graph::ValueId x, std::int64_t axis) {
  return b.add("softmax", {x}, {{"axis", axis}, {"log", std::int64_t{0}}});
}

/// single_dim_mode: along `dim`. Else over all other dims together, for every index of `dim`, which is the
/// first or the last.
std::vector<graph::ValueId> lower_channelwise_softmax(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::ChannelwiseSoftmax>(ctx);
  ops::Builder& b = ctx.b();
  const tensor::Shape dims = sample_dims(ctx, 0);
  const int dim = wrap_axis("dim", p.dim(), dims.rank());
  const graph::ValueId x = ctx.inputs()[0];
  if (p.single_dim_mode()) return {softmax(b, x, dim + 1)};
  if (dim != 0 && dim != dims.rank() - 1) {
    refuse("softmax-dim",
           fmt::format("dim = {} of {} is neither the first nor the last; that needs single_dim_mode",
                       p.dim(), dims.to_string()),
           "dim", "", parent_notes(ctx));
  }
  const std::int64_t kept = dims[dim], rest = dims.num_elements() / kept;
  const graph::ValueId y = dim == 0 ? softmax(b, b.reshape(x, {ctx.batch(), kept, rest}), 2)
                                    : softmax(b, b.reshape(x, {ctx.batch(), rest, kept}), 1);
  return {b.reshape(y, with_batch(ctx.batch(), dims))};
}

/// y = scale x + bias; one weight [2, n]: the scales, then the biases.
std::vector<graph::ValueId> scale_and_bias(LowerContext& ctx, const tensor::Shape& part) {
  ops::Builder& b = ctx.b();
  WeightRequest request{"_weights", {2, part.num_elements()}};
  request.initializer.kind = DefaultInitializer::Kind::scale_bias;
  const graph::ValueId w = ctx.weight(request);
  const auto half = [&](std::int64_t i) {
    return b.reshape(b.add("slice", {w}, {{"axis", std::int64_t{0}}, {"start", i}, {"stop", i + 1}}),
                     with_batch(1, part));
  };
  const graph::ValueId scaled = b.ewise("mul", {ctx.inputs()[0], half(0)});
  return {b.ewise("add", {scaled, half(1)})};
}

std::vector<graph::ValueId> lower_channelwise_scale_bias(LowerContext& ctx) {
  const tensor::Shape dims = sample_dims(ctx, 0);
  std::vector<std::int64_t> part(static_cast<std::size_t>(dims.rank()), 1);
  part[0] = dims[0];
  return scale_and_bias(ctx, tensor::Shape(part));
}

std::vector<graph::ValueId> lower_entrywise_scale_bias(LowerContext& ctx) {
  return scale_and_bias(ctx, sample_dims(ctx, 0));
}

}  // namespace

std::vector<LayerDef> channelwise_layers() {
  return {{"channelwise_softmax", "softmax along one dim, or over all others", 1, 1, 0,
           lower_channelwise_softmax},
          {"channelwise_scale_bias", "scale x + bias per channel", 1, 1, 1, lower_channelwise_scale_bias},
          {"entrywise_scale_bias", "scale x + bias per entry", 1, 1, 1, lower_entrywise_scale_bias}};
}

}  // namespace lbann::layers
