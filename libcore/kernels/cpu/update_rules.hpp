// The update rules that cpu.update and cpu.update_rows look up by name. Private to kernels/cpu.
#pragma once

#include <string>

#include "kernels/cpu/loops.hpp"
#include "kernels/node_view.hpp"
#include "kernels/shared/update_bodies.hpp"

namespace lbann::kernels::cpu {

struct UpdateRule {
  const char* name = nullptr;
  int num_states = 0;
  void (*prepare)(const double* slot, double* h) = nullptr;
};

template <class Body>
constexpr UpdateRule update_rule_of() {
  return {Body::name, Body::num_states, &Body::prepare};
}

// In the order of Loops::update.
inline constexpr UpdateRule update_rules[] = {
    update_rule_of<shared::Sgd>(),     update_rule_of<shared::Momentum>(), update_rule_of<shared::Nesterov>(),
    update_rule_of<shared::Adagrad>(), update_rule_of<shared::Rmsprop>(),  update_rule_of<shared::Adam>()};

/// Position in update_rules of the node's rule; refuses an unknown one and a wrong number of outputs.
inline std::size_t find_update_rule(const NodeView& v) {
  const std::string& name = v.n.attrs.get_text("rule");
  for (std::size_t i = 0; i < std::size(update_rules); ++i) {
    if (name != update_rules[i].name) continue;
    if (v.num_outputs() != 1 + update_rules[i].num_states) v.refuse("wrong number of states");
    return i;
  }
  v.refuse("unknown rule '" + name + "'");
}

}  // namespace lbann::kernels::cpu
