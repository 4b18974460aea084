// See window.hpp.
#include "layers/window.hpp"

#include <fmt/format.h>

#include "layers/helpers.hpp"

namespace lbann::layers {

int spatial_rank(LowerContext& ctx, std::int64_t num_dims) {
  const tensor::Shape in = sample_dims(ctx, 0);
  const int rank = in.rank() - 1;
  if (rank < 1 || rank > 3) {
    refuse(
        "spatial-dims",
        fmt::format("input {} has {} spatial dims, 1 to 3 are possible", in.to_string(), std::max(rank, 0)),
        "", "the input must be [channels, spatial dims...]; put a reshape before this layer",
        parent_notes(ctx));
  }
  if (num_dims != 0 && num_dims != rank) {
    refuse("num-dims",
           fmt::format("num_dims = {}, but the input {} has {} spatial dim{}", num_dims, in.to_string(), rank,
                       rank == 1 ? "" : "s"),
           "num_dims", "", parent_notes(ctx));
  }
  return rank;
}

std::vector<std::int64_t> per_dim(std::string_view field, const std::vector<std::int64_t>& list, int rank,
                                  std::int64_t fallback, std::int64_t low) {
  const auto n = static_cast<std::size_t>(rank);
  if (list.empty()) return std::vector<std::int64_t>(n, fallback);
  for (const std::int64_t v : list) check_range(field, v, low);
  if (list.size() == 1) return std::vector<std::int64_t>(n, list.front());
  if (list.size() != n) {
    refuse("list-length",
           fmt::format("{} has {} entries, the input has {} spatial dim{}", field, list.size(), rank,
                       rank == 1 ? "" : "s"),
           std::string(field));
  }
  return list;
}

void check_window_fits(LowerContext& ctx, const Window& w, std::string_view field) {
  const tensor::Shape in = sample_dims(ctx, 0);
  for (std::size_t d = 0; d < w.size.size(); ++d) {
    const std::int64_t extent = in[static_cast<int>(d) + 1] + 2 * w.pads[d];
    const std::int64_t reach = w.dilations[d] * (w.size[d] - 1) + 1;
    if (reach <= extent) continue;
    refuse("window-too-large",
           fmt::format("the window covers {} entries of spatial dim {}, the padded input has {}", reach, d,
                       extent),
           std::string(field), "", parent_notes(ctx));
  }
}

}  // namespace lbann::layers
