// One optimizer step of one weight:
//
//   update {rule, slot, commit}        w, g, states.., step_scalars f64[k] (, commit f32[1]) -> w', states'..
//   update {.., product = 1}           w[m,n], x[k,m], dy[k,n], states.., .. : g is x^T dy
//   update_rows {rule, slot, commit}   w[v,d], idx i64[..], g[..,d], states.., step_scalars (, commit)
//
// The last one changes only the rows that idx names, each once, by the sum of its entries of g.
// Rules, slots and formulas: docs/primitives.md. The rules' names, states and slots are here once, for
// whoever builds updates too. Placement of `update`: like the weight; scalars and the flag replicated.
#include <algorithm>

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

// Operands from `first` on are states, step scalars and the flag; the results are w' and states'.
Specs infer_tail(std::string_view op, const graph::Attrs& attrs, std::span<const TensorSpec> in,
                 std::size_t first) {
  const UpdateRule& rule = rule_of(attrs);
  const std::size_t at_scalars = first + static_cast<std::size_t>(rule.num_states);
  const std::size_t arity = at_scalars + 1 + (has_commit(attrs) ? 1 : 0);
  if (in.size() != arity) {
    fail(fmt::format("{} {}: {} operands, expected {}", op, rule.name, in.size(), arity));
  }
  check_floating(op, in[0]);
  Specs out{make_spec(in[0].type, in[0].shape.dims())};
  for (std::size_t i = first; i < at_scalars; ++i) {
    const std::string name = fmt::format("state {}", i - first);
    check_shape(op, name, in[i], in[0].shape);
    check_type(op, name, in[i], in[0].type);
    out.push_back(out.front());
  }
  const TensorSpec& scalars = in[at_scalars];
  check_type(op, "step scalars", scalars, tensor::DataType::f64);
  const std::int64_t slot = attrs.get_int("slot");
  if (scalars.shape.rank() != 1 || slot < 0 || slot > scalars.shape[0] - rule.num_slots) {
    fail(fmt::format("{} {}: {} slots from {} on do not fit into step scalars {}", op, rule.name,
                     rule.num_slots, slot, scalars.shape.to_string()));
  }
  if (has_commit(attrs)) {
    check_shape(op, "commit", in.back(), {1});
    check_type(op, "commit", in.back(), tensor::DataType::f32);
  }
  return out;
}

bool has_product(const graph::Attrs& attrs) { return attrs.get_int("product", 0) != 0; }

// The gradient is the product of operands 1, transposed, and 2.
Specs infer_product_update(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  Specs out = infer_tail("update", attrs, in, 3);
  if (in[0].shape.rank() != 2 || in[1].shape.rank() != 2) {
    refuse("rank-mismatch", fmt::format("update by a product: weight {} and operand {} are no matrices",
                                        in[0].shape.to_string(), in[1].shape.to_string()));
  }
  const std::int64_t k = in[1].shape[0];
  check_shape("update", "product's first operand", in[1], {k, in[0].shape[0]});
  check_shape("update", "product's second operand", in[2], {k, in[0].shape[1]});
  for (std::size_t i = 1; i < 3; ++i) check_type("update", "product's operand", in[i], in[0].type);
  return out;
}

Specs infer_update(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  if (has_product(attrs)) return infer_product_update(attrs, in);
  Specs out = infer_tail("update", attrs, in, 2);
  check_shape("update", "gradient", in[1], in[0].shape);
  check_type("update", "gradient", in[1], in[0].type);
  return out;
}

Specs infer_update_rows(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  Specs out = infer_tail("update_rows", attrs, in, 3);
  if (in[0].shape.rank() != 2) {
    refuse("rank-mismatch", fmt::format("update_rows: weight {} has rank {}, expected 2",
                                        in[0].shape.to_string(), in[0].shape.rank()));
  }
  check_type("update_rows", "index", in[1], tensor::DataType::i64);
  Dims rows = in[1].shape.dims();
  rows.push_back(in[0].shape[1]);
  check_shape("update_rows", "gradient", in[2], tensor::Shape(rows));
  check_type("update_rows", "gradient", in[2], in[0].type);
  return out;
}

bool place_update(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  if (has_product(
          n.attrs)) {  // made when operands are placed: a product over a sharded batch would be partial
    for (AxisPlacement& p : out) p = replicate;
    return std::all_of(in.begin(), in.end(), [](const AxisPlacement& p) { return is_replicated(p); });
  }
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
  def.max_inputs = 7;
  def.infer = infer_update;
  def.vjp = vjp_refuse;
  def.place = place_update;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    const double product = has_product(n.attrs) ? 2 * static_cast<double>(g.shape(n.inputs[1])[0]) : 0;
    return (product + rule_of(n.attrs).flops_per_element) * elements(g, n.inputs[0]);
  };
  return def;
}

OpDef make_update_rows_op() {
  OpDef def;
  def.name = "update_rows";
  def.min_inputs = 4;
  def.max_inputs = 7;
  def.infer = infer_update_rows;
  def.vjp = vjp_refuse;
  // One more operation per entry than `update`: the sum over equal indices.
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    return (1 + rule_of(n.attrs).flops_per_element) * elements(g, n.inputs[2]);
  };
  def.bytes = [](const graph::Graph& g, const graph::Node& n) {
    const double tensors = 1 + rule_of(n.attrs).num_states;
    return spec_bytes(g, n.inputs[1]) + (1 + 2 * tensors) * spec_bytes(g, n.inputs[2]);
  };
  return def;
}

}  // namespace lbann::ops
