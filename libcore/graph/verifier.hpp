// Checks a graph's structure: what every pass relies on and must leave behind. Knows no primitive;
// ops/verify.hpp checks what the nodes mean.
#pragma once

#include "graph/graph.hpp"

namespace lbann::graph {

/// Ids in range; `order` holds every live node once and is topological; every value has one producer,
/// which lives where the value is used; shapes and layouts fit; outputs have distinct names; an
/// assignment's target is a live weight's value, assigned once, with the spec of what it takes.
/// Throws base::Error (internal) naming the node, its layer and the reason.
void check_graph(const Graph& g);

}  // namespace lbann::graph
