// place_tensors: every value gets a placement on the mesh, forward through the graph.
//
// Boundaries lie as `placements` says; what it does not name: data fields sharded on the mini-batch over the
// mesh axis "data", everything else replicated. A primitive's placement rule says what follows. Where the
// rule refuses the operands as they lie, they are redistributed by the cheapest moves that it accepts.
// `placements` may also name a value inside: "conv1#0" is the first one that layer conv1 makes; it is moved
// there once it is made. What leaves the step is replicated, new contents of a weight lie as the weight. On a
// mesh of one rank everything is replicated and nothing is inserted.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/operand_placement.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using tensor::AxisPlacement;
using tensor::Placement;
using tensor::PlacementKind;

/// Inputs that the host writes for all ranks alike.
bool is_host_scalars(const std::string& name) {
  return name == "random_state" || name == "random_scalars" || name == "step_scalars";
}

Placement boundary_placement(const Compilation& c, const graph::Node& n) {
  const std::string& name = n.attrs.get_text("name");
  const auto given = c.placements.find(name);
  if (given != c.placements.end()) return ops::normalised(given->second);
  if (n.op == "weight" || is_host_scalars(name) || c.graph.shape(n.outputs[0]).rank() == 0) return {};
  Placement p;
  for (const tensor::MeshAxis& axis : c.mesh.axes) {
    const bool split = axis.name == "data" && axis.size > 1;
    p.axes.push_back(split ? AxisPlacement{PlacementKind::shard, 0} : AxisPlacement{});
  }
  return ops::normalised(std::move(p));
}

void check_placement(const Compilation& c, graph::ValueId v, const std::string& name, const Placement& p) {
  const tensor::Shape& shape = c.graph.shape(v);
  bool legal = p.axes.size() <= c.mesh.axes.size();
  for (const AxisPlacement& a : p.axes) {
    if (a.kind != PlacementKind::shard) continue;
    legal = legal && a.dim >= 0 && a.dim < shape.rank() && a.unit > 0 && shape[a.dim] % a.unit == 0;
  }
  if (legal && !p.has_partial()) return;
  throw base::Error(base::ExitCode::internal,
                    fmt::format("'{}' of shape {} cannot lie {} on a mesh of {} axes", name,
                                shape.to_string(), p.to_string(), c.mesh.axes.size()));
}

/// Values of a layer that `placements` names are moved; `made` counts them.
void move_named_values(const Compilation& c, ops::Builder& b, const graph::Node& n,
                       std::map<int, int>& made) {
  graph::Graph& g = b.graph();
  const std::string& layer = g.origins[static_cast<std::size_t>(n.origin)].layer;
  for (graph::ValueId v : n.outputs) {
    const std::string name = fmt::format("{}#{}", layer, made[n.origin]++);
    const auto wish = c.placements.find(name);
    if (wish == c.placements.end()) continue;
    check_placement(c, v, name, wish->second);
    b.set_origin(n.origin);
    b.set_phase(n.phase);
    const std::size_t before = g.nodes.size();
    const graph::ValueId moved = b.redistribute(v, ops::normalised(wish->second));
    if (g.nodes.size() == before) continue;
    g.replace_uses(v, moved);
    g.node(g.value(moved).producer).inputs[0] = v;
  }
}

}  // namespace

void place_tensors(Compilation& c) {
  graph::Graph& g = c.graph;
  if (c.mesh.num_ranks() == 1) return;
  ops::Builder b(g);
  std::map<int, int> made;  // values by origin
  const std::vector<graph::NodeId> order = g.order;
  for (graph::NodeId id : order) {
    const graph::Node n = g.node(id);
    if (n.op == "weight" || n.op == "input") {
      const Placement p = boundary_placement(c, n);
      check_placement(c, n.outputs[0], n.attrs.get_text("name"), p);
      g.value(n.outputs[0]).spec.placement = p;
      continue;
    }
    if (n.inputs.empty() || ops::op(n.op).places_itself) continue;
    std::vector<Placement> operands;
    for (graph::ValueId v : n.inputs) operands.push_back(g.value(v).spec.placement);
    auto placed = ops::try_place(g, n, operands);
    if (!placed) {
      b.set_origin(n.origin);
      b.set_phase(n.phase);
      operands = ops::choose_operand_placements(g, n);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        g.node(id).inputs[i] = b.redistribute(n.inputs[i], operands[i]);
      }
      placed = ops::try_place(g, n, operands);
    }
    for (std::size_t o = 0; o < n.outputs.size(); ++o) g.value(n.outputs[o]).spec.placement = placed->at(o);
    move_named_values(c, b, n, made);
  }
  b.set_phase(graph::Phase::forward);
  for (graph::Output& o : g.outputs) {
    b.set_origin(g.producer(o.value).origin);
    o.value = b.redistribute(o.value, {});
  }
  for (graph::Assignment& a : g.assignments) {
    b.set_origin(g.producer(a.value).origin);
    a.value = b.redistribute(a.value, g.value(a.target).spec.placement);
  }
  g.sort();
}

}  // namespace lbann::passes
