// Where a tensor lives on the ranks of a trainer: a mesh of ranks factored into named axes, and
// for every mesh axis one of replicate, shard(dim) or partial (the tensor is the sum over that
// axis). Descriptions only: no memory, no communication.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::tensor {

struct MeshAxis {
  std::string name;  // "data", "height", "channel", ...
  int size;
};

/// Ranks are numbered in C order of their coordinates, the first axis outermost.
struct Mesh {
  std::vector<MeshAxis> axes{{"data", 1}};
  int num_ranks() const;
  int coordinate(int rank, int axis) const;
  /// The ranks that differ from `rank` on this axis only, itself among them, by coordinate.
  std::vector<std::int64_t> group(int rank, int axis) const;
};

enum class PlacementKind { replicate, shard, partial };

struct AxisPlacement {
  PlacementKind kind = PlacementKind::replicate;
  int dim = -1;           // of a shard
  std::int64_t unit = 1;  // of a shard: cut points are multiples of it
  bool operator==(const AxisPlacement&) const = default;
};

/// One entry per mesh axis; no entries means replicated everywhere.
struct Placement {
  std::vector<AxisPlacement> axes;
  bool is_replicated() const;
  bool has_partial() const;
  /// "R", "S0", "S1*16" (cut in multiples of 16), "P"; several axes joined by a comma.
  std::string to_string() const;
  static Placement replicated() { return {}; }
  static Placement sharded(int dim) { return {{{PlacementKind::shard, dim}}}; }
  bool operator==(const Placement&) const = default;
};

/// Throws base::Error (internal) on malformed text.
Placement parse_placement(std::string_view text);

}  // namespace lbann::tensor
