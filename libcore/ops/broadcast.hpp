// Broadcasting as ewise and fused_ewise know it: equal ranks, each dim equal or 1. Internal to ops/.
#pragma once

#include <span>
#include <string_view>

#include "ops/rules.hpp"

namespace lbann::ops {

/// The common shape. Refuses with "rank-mismatch" or "broadcast-extents".
Dims infer_broadcast(std::string_view op, std::span<const tensor::TensorSpec> in);
/// Operands without P: all adopt one S(d), those of extent 1 in d are replicated.
bool place_broadcast(const graph::Graph& g, const graph::Node& n, std::span<const tensor::AxisPlacement> in,
                     AxisPlacements& out);

}  // namespace lbann::ops
