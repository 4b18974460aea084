// insert_casts: mixed precision. Where the compute type differs from the model's type, operands of
// convolutions and matrix products are rounded to it and their results widened again; weights stay
// in the model's type (master weights), and the update sees gradients in that type because the cast
// has a gradient rule.
#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {

void insert_casts(Compilation& c) {
  if (!c.mixed_precision) return;
  graph::Graph& g = c.graph;
  ops::Builder b(g);
  const std::vector<graph::NodeId> order = g.order;
  for (graph::NodeId id : order) {
    const graph::Node n = g.node(id);
    if (n.op != "conv" && n.op != "matmul") continue;
    const tensor::DataType wide = g.value(n.outputs[0]).spec.type;
    if (wide == c.compute_type) continue;
    b.set_origin(n.origin);
    b.set_phase(n.phase);
    std::vector<graph::ValueId> narrow;
    for (graph::ValueId v : n.inputs) narrow.push_back(b.cast(v, c.compute_type));
    const graph::ValueId y = b.add(n.op, narrow, n.attrs);
    const graph::ValueId widened = b.cast(y, wide);
    g.node(id).dead = true;
    g.replace_uses(n.outputs[0], widened);
  }
  // New nodes stand at the end of `order`; restore a topological order.
  g.sort();
  g.compact();
}

}  // namespace lbann::passes
