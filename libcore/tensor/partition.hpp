// How a sharded dim is cut: the piece of every rank along a mesh axis, and the box of a whole tensor that
// a rank holds.
//
//   a dim of b = extent / unit blocks over p ranks: rank i holds blocks [b i / p, b (i + 1) / p)
//
// Pieces are balanced to one block and may be empty. `unit` > 1 comes from dims that were merged by a
// reshape ([n,c] -> [n c] keeps the cuts of n as S0*c). Where two mesh axes shard one dim, the second
// cuts the pieces of the first.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/placement.hpp"
#include "tensor/shape.hpp"

namespace lbann::tensor {

/// Half-open.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t length() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// Piece `index` of `parts` of a dim. Throws base::Error (internal) when `unit` does not divide the extent.
Range cut(std::int64_t extent, std::int64_t unit, int parts, int index);
/// The lengths of all pieces.
std::vector<std::int64_t> cut_lengths(std::int64_t extent, std::int64_t unit, int parts);

/// What `rank` holds of a tensor of this shape, one range per dim.
std::vector<Range> local_box(const Shape& shape, const Placement& placement, const Mesh& mesh, int rank);
Shape local_shape(const Shape& shape, const Placement& placement, const Mesh& mesh, int rank);

}  // namespace lbann::tensor
