// update {rule, slot, commit}: one optimizer step of one weight.
//
//   w, g, states.., step_scalars f64[k] (, commit f32[1]) -> w', states'..
//
// Rules, slots and formulas: docs/primitives.md. The rules' names, states and slots are here once, for
// whoever builds updates too. Placement: like the weight; scalars and the flag replicated.
#include <fmt/format.h>

#include "ops/op_list.hpp"
#include "ops/rules.hpp"
#include "ops/update_rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

constexpr UpdateRule rules[] = {
    {"sgd", 0, 1, 2},     {"momentum", 1, 2, 4}, {"nesterov", 1, 2, 6},
    {"adagrad", 1, 2, 7}, {"rmsprop", 1, 3, 9},  {"adam", 2, 7, 16},
};

const UpdateRule& rule_of(const graph::Attrs& attrs) {
  const std::string& name = attrs.get_text("rule");
  const UpdateRule* rule = try_update_rule(name);
  if (rule == nullptr) fail(fmt::format("update: unknown rule '{}'", name));
  return *rule;
}

bool has_commit(const graph::Attrs& attrs) { return attrs.get_int("commit", 0) != 0; }

Specs infer_update(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const UpdateRule& rule = rule_of(attrs);
  const std::size_t num_tensors = 2 + static_cast<std::size_t>(rule.num_states);
  const std::size_t arity = num_tensors + 1 + (has_commit(attrs) ? 1 : 0);
  if (in.size() != arity)
    fail(fmt::format("update {}: {} operands, expected {}", rule.name, in.size(), arity));
  check_floating("update", in[0]);
  Specs out;
  for (std::size_t i = 0; i < num_tensors; ++i) {
    const std::string name = i == 1 ? "gradient" : fmt::format("state {}", i < 2 ? 0 : i - 2);
    check_shape("update", name, in[i], in[0].shape);
    check_type("update", name, in[i], in[0].type);
    if (i != 1) out.push_back(make_spec(in[0].type, in[0].shape.dims()));
  }
  const TensorSpec& scalars = in[num_tensors];
  check_type("update", "step scalars", scalars, tensor::DataType::f64);
  const std::int64_t slot = attrs.get_int("slot");
  if (scalars.shape.rank() != 1 || slot < 0 || slot > scalars.shape[0] - rule.num_slots) {
    fail(fmt::format("update {}: {} slots from {} on do not fit into step scalars {}", rule.name,
                     rule.num_slots, slot, scalars.shape.to_string()));
  }
  if (has_commit(attrs)) {
    check_shape("update", "commit", in.back(), {1});
    check_type("update", "commit", in.back(), tensor::DataType::f32);
  }
  return out;
}

bool place_update(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  const std::size_t num_tensors = 2 + static_cast<std::size_t>(rule_of(n.attrs).num_states);
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!(in[i] == (i < num_tensors ? in[0] : replicate))) return false;
  }
  for (AxisPlacement& p : out) p = in[0];
  return !is_partial(in[0]);
}

}  // namespace

const UpdateRule* try_update_rule(std::string_view name) {
  for (const UpdateRule& rule : rules) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

std::span<const UpdateRule> all_update_rules() { return rules; }

OpDef make_update_op() {
  OpDef def;
  def.name = "update";
  def.min_inputs = 3;
  def.max_inputs = 6;
  def.infer = infer_update;
  def.vjp = vjp_refuse;
  def.place = place_update;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    return rule_of(n.attrs).flops_per_element * elements(g, n.inputs[0]);
  };
  return def;
}

}  // namespace lbann::ops
