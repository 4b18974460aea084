// transform_gradients: what happens to gradients between backward and update, in this order:
// finite flag (committed schedule), then L2 terms (added after clipping in LBANN too: a clip never
// sees them). An L2 term adds scale * w to the gradient and scale/2 * sum w^2 to the objective,
// which counts all weights named, trainable or not. The objective of an evaluation counts them, too.
#include <algorithm>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

graph::Output* find_output(graph::Graph& g, std::string_view name) {
  for (graph::Output& o : g.outputs) {
    if (o.name == name) return &o;
  }
  return nullptr;
}

void add_finite_flag(Compilation& c, ops::Builder& b) {
  std::vector<graph::ValueId> checked;
  for (const auto& [weight, gradient] : c.gradients) checked.push_back(gradient);
  if (const graph::Output* objective = find_output(c.graph, "objective")) {
    checked.push_back(objective->value);
  }
  const graph::ValueId flag = b.add("all_finite", checked);
  c.graph.outputs.push_back({"commit", flag});
  // Running statistics follow the flag as well: a refused step leaves no trace.
  for (graph::Assignment& a : c.graph.assignments) {
    const tensor::Shape& shape = c.graph.shape(a.value);
    std::vector<std::int64_t> ones(static_cast<std::size_t>(shape.rank()), 1);
    graph::ValueId f = b.reshape(flag, tensor::Shape(ones));
    if (b.spec(f).type != b.spec(a.value).type) f = b.cast(f, b.spec(a.value).type);
    a.value = b.redistribute(b.ewise("where", {f, a.value, a.target}), b.spec(a.target).placement);
  }
}

void add_l2(Compilation& c, ops::Builder& b, const L2Term& term) {
  graph::Graph& g = c.graph;
  const graph::Output* sums_to = find_output(g, "objective");
  graph::ValueId total = graph::none;
  const std::vector<graph::NodeId> order = g.order;
  for (graph::NodeId id : order) {
    const graph::Node n = g.node(id);
    if (n.op != "weight" || n.attrs.get_text("role") == "state") continue;
    const std::string& name = n.attrs.get_text("name");
    if (!term.weights.empty() &&
        std::find(term.weights.begin(), term.weights.end(), name) == term.weights.end()) {
      continue;
    }
    const graph::ValueId w = n.outputs[0];
    std::vector<std::int64_t> axes;
    for (int d = 0; d < g.shape(w).rank(); ++d) axes.push_back(d);
    graph::ValueId sum = b.reduce("sum", b.ewise("square", {w}), axes);
    sum = b.scale(b.reshape(sum, tensor::Shape{1}), term.scale / 2);
    if (sums_to != nullptr) sum = b.cast(sum, b.spec(sums_to->value).type);  // weights may differ in type
    total = total == graph::none ? sum : b.add2(total, sum);
    const auto gradient = c.gradients.find(w);
    if (gradient != c.gradients.end()) {
      gradient->second = b.add2(gradient->second, b.scale(w, term.scale));
    }
  }
  if (total == graph::none) return;
  if (graph::Output* objective = find_output(g, "objective")) {
    const tensor::TensorSpec spec = b.spec(objective->value);
    objective->value = b.add2(objective->value, b.reshape(total, spec.shape));
  }
}

}  // namespace

void transform_gradients(Compilation& c) {
  const bool flag = c.training && c.commit == Commit::committed;
  if (!flag && c.l2_terms.empty()) return;
  ops::Builder b(c.graph);
  b.set_origin(c.graph.add_origin({"<objective>", "", {}}));
  b.set_phase(c.training ? graph::Phase::backward : graph::Phase::forward);
  b.redistribute_operands();
  if (flag) add_finite_flag(c, b);
  for (const L2Term& term : c.l2_terms) add_l2(c, b, term);
}

}  // namespace lbann::passes
