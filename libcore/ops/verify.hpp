// Checks what the nodes of a graph mean: every node is inferred again from its operands and compared
// with the specs it claims. The structure is checked first by graph/verifier.hpp.
#pragma once

#include "graph/graph.hpp"

namespace lbann::ops {

/// Known primitive, number of operands, attributes, operand shapes and types, scalar functions, placements
/// and output specs of every live node. Throws base::Error (internal) naming the node, its layer and the
/// reason. Needs a graph that check_graph accepts.
void check_ops(const graph::Graph& g);

}  // namespace lbann::ops
