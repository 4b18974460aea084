// The optimizer rules of the `update` primitive: how many states and step scalars each has.
// Their formulas stand in docs/primitives.md.
#pragma once

#include <span>
#include <string_view>

namespace lbann::ops {

struct UpdateRule {
  std::string_view name;
  int num_states;  // tensors like the weight
  int num_slots;   // step scalars, from `slot` on
  double flops_per_element;
};

/// nullptr: no such rule.
const UpdateRule* try_update_rule(std::string_view name);
std::span<const UpdateRule> all_update_rules();

}  // namespace lbann::ops
