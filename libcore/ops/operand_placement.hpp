// Where the operands of a node have to lie: the placement rule applied to whole placements, and the
// cheapest redistribution that makes it accept operands which it refuses as they lie.
#pragma once

#include <optional>
#include <vector>

#include "ops/op_def.hpp"

namespace lbann::ops {

/// Placements of the outputs for operands placed so, or nothing where the rule refuses some mesh axis.
/// Not for primitives that place themselves (redistribute, collectives).
std::optional<std::vector<tensor::Placement>> try_place(const graph::Graph& g, const graph::Node& n,
                                                        const std::vector<tensor::Placement>& operands);

/// Placements that the rule accepts (`n` needs as many outputs as it will have), as near as possible to those
/// the operands have: fewest bytes to move, where summing counts twice and dropping what others hold is free.
/// Everything replicated is always legal.
std::vector<tensor::Placement> choose_operand_placements(const graph::Graph& g, const graph::Node& n);

/// The same without replicated axes at its end: the one form that graphs have.
tensor::Placement normalised(tensor::Placement placement);

}  // namespace lbann::ops
