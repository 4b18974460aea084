// fully_connected: y = W x + b for every sample, W [out,in].
//
// LBANN stores W column-major, so the linear order of the weights (value lists, saved files) is the row-major
// order of [in,out]: that is our tensor, and y[n,out] = x[n,in] w[in,out] needs no transposition.
// With `transpose` the stored matrix is [in,out] column-major = row-major [out,in], PyTorch's order.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_fully_connected(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::FullyConnected>(ctx);
  ops::Builder& b = ctx.b();
  if (!p.has_num_neurons()) refuse_missing("num_neurons", "num_neurons: 10, for example");
  check_range("num_neurons", p.num_neurons(), 1);
  const std::int64_t out = p.num_neurons(), in = sample_dims(ctx, 0).num_elements();

  WeightRequest w{"_linearity_weights", p.transpose() ? tensor::Shape{out, in} : tensor::Shape{in, out}};
  w.initializer.kind = DefaultInitializer::Kind::he_normal;
  w.fan_in = in;
  w.fan_out = out;
  w.matrix_height = p.transpose() ? in : out;
  std::vector<graph::ValueId> operands{flatten(b, ctx.inputs()[0]), ctx.weight(w)};
  if (p.has_bias()) operands.push_back(ctx.weight({"_bias_weights", {out}}));
  return {b.add("matmul", operands,
                {{"ta", std::int64_t{0}}, {"tb", std::int64_t{p.transpose()}}, {"act", std::string()}})};
}

}  // namespace

std::vector<LayerDef> fully_connected_layers() {
  return {{"fully_connected", "y = W x + b", 1, 1, 2, lower_fully_connected}};
}

}  // namespace lbann::layers
