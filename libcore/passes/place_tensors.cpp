// place_tensors: every value gets a placement on the mesh, forward through the graph.
//
// Data fields are sharded on the mini-batch over a data axis with more than one rank, weights are
// replicated; a primitive's placement rule says what follows. Where the rule refuses the operands
// as they lie, the partial and sharded ones are redistributed to replicated, which every primitive
// accepts. On a mesh of one rank everything is replicated and nothing is inserted.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using tensor::AxisPlacement;
using tensor::PlacementKind;

AxisPlacement on_axis(const tensor::Placement& p, std::size_t axis) {
  return axis < p.axes.size() ? p.axes[axis] : AxisPlacement{};
}

tensor::Placement normalised(std::vector<AxisPlacement> axes) {
  tensor::Placement p{std::move(axes)};
  return p.is_replicated() ? tensor::Placement{} : p;
}

/// Output placements of one node, or false where some axis refuses.
bool try_place(const Compilation& c, const graph::Node& n, std::vector<tensor::Placement>& result) {
  const graph::Graph& g = c.graph;
  const ops::OpDef& def = ops::op(n.op);
  std::vector<std::vector<AxisPlacement>> outputs(n.outputs.size());
  for (std::size_t axis = 0; axis < c.mesh.axes.size(); ++axis) {
    std::vector<AxisPlacement> inputs;
    bool all_replicated = true;
    for (graph::ValueId v : n.inputs) {
      inputs.push_back(on_axis(g.value(v).spec.placement, axis));
      all_replicated &= inputs.back().kind == PlacementKind::replicate;
    }
    std::vector<AxisPlacement> placed(n.outputs.size());
    if (!all_replicated && (!def.place || !def.place(g, n, inputs, placed))) return false;
    for (std::size_t o = 0; o < outputs.size(); ++o) outputs[o].push_back(placed[o]);
  }
  for (std::vector<AxisPlacement>& axes : outputs) result.push_back(normalised(std::move(axes)));
  return true;
}

}  // namespace

void place_tensors(Compilation& c) {
  graph::Graph& g = c.graph;
  ops::Builder b(g);
  const std::vector<graph::NodeId> order = g.order;
  for (graph::NodeId id : order) {
    const graph::Node n = g.node(id);
    if (n.op == "weight") continue;
    if (n.op == "input") {
      std::vector<AxisPlacement> axes;
      for (const tensor::MeshAxis& axis : c.mesh.axes) {
        const bool split = axis.name == "data" && axis.size > 1;
        axes.push_back(split ? AxisPlacement{PlacementKind::shard, 0} : AxisPlacement{});
      }
      g.value(n.outputs[0]).spec.placement = normalised(std::move(axes));
      continue;
    }
    std::vector<tensor::Placement> placements;
    if (!try_place(c, n, placements)) {
      b.set_origin(n.origin);
      b.set_phase(n.phase);
      for (std::size_t i = 0; i < n.inputs.size(); ++i) {
        if (g.value(n.inputs[i]).spec.placement.is_replicated()) continue;
        g.node(id).inputs[i] = b.add("redistribute", {n.inputs[i]}, {{"to", std::string("R")}});
      }
      placements.assign(n.outputs.size(), tensor::Placement{});
    }
    for (std::size_t o = 0; o < n.outputs.size(); ++o) {
      g.value(n.outputs[o]).spec.placement = placements[o];
    }
  }
  g.sort();
}

}  // namespace lbann::passes
