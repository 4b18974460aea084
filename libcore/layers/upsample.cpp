// upsample: every entry repeated along each spatial dim. x [n,c,s..] -> y [n,c,s f..],
// y[c,i,j] = x[c, i / f0, j / f1].
#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"
#include "layers/window.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_upsample(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Upsample>(ctx);
  if (p.upsample_mode().empty()) refuse_missing("upsample_mode", "nearest");
  if (p.upsample_mode() != "nearest") refuse_word("upsample_mode", p.upsample_mode(), {"nearest"});
  const int rank = spatial_rank(ctx, p.num_dims());
  const std::string field = p.has_vectors() ? "scale_factors" : "scale_factors_i";
  if (p.has_vectors() ? p.scale_factors().empty() : !p.has_scale_factors_i()) refuse_missing(field);
  const std::vector<std::int64_t> list =
      p.has_vectors() ? std::vector<std::int64_t>(p.scale_factors().begin(), p.scale_factors().end())
                      : std::vector<std::int64_t>{p.scale_factors_i()};
  const std::vector<std::int64_t> factors = per_dim(field, list, rank, 1, 1);
  ops::Builder& b = ctx.b();
  const tensor::Shape in = b.shape(ctx.inputs()[0]);
  // [n,c,s0,1,s1,1..] broadcast to [n,c,s0,f0,s1,f1..]
  std::vector<std::int64_t> apart{in[0], in[1]}, repeated = apart, joined = apart;
  for (std::size_t d = 0; d < factors.size(); ++d) {
    const std::int64_t extent = in[static_cast<int>(d) + 2];
    apart.insert(apart.end(), {extent, 1});
    repeated.insert(repeated.end(), {extent, factors[d]});
    joined.push_back(extent * factors[d]);
  }
  const graph::ValueId x = b.reshape(ctx.inputs()[0], tensor::Shape(apart));
  return {b.reshape(b.expand(x, tensor::Shape(repeated)), tensor::Shape(joined))};
}

}  // namespace

std::vector<LayerDef> upsample_layers() {
  return {{"upsample", "every entry repeated along each spatial dim", 1, 1, 0, lower_upsample}};
}

}  // namespace lbann::layers
