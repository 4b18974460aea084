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
      std::from_chars(item.data() + 1, item.data() + item.size(), axis.dim);
    } else if (item != "R") {
      throw base::Error(base::ExitCode::internal, fmt::format("malformed placement '{}'", item));
    }
    placement.axes.push_back(axis);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return placement;
}

}  // namespace lbann::tensor
