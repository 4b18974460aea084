// Layers that are about the step rather than the values: weights_layer and rowwise_weights_norms (weights as
// values), mini_batch_size, mini_batch_index, stop_gradient, evaluation, dummy, identity_zero, uniform_hash.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

/// y = w for every sample.
std::vector<graph::ValueId> lower_weights_layer(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::WeightsLayer>(ctx);
  if (p.dims_size() == 0) refuse_missing("dims", "dims: [3, 4], for example");
  for (const std::int64_t d : p.dims()) check_range("dims", d, 1);
  const tensor::Shape dims(std::vector<std::int64_t>(p.dims().begin(), p.dims().end()));
  ops::Builder& b = ctx.b();
  return {b.expand(b.reshape(ctx.weight({"_weights", dims}), with_batch(1, dims)),
                   with_batch(ctx.batch(), dims))};
}

/// Lengths of the rows of another layer's weights matrix; its gradient is 0 where a length is.
std::vector<graph::ValueId> lower_rowwise_weights_norms(LowerContext& ctx) {
  if (ctx.num_listed_weights() > 1) {
    refuse("too-many-weights", fmt::format("{} weights listed, holds 1", ctx.num_listed_weights()));
  }
  const MadeWeight w = ctx.made_weight();
  ops::Builder& b = ctx.b();
  // Stored column-major: [width, height]. What is no matrix has one column.
  const std::int64_t size = w.shape.num_elements();
  const std::int64_t height = w.matrix_height > 0 ? w.matrix_height : size;
  const graph::ValueId squares =
      b.reduce("sum", b.ewise("square", {b.reshape(w.value, {size / height, height})}), {0});
  // sqrt with the gradient 0 at 0: where nothing is to be rooted, 1 is, and 0 is answered.
  const graph::ValueId some = b.ewise("ne", {squares, scalar_like(b, squares, 0)});
  const graph::ValueId rooted =
      b.ewise("sqrt", {b.ewise("where", {some, squares, scalar_like(b, squares, 1)})});
  const graph::ValueId norms = b.ewise("where_first", {some, rooted});
  return {b.expand(norms, {ctx.batch(), height})};
}

std::vector<graph::ValueId> lower_mini_batch_size(LowerContext& ctx) {
  return {ctx.b().fill(static_cast<double>(ctx.batch()), {ctx.type(), tensor::Shape{ctx.batch(), 1}, {}})};
}

std::vector<graph::ValueId> lower_mini_batch_index(LowerContext& ctx) {
  return {iota(ctx.b(), ctx.batch(), 0, 2, ctx.type())};
}

std::vector<graph::ValueId> lower_stop_gradient(LowerContext& ctx) {
  return {ctx.b().add("stop_gradient", {ctx.inputs()[0]})};
}

/// The objective's and metrics' view of a layer: one number per sample.
std::vector<graph::ValueId> lower_evaluation(LowerContext& ctx) {
  const tensor::Shape dims = sample_dims(ctx, 0);
  if (dims.num_elements() != 1) {
    refuse("not-a-scalar", fmt::format("evaluates one number per sample, not {}", dims.to_string()), "", "",
           parent_notes(ctx));
  }
  return {ctx.inputs()[0]};
}

std::vector<graph::ValueId> lower_same(LowerContext& ctx) { return {ctx.inputs()[0]}; }

std::vector<graph::ValueId> lower_identity_zero(LowerContext& ctx) {
  if (!ctx.frozen()) return {ctx.inputs()[0]};
  ops::Builder& b = ctx.b();
  return {b.fill(0, b.spec(ctx.inputs()[0]))};
}

std::vector<graph::ValueId> lower_uniform_hash(LowerContext& ctx) {
  return {ctx.b().ewise("uniform_hash", {ctx.inputs()[0]})};
}

}  // namespace

std::vector<LayerDef> control_layers() {
  return {{"weights_layer", "weights as values, the same for every sample", 0, 0, 1, lower_weights_layer},
          {"rowwise_weights_norms", "lengths of the rows of another layer's weights", 0, 0, 1,
           lower_rowwise_weights_norms},
          {"mini_batch_size", "number of samples of the step", 0, 0, 0, lower_mini_batch_size},
          {"mini_batch_index", "number of the sample in the step", 0, 0, 0, lower_mini_batch_index},
          {"stop_gradient", "y = x, no gradient", 1, 1, 0, lower_stop_gradient},
          {"evaluation", "one number per sample, for objective and metrics", 1, 1, 0, lower_evaluation},
          {"dummy", "takes a value that nobody needs", 1, 1, 0, lower_same},
          {"identity_zero", "y = x, 0 where frozen", 1, 1, 0, lower_identity_zero},
          {"uniform_hash", "a reproducible number in [0, 1] per value", 1, 1, 0, lower_uniform_hash}};
}

}  // namespace lbann::layers
