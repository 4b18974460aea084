// Cut points and boxes: see partition.hpp.
#include "tensor/partition.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::tensor {

Range cut(std::int64_t extent, std::int64_t unit, int parts, int index) {
  if (unit < 1 || extent % unit != 0) {
    throw base::Error(base::ExitCode::internal,
                      fmt::format("extent {} cannot be cut in multiples of {}", extent, unit));
  }
  const std::int64_t blocks = extent / unit;
  return {blocks * index / parts * unit, blocks * (index + 1) / parts * unit};
}

std::vector<std::int64_t> cut_lengths(std::int64_t extent, std::int64_t unit, int parts) {
  std::vector<std::int64_t> lengths;
  for (int i = 0; i < parts; ++i) lengths.push_back(cut(extent, unit, parts, i).length());
  return lengths;
}

std::vector<Range> local_box(const Shape& shape, const Placement& placement, const Mesh& mesh, int rank) {
  std::vector<Range> box;
  for (std::int64_t extent : shape.dims()) box.push_back({0, extent});
  for (std::size_t a = 0; a < placement.axes.size(); ++a) {
    const AxisPlacement& p = placement.axes[a];
    if (p.kind != PlacementKind::shard) continue;
    Range& range = box[static_cast<std::size_t>(p.dim)];
    const int axis = static_cast<int>(a);
    const Range piece = cut(range.length(), p.unit, mesh.axes[a].size, mesh.coordinate(rank, axis));
    range = {range.begin + piece.begin, range.begin + piece.end};
  }
  return box;
}

Shape local_shape(const Shape& shape, const Placement& placement, const Mesh& mesh, int rank) {
  std::vector<std::int64_t> dims;
  for (const Range& range : local_box(shape, placement, mesh, rank)) dims.push_back(range.length());
  return Shape(std::move(dims));
}

}  // namespace lbann::tensor
