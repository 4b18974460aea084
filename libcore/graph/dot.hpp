// The op graph as Graphviz text: boxes are nodes, grouped by the layer they come from and coloured by
// phase; edges carry the spec. For eyes, not for reading back (that is graph/printer.hpp).
#pragma once

#include <string>

#include "graph/graph.hpp"

namespace lbann::graph {

std::string print_dot(const Graph& g);

}  // namespace lbann::graph
