// embedding: every entry of the input is an index, y = E[floor(x)], dims [in.., embedding_dim].
//
// The table E [num_embeddings, embedding_dim] is stored row-major. An index that is no row (negative,
// too large, not a number) gives zeros and no gradient; so does padding_idx, whose row is zeroed when
// the weights are made and therefore stays zero. The input has no gradient.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

/// Row of every entry; `none` reads as no row.
graph::ValueId row_index(ops::Builder& b, graph::ValueId x, std::int64_t none) {
  if (none < 0) return floor_to_index(b, x);
  const graph::ValueId is_none =
      b.ewise("eq", {b.ewise("floor", {x}), scalar_like(b, x, static_cast<double>(none))});
  return floor_to_index(b, b.ewise("where", {is_none, scalar_like(b, x, -1), x}));
}

std::vector<graph::ValueId> lower_embedding(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Embedding>(ctx);
  ops::Builder& b = ctx.b();
  if (!p.has_num_embeddings()) refuse_missing("num_embeddings", "num_embeddings: 1000, for example");
  if (!p.has_embedding_dim()) refuse_missing("embedding_dim", "embedding_dim: 64, for example");
  check_range("num_embeddings", p.num_embeddings(), 1);
  check_range("embedding_dim", p.embedding_dim(), 1);
  std::int64_t padding = -1;
  if (p.has_padding_idx()) {
    padding = p.padding_idx().value();
    if (padding < 0 || padding >= p.num_embeddings()) {
      refuse("padding-index-range",
             fmt::format("padding_idx = {}, but the {} embeddings have the indices 0 to {}", padding,
                         p.num_embeddings(), p.num_embeddings() - 1),
             "padding_idx");
    }
  }
  WeightRequest w{"_weights", {p.num_embeddings(), p.embedding_dim()}};
  w.initializer.kind = DefaultInitializer::Kind::normal;
  w.zero_row = padding;
  const graph::ValueId x = b.add("stop_gradient", {ctx.inputs()[0]});
  return {b.add("gather", {ctx.weight(w), row_index(b, x, padding)})};
}

}  // namespace

std::vector<LayerDef> embedding_layers() {
  return {{"embedding", "one row of a table per index", 1, 1, 1, lower_embedding}};
}

}  // namespace lbann::layers
