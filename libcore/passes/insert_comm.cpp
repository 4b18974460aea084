// insert_comm: `redistribute` becomes communication. On one rank every redistribution is the
// identity and disappears; a plan for more ranks is refused here until the collectives exist, so
// that it cannot be made silently wrong.
#include <fmt/format.h>

#include "passes/passes.hpp"

namespace lbann::passes {

void insert_comm(Compilation& c) {
  graph::Graph& g = c.graph;
  if (c.mesh.num_ranks() > 1) {
    throw base::Error(base::ExitCode::environment,
                      fmt::format("a plan for {} ranks needs communication, which this build does not have",
                                  c.mesh.num_ranks()),
                      "run one process");
  }
  for (graph::NodeId id : g.order) {
    graph::Node& n = g.node(id);
    if (n.op != "redistribute") continue;
    n.dead = true;
    g.replace_uses(n.outputs[0], n.inputs[0]);
  }
  g.sort();
  g.compact();
}

}  // namespace lbann::passes
