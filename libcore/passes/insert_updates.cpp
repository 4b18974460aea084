// insert_updates: the optimizer becomes part of the graph. Each trainable weight with a gradient
// gets its state tensors as `weight` nodes of role "state" (named weight:state, lying like the
// weight), one `update` node, and assignments. Rates and other scalars come from the input
// `step_scalars`, which the host writes between steps.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {

void insert_updates(Compilation& c) {
  graph::Graph& g = c.graph;
  if (c.gradients.empty()) return;
  if (c.expose_gradients) {
    for (const auto& [w, gradient] : c.gradients) {
      g.outputs.push_back({"gradient:" + g.producer(w).attrs.get_text("name"), gradient});
    }
    c.gradients.clear();
    return;
  }
  ops::Builder b(g);
  b.set_origin(g.add_origin({"<optimizer>", "", {}}));
  b.set_phase(graph::Phase::update);
  b.redistribute_operands();
  const graph::ValueId scalars =
      b.input("step_scalars", {tensor::DataType::f64, tensor::Shape{c.num_step_scalars}, {}});
  graph::ValueId commit = graph::none;
  for (const graph::Output& o : g.outputs) {
    if (o.name == "commit") commit = o.value;
  }
  const auto find_rule = [&](const std::string& name) -> const TrainableWeight* {
    for (const TrainableWeight& w : c.trainable) {
      if (w.name == name) return &w;
    }
    return nullptr;
  };
  const auto gradients = c.gradients;
  for (const auto& [w, gradient] : gradients) {
    const std::string name = g.producer(w).attrs.get_text("name");
    const TrainableWeight* rule = find_rule(name);
    if (rule == nullptr) {
      throw base::Error(base::ExitCode::internal, fmt::format("no update rule for weight '{}'", name));
    }
    const tensor::TensorSpec spec = g.value(w).spec;
    std::vector<graph::ValueId> operands{w, gradient};
    std::vector<graph::ValueId> targets{w};
    for (const std::string& state : rule->states) {
      const graph::ValueId s = b.weight(name + ":" + state, spec, "state");
      g.node(g.value(s).producer).attrs.set("of", name);
      operands.push_back(s);
      targets.push_back(s);
    }
    operands.push_back(scalars);
    if (commit != graph::none) operands.push_back(commit);
    const std::vector<graph::ValueId> updated =
        b.add_n("update", operands,
                {{"rule", rule->rule},
                 {"slot", std::int64_t{rule->slot}},
                 {"commit", std::int64_t{commit != graph::none ? 1 : 0}}});
    for (std::size_t i = 0; i < targets.size(); ++i) {
      g.assignments.push_back({targets[i], b.redistribute(updated[i], b.spec(targets[i]).placement)});
    }
  }
  c.gradients.clear();
}

}  // namespace lbann::passes
