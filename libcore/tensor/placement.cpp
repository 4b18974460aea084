// Placement: predicates and the text form used in graph dumps.
#include "tensor/placement.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::tensor {

int Mesh::num_ranks() const {
  int n = 1;
  for (const MeshAxis& axis : axes) n *= axis.size;
  return n;
}

int Mesh::coordinate(int rank, int axis) const {
  for (std::size_t a = axes.size(); a-- > static_cast<std::size_t>(axis) + 1;) rank /= axes[a].size;
  return rank % axes[static_cast<std::size_t>(axis)].size;
}

std::vector<std::int64_t> Mesh::group(int rank, int axis) const {
  int stride = 1;
  for (std::size_t a = static_cast<std::size_t>(axis) + 1; a < axes.size(); ++a) stride *= axes[a].size;
  const int first = rank - coordinate(rank, axis) * stride;
  std::vector<std::int64_t> ranks;
  for (int i = 0; i < axes[static_cast<std::size_t>(axis)].size; ++i) ranks.push_back(first + i * stride);
  return ranks;
}

bool Placement::is_replicated() const {
  return std::all_of(axes.begin(), axes.end(),
                     [](const AxisPlacement& a) { return a.kind == PlacementKind::replicate; });
}

bool Placement::has_partial() const {
  return std::any_of(axes.begin(), axes.end(),
                     [](const AxisPlacement& a) { return a.kind == PlacementKind::partial; });
}

std::string Placement::to_string() const {
  if (axes.empty()) return "R";
  std::string text;
  for (const AxisPlacement& a : axes) {
    if (!text.empty()) text += ',';
    if (a.kind == PlacementKind::replicate) text += 'R';
    if (a.kind == PlacementKind::partial) text += 'P';
    if (a.kind == PlacementKind::shard) text += fmt::format("S{}", a.dim);
    if (a.kind == PlacementKind::shard && a.unit != 1) text += fmt::format("*{}", a.unit);
  }
  return text;
}

Placement parse_placement(std::string_view text) {
  Placement placement;
  if (text == "R") return placement;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    AxisPlacement axis;
    if (item == "P") {
      axis.kind = PlacementKind::partial;
    } else if (item.size() > 1 && item[0] == 'S') {
      axis.kind = PlacementKind::shard;
      const char* const end = item.data() + item.size();
      const char* at = std::from_chars(item.data() + 1, end, axis.dim).ptr;
      if (at != end && *at == '*') std::from_chars(at + 1, end, axis.unit);
    } else if (item != "R") {
      throw base::Error(base::ExitCode::internal, fmt::format("malformed placement '{}'", item));
    }
    placement.axes.push_back(axis);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return placement;
}

}  // namespace lbann::tensor
