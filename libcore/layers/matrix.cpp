// Products with the last dims of a sample: matmul of two parents, channelwise_fully_connected (one matrix
// for all channels), and permute, which brings dims into place for them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

/// y = op(a) op(b) per sample: [m,k] [k,n], or with a leading dim that both have, one product for each.
std::vector<graph::ValueId> lower_matmul(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::MatMul>(ctx);
  const tensor::Shape a = sample_dims(ctx, 0), b = sample_dims(ctx, 1);
  if (a.rank() != b.rank() || a.rank() < 2 || a.rank() > 3) {
    refuse("matmul-dims",
           fmt::format("takes two matrices or two stacks of matrices (2 or 3 dims each), not {} and {}",
                       a.to_string(), b.to_string()),
           "", "", parent_notes(ctx));
  }
  const int last = a.rank() - 1;
  const std::int64_t a_inner = a[p.transpose_a() ? last - 1 : last],
                     b_inner = b[p.transpose_b() ? last : last - 1];
  if (a_inner != b_inner) {
    refuse("matmul-inner",
           fmt::format("inner extents {} and {} differ: {}{} times {}{}", a_inner, b_inner, a.to_string(),
                       p.transpose_a() ? " transposed" : "", b.to_string(),
                       p.transpose_b() ? " transposed" : ""),
           "", "", parent_notes(ctx));
  }
  if (last == 2 && a[0] != b[0]) {
    refuse("matmul-batch", fmt::format("stacks of {} and {} matrices", a[0], b[0]), "", "",
           parent_notes(ctx));
  }
  return {ctx.b().add("matmul", {ctx.inputs()[0], ctx.inputs()[1]},
                      {{"ta", std::int64_t{p.transpose_a()}},
                       {"tb", std::int64_t{p.transpose_b()}},
                       {"act", std::string()}})};
}

/// y[c] = W vec(x[c]) + b with the same W for every index c of dim 0. W is stored as fully_connected's.
std::vector<graph::ValueId> lower_channelwise_fully_connected(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::ChannelwiseFullyConnected>(ctx);
  ops::Builder& b = ctx.b();
  const tensor::Shape in_dims = sample_dims(ctx, 0);
  if (in_dims.rank() < 2) {
    refuse("input-dims", fmt::format("needs channels and at least one dim more, not {}", in_dims.to_string()),
           "", "", parent_notes(ctx));
  }
  const bool has_bias = !p.has_bias() || p.bias().value();
  if (ctx.num_listed_weights() > (has_bias ? 2 : 1)) {
    refuse("too-many-weights",
           fmt::format("{} weights listed, holds {}", ctx.num_listed_weights(), has_bias ? 2 : 1));
  }
  std::vector<std::int64_t> out_dims;
  for (const std::uint64_t d : p.output_channel_dims()) {
    const auto extent = static_cast<std::int64_t>(std::min<std::uint64_t>(d, 1ull << 62));
    check_range("output_channel_dims", extent, 1);
    out_dims.push_back(extent);
  }
  if (out_dims.empty()) out_dims.push_back(1);
  const std::int64_t channels = in_dims[0], in = in_dims.num_elements() / channels;
  const std::int64_t out = tensor::Shape(out_dims).num_elements();
  const bool transpose = p.transpose().value();

  WeightRequest w{"_linearity_weights", transpose ? tensor::Shape{out, in} : tensor::Shape{in, out}};
  w.initializer.kind = DefaultInitializer::Kind::he_normal;
  w.fan_in = in;
  w.fan_out = out;
  w.matrix_height = transpose ? in : out;
  std::vector<graph::ValueId> operands{b.reshape(ctx.inputs()[0], {ctx.batch() * channels, in}),
                                       ctx.weight(w)};
  if (has_bias) operands.push_back(ctx.weight({"_bias_weights", {out}}));
  const graph::ValueId y = b.add(
      "matmul", operands, {{"ta", std::int64_t{0}}, {"tb", std::int64_t{transpose}}, {"act", std::string()}});
  std::vector<std::int64_t> dims{ctx.batch(), channels};
  dims.insert(dims.end(), out_dims.begin(), out_dims.end());
  return {b.reshape(y, tensor::Shape(dims))};
}

/// Dim i of the result is dim axes[i] of the input; a list that is too short leaves the last dims in place.
std::vector<graph::ValueId> lower_permute(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::TensorPermute>(ctx);
  const int rank = sample_dims(ctx, 0).rank();
  std::vector<std::int64_t> axes(p.axes().begin(), p.axes().end());
  const std::vector<std::int64_t> given = axes;
  for (int d = p.axes_size(); d < rank; ++d) axes.push_back(d);
  std::vector<bool> seen(static_cast<std::size_t>(rank), false);
  for (const std::int64_t axis : axes) {
    if (axis >= rank || seen[static_cast<std::size_t>(axis)]) {
      refuse("axes-permutation",
             fmt::format("axes = [{}] is no permutation of 0 to {}", fmt::join(given, ", "), rank - 1),
             "axes", "", parent_notes(ctx));
    }
    seen[static_cast<std::size_t>(axis)] = true;
  }
  std::vector<std::int64_t> perm{0};
  for (const std::int64_t axis : axes) perm.push_back(axis + 1);
  return {ctx.b().permute(ctx.inputs()[0], perm)};
}

}  // namespace

std::vector<LayerDef> matrix_layers() {
  return {{"matmul", "product of two matrices, or of stacks of them", 2, 2, 0, lower_matmul},
          {"channelwise_fully_connected", "y = W x + b in every channel", 1, 1, 2,
           lower_channelwise_fully_connected},
          {"permute", "dims in another order", 1, 1, 0, lower_permute}};
}

}  // namespace lbann::layers
