// differentiate: reverse-mode differentiation as a graph transformation.
//
// The seed is d objective = 1. Nodes are visited in reverse order; a node whose outputs carry a
// cotangent asks its primitive's vjp rule for those of its inputs, of which only the ones upstream
// of a trainable weight are wanted. Several contributions to one value are added in the order in
// which they appear, which fixes the bits.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

/// Values that depend on a trainable weight through differentiable types.
std::vector<bool> find_active(const graph::Graph& g, const std::vector<TrainableWeight>& trainable) {
  std::vector<bool> active(g.values.size(), false);
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    bool on = false;
    if (n.op == "weight") {
      on = std::any_of(trainable.begin(), trainable.end(),
                       [&](const TrainableWeight& w) { return w.name == n.attrs.get_text("name"); });
    } else if (ops::op(n.op).vjp) {
      on = std::any_of(n.inputs.begin(), n.inputs.end(),
                       [&](graph::ValueId v) { return active[static_cast<std::size_t>(v)]; });
    }
    for (graph::ValueId v : n.outputs) {
      active[static_cast<std::size_t>(v)] = on && tensor::is_floating(g.value(v).spec.type);
    }
  }
  return active;
}

}  // namespace

void differentiate(Compilation& c) {
  graph::Graph& g = c.graph;
  const auto objective = std::find_if(g.outputs.begin(), g.outputs.end(),
                                      [](const graph::Output& o) { return o.name == "objective"; });
  c.gradients.clear();
  if (objective == g.outputs.end()) return;
  const std::vector<bool> active = find_active(g, c.trainable);
  const graph::ValueId loss = objective->value;
  if (!active[static_cast<std::size_t>(loss)]) return;

  ops::Builder b(g);
  b.set_phase(graph::Phase::backward);
  b.redistribute_operands();
  std::vector<graph::ValueId> cotangent(g.values.size(), graph::none);
  b.set_origin(g.producer(loss).origin);
  cotangent[static_cast<std::size_t>(loss)] = b.fill(1.0, g.value(loss).spec);

  const std::vector<graph::NodeId> forward = g.order;
  for (auto it = forward.rbegin(); it != forward.rend(); ++it) {
    const graph::Node n = g.node(*it);
    if (n.op == "weight" || n.op == "input" || n.inputs.empty()) continue;
    std::vector<graph::ValueId> flowing;
    for (graph::ValueId v : n.outputs) {
      const bool from_forward = static_cast<std::size_t>(v) < cotangent.size();
      flowing.push_back(from_forward ? cotangent[static_cast<std::size_t>(v)] : graph::none);
    }
    std::vector<bool> needs;
    for (graph::ValueId v : n.inputs) {
      needs.push_back(static_cast<std::size_t>(v) < active.size() && active[static_cast<std::size_t>(v)]);
    }
    const bool any_flow = std::any_of(flowing.begin(), flowing.end(), [](int v) { return v != graph::none; });
    const bool any_need = std::any_of(needs.begin(), needs.end(), [](bool x) { return x; });
    const ops::OpDef& def = ops::op(n.op);
    if (!any_flow || !any_need || !def.vjp) continue;

    b.set_origin(n.origin);
    ops::VjpArgs args{b, n, std::move(flowing), std::move(needs)};
    const std::vector<graph::ValueId> back = def.vjp(args);
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (back[i] == graph::none || !args.needs[i]) continue;
      graph::ValueId& sum = cotangent[static_cast<std::size_t>(n.inputs[i])];
      sum = sum == graph::none ? back[i] : b.add2(sum, back[i]);
    }
  }
  std::vector<std::pair<graph::ValueId, graph::ValueId>> final_gradients;
  for (graph::NodeId id : forward) {
    const graph::Node& n = g.node(id);
    if (n.op != "weight" || !active[static_cast<std::size_t>(n.outputs[0])]) continue;
    const graph::ValueId gradient = cotangent[static_cast<std::size_t>(n.outputs[0])];
    if (gradient != graph::none) final_gradients.emplace_back(n.outputs[0], gradient);
  }
  // A gradient is final where its weight lies; what sums it over the ranks may travel with others.
  for (auto& [weight, gradient] : final_gradients) {
    b.set_origin(g.producer(weight).origin);
    const graph::ValueId placed = b.redistribute(gradient, g.value(weight).spec.placement);
    if (placed != gradient) g.node(g.value(placed).producer).attrs.set("gradient", std::int64_t{1});
    c.gradients.emplace(weight, placed);
  }
}

}  // namespace lbann::passes
