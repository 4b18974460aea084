// simplify: local rewrites that keep the value.
//
//   identity(x), scale(x; 1), reshape/expand/cast to the same spec  ->  x
//   scale(scale(x; a); b)                                           ->  scale(x; a b)
//   mul(x, fill(a))                                                 ->  scale(x; a)
//   f(x, expand(w))                                             ->  f(x, w)        f broadcasts by itself
//   xent(softmax(z), t)  ->  xent_log(log_softmax(z), t)      the stable form: log(0) cannot occur
//   log(softmax(z))      ->  log_softmax(z)                   likewise
//
// All but the last two keep every bit, or round once less.
#include <cmath>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

bool is_ewise(const Node& n, std::string_view fn) { return n.op == "ewise" && n.attrs.get_text("fn") == fn; }

/// The value that may stand for the node's only output, or none.
ValueId try_forward(const Graph& g, const Node& n) {
  if (n.inputs.size() != 1 || n.outputs.size() != 1) return graph::none;
  const ValueId x = n.inputs[0];
  const bool same = g.value(x).spec == g.value(n.outputs[0]).spec;
  if (!same) return graph::none;
  if (is_ewise(n, "identity")) return x;
  if (is_ewise(n, "scale") && n.attrs.get_real("a", 0) == 1.0) return x;
  if (n.op == "reshape" || n.op == "expand" || n.op == "cast") return x;
  return graph::none;
}

/// A constant operand: the value of a `fill`.
bool try_constant(const Graph& g, ValueId v, double& value) {
  const Node& n = g.producer(v);
  if (n.op == "expand") return try_constant(g, n.inputs[0], value);
  if (n.op != "fill") return false;
  value = n.attrs.get_real("value");
  return true;
}

bool fold_scales(Graph& g, NodeId id) {
  const Node n = g.node(id);
  if (is_ewise(n, "mul")) {
    for (int i = 0; i < 2; ++i) {
      double factor = 0;
      const ValueId other = n.inputs[static_cast<std::size_t>(1 - i)];
      if (try_constant(g, n.inputs[static_cast<std::size_t>(i)], factor) &&
          g.value(other).spec == g.value(n.outputs[0]).spec) {
        g.node(id).inputs = {other};
        g.node(id).attrs.set("fn", std::string("scale"));
        g.node(id).attrs.set("a", factor);
        return true;
      }
    }
  }
  if (is_ewise(n, "scale")) {
    const Node& before = g.producer(n.inputs[0]);
    if (is_ewise(before, "scale") && g.value(before.inputs[0]).spec == g.value(n.inputs[0]).spec) {
      g.node(id).attrs.set("a", n.attrs.get_real("a", 0) * before.attrs.get_real("a", 0));
      g.node(id).inputs = before.inputs;
      return true;
    }
  }
  return false;
}

/// Constants of constants: scale(fill), expand(fill) and reshape(fill) are fills.
bool fold_fill(Graph& g, NodeId id) {
  const Node n = g.node(id);
  double value = 0;
  const bool moves = n.op == "expand" || n.op == "reshape" || is_ewise(n, "identity");
  const bool scales = is_ewise(n, "scale");
  if ((!moves && !scales) || g.producer(n.inputs[0]).op != "fill" || !try_constant(g, n.inputs[0], value)) {
    return false;
  }
  const tensor::TensorSpec& spec = g.value(n.outputs[0]).spec;
  Node& target = g.node(id);
  target.op = "fill";
  if (scales) value *= n.attrs.get_real("a", 0);
  target.attrs = graph::Attrs{
      {"type", std::string(tensor::to_string(spec.type))}, {"dims", spec.shape.dims()}, {"value", value}};
  target.inputs.clear();
  return true;
}

/// Operands repeated along dims are read repeatedly instead, as long as another operand has the full shape.
bool absorb_expand(Graph& g, NodeId id) {
  const Node n = g.node(id);
  if (n.op != "ewise" || n.inputs.size() < 2) return false;
  const tensor::Shape& full = g.shape(n.outputs[0]);
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    const Node& before = g.producer(n.inputs[i]);
    if (before.op != "expand") continue;
    for (std::size_t k = 0; k < n.inputs.size(); ++k) {
      if (k == i || n.inputs[k] == n.inputs[i] || !(g.shape(n.inputs[k]) == full)) continue;
      g.node(id).inputs[i] = before.inputs[0];
      return true;
    }
  }
  return false;
}

/// log of softmax's entries, however they were moved, reshaped or picked out in between. An entry that
/// `gather` does not find is 0 before and after, so only a loss that ignores it may look through.
bool recognise_softmax_log(Graph& g, NodeId id) {
  const Node n = g.node(id);
  const bool is_loss = is_ewise(n, "xent");
  if (!is_loss && !is_ewise(n, "log")) return false;
  ValueId p = n.inputs[0];
  std::vector<NodeId> moves;
  while (true) {
    const Node& before = g.producer(p);
    if (before.op != "reshape" && before.op != "permute" && !(is_loss && before.op == "gather")) break;
    moves.push_back(g.value(p).producer);
    p = before.inputs[0];
  }
  const Node softmax = g.producer(p);
  if (softmax.op != "softmax" || softmax.attrs.get_int("log", 0) != 0) return false;
  ops::Builder b(g);
  b.set_origin(softmax.origin);
  b.set_phase(softmax.phase);
  graph::Attrs attrs = softmax.attrs;
  attrs.set("log", std::int64_t{1});
  ValueId lp = b.add("softmax", {softmax.inputs[0]}, attrs);
  for (auto it = moves.rbegin(); it != moves.rend(); ++it) {
    const Node move = g.node(*it);
    std::vector<ValueId> operands = move.inputs;
    operands[0] = lp;
    lp = b.add(move.op, operands, move.attrs);
  }
  g.node(id).inputs[0] = lp;
  g.node(id).attrs.set("fn", std::string(is_loss ? "xent_log" : "identity"));
  return true;
}

}  // namespace

void simplify(Compilation& c) {
  Graph& g = c.graph;
  bool changed = true;
  while (changed) {
    changed = false;
    const std::vector<NodeId> order = g.order;
    for (NodeId id : order) {
      if (g.node(id).dead) continue;
      const ValueId replacement = try_forward(g, g.node(id));
      if (replacement != graph::none) {
        const ValueId old = g.node(id).outputs[0];
        g.node(id).dead = true;
        g.replace_uses(old, replacement);
        for (auto& [weight, gradient] : c.gradients) {
          if (gradient == old) gradient = replacement;
        }
        changed = true;
        continue;
      }
      changed |=
          fold_scales(g, id) || fold_fill(g, id) || absorb_expand(g, id) || recognise_softmax_log(g, id);
    }
    g.sort();
    changed |= g.remove_unused() > 0;
    g.sort();
  }
  g.compact();
}

}  // namespace lbann::passes
