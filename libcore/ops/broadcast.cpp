// Broadcast shapes and their placement.
#include "ops/broadcast.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lbann::ops {

Dims infer_broadcast(std::string_view op, std::span<const tensor::TensorSpec> in) {
  Dims dims = in[0].shape.dims();
  for (const tensor::TensorSpec& spec : in) {
    if (spec.shape.rank() != static_cast<int>(dims.size())) {
      refuse("rank-mismatch",
             fmt::format("{}: operands {} and {} have ranks {} and {}", op, in[0].shape.to_string(),
                         spec.shape.to_string(), dims.size(), spec.shape.rank()));
    }
    for (std::size_t d = 0; d < dims.size(); ++d) {
      const std::int64_t extent = spec.shape[static_cast<int>(d)];
      if (extent == dims[d] || extent == 1) continue;
      if (dims[d] != 1) {
        refuse("broadcast-extents",
               fmt::format("{}: extents {} and {} differ in dim {} of {} and {}", op, dims[d], extent, d,
                           in[0].shape.to_string(), spec.shape.to_string()));
      }
      dims[d] = extent;
    }
  }
  return dims;
}

bool place_broadcast(const graph::Graph& g, const graph::Node& n, std::span<const tensor::AxisPlacement> in,
                     AxisPlacements& out) {
  tensor::AxisPlacement common = replicate;
  for (const tensor::AxisPlacement& p : in) {
    if (is_partial(p)) return false;
    if (is_replicated(p)) continue;
    if (!is_replicated(common) && !(p == common)) return false;
    common = p;
  }
  if (!is_replicated(common)) {
    std::int64_t extent = 1;
    for (graph::ValueId v : n.inputs) {
      if (common.dim >= g.shape(v).rank()) return false;
      extent = std::max(extent, g.shape(v)[common.dim]);
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      const tensor::Shape& shape = g.shape(n.inputs[i]);
      // What is broadcast along the dim is everywhere, what is not lies as the result.
      const bool is_broadcast = shape[common.dim] == 1 && extent != 1;
      if (is_replicated(in[i]) ? shape[common.dim] != 1 : is_broadcast) return false;
    }
  }
  for (tensor::AxisPlacement& p : out) p = common;
  return true;
}

}  // namespace lbann::ops
