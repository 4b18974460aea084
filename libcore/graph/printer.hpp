// The op graph as text that parses back (graph/parser.hpp), one line per node in execution order:
//
//   graph "train"
//   origin 1 "conv1" kind="convolution" at="exp.prototext":41:3-45:4
//   %0:f32[256,1,28,28]:abcd:"images" = input {name="images"} phase=forward origin=<model>
//   %3:f32[256,64,14,14]:aBcd16b = conv %0, %1, %2 {groups=1, pads=[2,2]} phase=forward origin=conv1
//   kernel=dnnl.conv output "objective" %9 assign %1 <- %17
//
// A value is %id:type[dims]@placement:layout:"name"; placement and name only where there is one, the
// layout of a scalar is '-'. An origin is its name, or #index where two share a name. Real attributes
// keep every bit (always with a point, an exponent, inf or nan). `scratch=` is exact, `scratch<=` a
// bound, `alias=` lists per output the operand whose buffer it may take. Dead nodes are left out, value
// ids stay. Empty lines and lines that begin with ';' mean nothing.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.hpp"

namespace lbann::graph {

std::string print_graph(const Graph& g);
/// One node's line, without the newline. Ids need not be valid.
std::string print_node(const Graph& g, NodeId id);
/// A node for messages: "conv (layer 'conv1', node 12)".
std::string describe_node(const Graph& g, NodeId id);
std::string_view to_string(Phase phase);
/// As in a dump: 3, 0.5, "text", [1,2].
std::string to_string(const AttrValue& value);

}  // namespace lbann::graph
