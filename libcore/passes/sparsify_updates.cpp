// sparsify_updates: a table of which a step reads few rows is updated in those rows only.
//
//   update(w, scatter_add(idx, g))  ->  update_rows(w, idx, g)
//
// The dense gradient and the pass over the whole table disappear. Done only where the weights come out
// the same to the bit:
//   - nothing else reads the gradient: no second layer on the same table, no L2 term, no output;
//   - the rule leaves a weight as it is where its gradient is 0. That holds for `sgd`: w - lr 0 = w for
//     any finite lr >= 0. `momentum`, `nesterov`, `rmsprop` and `adam` move on their states; `adagrad`
//     divides 0 by sqrt(c) + eps, NaN for c = eps = 0, and eps is a step scalar, unknown here.
//
// One reader is taken along: the finite flag of the committed schedule looks at g itself. It then
// also sees entries whose index is no row, and not that finite entries of one row add up to infinity.
#include <algorithm>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

bool keeps_weights_without_gradient(const Node& update) { return update.attrs.get_text("rule") == "sgd"; }

/// Is the value read by nodes alone, and by none but `update` and finite flags?
bool has_no_other_reader(const Graph& g, ValueId gradient, NodeId update,
                         const std::vector<NodeId>& readers) {
  for (const graph::Output& o : g.outputs) {
    if (o.value == gradient) return false;
  }
  for (const graph::Assignment& a : g.assignments) {
    if (a.value == gradient) return false;
  }
  return std::all_of(readers.begin(), readers.end(),
                     [&](NodeId reader) { return reader == update || g.node(reader).op == "all_finite"; });
}

}  // namespace

void sparsify_updates(Compilation& c) {
  Graph& g = c.graph;
  ops::Builder b(g);
  const auto consumers = g.consumers();
  const std::vector<NodeId> order = g.order;
  for (NodeId id : order) {
    const Node update = g.node(id);
    if (update.op != "update" || !keeps_weights_without_gradient(update)) continue;
    const ValueId gradient = update.inputs[1];
    const Node scatter = g.producer(gradient);
    const std::vector<NodeId>& readers = consumers[static_cast<std::size_t>(gradient)];
    if (scatter.op != "scatter_add" || !has_no_other_reader(g, gradient, id, readers)) continue;

    const ValueId rows = scatter.inputs[1];
    for (NodeId reader : readers) {
      if (reader == id) continue;
      std::vector<ValueId>& checked = g.node(reader).inputs;
      std::replace(checked.begin(), checked.end(), gradient, rows);
    }
    std::vector<ValueId> operands{update.inputs[0], scatter.inputs[0], rows};
    operands.insert(operands.end(), update.inputs.begin() + 2, update.inputs.end());
    b.set_origin(update.origin);
    b.set_phase(update.phase);
    const std::vector<ValueId> updated = b.add_n("update_rows", operands, update.attrs);
    for (std::size_t i = 0; i < updated.size(); ++i) g.replace_uses(update.outputs[i], updated[i]);
    g.node(id).dead = true;
  }
  g.remove_unused();
  g.sort();
  g.compact();
}

}  // namespace lbann::passes
