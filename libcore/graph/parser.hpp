// Reads graph dumps (format: graph/printer.hpp) back into a graph. Structure is not judged here: a
// dump of a broken graph parses, and the verifier says what is wrong with it. Nodes are numbered in
// the order of their lines.
#pragma once

#include <string_view>

#include "graph/graph.hpp"

namespace lbann::graph {

/// Throws base::Error (config) "<source>:<line>:<column>: ..." on malformed text.
Graph parse_graph(std::string_view text, std::string_view source = "graph");

}  // namespace lbann::graph
