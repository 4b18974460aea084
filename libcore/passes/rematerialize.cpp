// rematerialize: what is cheaper to make again than to keep.
//
// Constants (`fill`), broadcasts of small tensors (`expand`) and random numbers (`random`: the same ones
// again, being functions of their position) that are used in several places get one copy per user, so that
// none lives from the forward to the backward pass. Their cost is the write that the consumer's read needs
// anyway, and for random numbers a few operations each.
#include "passes/passes.hpp"

namespace lbann::passes {

void rematerialize(Compilation& c) {
  graph::Graph& g = c.graph;
  const auto consumers = g.consumers();
  const std::vector<graph::NodeId> order = g.order;
  for (graph::NodeId id : order) {
    const graph::Node n = g.node(id);
    if (n.op != "fill" && n.op != "expand" && n.op != "random") continue;
    const std::vector<graph::NodeId>& users = consumers[static_cast<std::size_t>(n.outputs[0])];
    for (std::size_t i = 1; i < users.size(); ++i) {
      const tensor::TensorSpec spec = g.value(n.outputs[0]).spec;
      const graph::Phase phase = g.node(users[i]).phase;
      const graph::NodeId copy = g.add_node(n.op, n.inputs, {spec}, n.attrs, n.origin, phase);
      const graph::ValueId value = g.node(copy).outputs[0];
      for (graph::ValueId& v : g.node(users[i]).inputs) {
        if (v == n.outputs[0]) v = value;
      }
    }
  }
  g.sort();
}

}  // namespace lbann::passes
