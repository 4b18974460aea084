// Entrywise combinations of any number of parents with equal dims:
// sum y = sum x_i, weighted_sum y = sum a_i x_i, hadamard y = prod x_i (gradients as products of the
// others, so right at zeros). Folded from the left: the order of additions is the order of parents.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

graph::ValueId fold(LowerContext& ctx, std::string_view fn, const std::vector<graph::ValueId>& terms) {
  graph::ValueId y = terms.front();
  for (std::size_t i = 1; i < terms.size(); ++i) y = ctx.b().ewise(fn, {y, terms[i]});
  return y;
}

std::vector<graph::ValueId> lower_sum(LowerContext& ctx) {
  check_equal_dims(ctx);
  return {fold(ctx, "add", {ctx.inputs().begin(), ctx.inputs().end()})};
}

std::vector<graph::ValueId> lower_hadamard(LowerContext& ctx) {
  check_equal_dims(ctx);
  return {fold(ctx, "mul", {ctx.inputs().begin(), ctx.inputs().end()})};
}

std::vector<graph::ValueId> lower_weighted_sum(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::WeightedSum>(ctx);
  check_equal_dims(ctx);
  const std::size_t n = ctx.inputs().size();
  if (static_cast<std::size_t>(p.scaling_factors_size()) != n) {
    refuse("list-length", fmt::format("{} scaling factors for {} parents", p.scaling_factors_size(), n),
           "scaling_factors");
  }
  std::vector<graph::ValueId> terms;
  for (std::size_t i = 0; i < n; ++i) {
    terms.push_back(ctx.b().scale(ctx.inputs()[i], p.scaling_factors(static_cast<int>(i))));
  }
  return {fold(ctx, "add", terms)};
}

}  // namespace

std::vector<LayerDef> combine_layers() {
  return {{"sum", "sum of the parents", 1, -1, 0, lower_sum},
          {"weighted_sum", "sum of the parents times scaling_factors", 1, -1, 0, lower_weighted_sum},
          {"hadamard", "entrywise product of the parents", 1, -1, 0, lower_hadamard}};
}

}  // namespace lbann::layers
