// pooling: maximum or mean of a sliding window, per channel. x [n,c,s..] -> y [n,c,o..].
// Padding never wins a maximum; `average` divides by the whole window, `average_no_pad` by what lies inside.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"
#include "layers/window.hpp"

namespace lbann::layers {
namespace {

/// A list (has_vectors) or its one-number form, each absent only where a default exists.
std::vector<std::int64_t> window_field(const std::string& field, bool vectors, bool has_one, std::int64_t one,
                                       const google::protobuf::RepeatedField<std::int64_t>& list, int rank,
                                       std::int64_t low) {
  const std::string name = vectors ? field : field + "_i";
  if (low > 0 && (vectors ? list.empty() : !has_one)) {
    refuse_missing(name, vectors ? "" : fmt::format("or has_vectors: true and a list '{}'", field));
  }
  const std::vector<std::int64_t> values =
      vectors ? std::vector<std::int64_t>(list.begin(), list.end()) : std::vector<std::int64_t>{one};
  return per_dim(name, values, rank, 0, low);
}

std::vector<graph::ValueId> lower_pooling(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Pooling>(ctx);
  std::string mode;
  if (p.pool_mode() == "max") mode = "max";
  if (p.pool_mode() == "average") mode = "avg";
  if (p.pool_mode() == "average_no_pad") mode = "avg_no_pad";
  if (p.pool_mode().empty()) {
    refuse_missing("pool_mode", "max, average or average_no_pad");
  }
  if (mode.empty()) refuse_word("pool_mode", p.pool_mode(), {"max", "average", "average_no_pad"});

  const int rank = spatial_rank(ctx, p.num_dims());
  const bool lists = p.has_vectors();
  Window w;
  w.size = window_field("pool_dims", lists, p.has_pool_dims_i(), p.pool_dims_i(), p.pool_dims(), rank, 1);
  w.strides = window_field("pool_strides", lists, p.has_pool_strides_i(), p.pool_strides_i(),
                           p.pool_strides(), rank, 1);
  w.pads = window_field("pool_pads", lists, p.has_pool_pads_i(), p.pool_pads_i(), p.pool_pads(), rank, 0);
  w.dilations.assign(static_cast<std::size_t>(rank), 1);
  const std::string suffix = lists ? "" : "_i";
  check_window_fits(ctx, w, "pool_dims" + suffix);
  for (std::size_t d = 0; d < w.size.size(); ++d) {
    if (w.pads[d] < w.size[d]) continue;  // else windows without any entry of the input
    refuse("padding-too-wide",
           fmt::format("padding {} is not smaller than the window {} of spatial dim {}", w.pads[d], w.size[d],
                       d),
           "pool_pads" + suffix);
  }
  return {ctx.b().add("pool", {ctx.inputs()[0]},
                      {{"mode", mode}, {"window", w.size}, {"strides", w.strides}, {"pads", w.pads}})};
}

}  // namespace

std::vector<LayerDef> pooling_layers() {
  return {{"pooling", "maximum or mean of a sliding window", 1, 1, 0, lower_pooling}};
}

}  // namespace lbann::layers
