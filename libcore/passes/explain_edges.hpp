// Why a plan looks as it does, edge by edge: for every value that one kernel writes to memory and another
// reads, why the two are not one kernel, and for every reorder why its operand is laid out anew. Asks the
// rules that fuse_elementwise and select_kernels decide by, on the finished plan.
#pragma once

#include <string>
#include <vector>

#include "passes/compilation.hpp"

namespace lbann::passes {

struct EdgeNote {
  graph::ValueId id = graph::none;
  std::string from, to;  // "conv of conv1"
  std::string value;     // spec and layout
  double bytes = 0;      // of the value
  bool reorder = false;  // the reason is one for a layout conversion
  std::string reason;
};

/// In execution order of the readers. Values of fewer than 64 elements are left out: their traffic is
/// nothing.
std::vector<EdgeNote> explain_edges(const Compilation& c);

/// fuse_elementwise's rule for one edge: why the pointwise producer of `v` cannot run in the same loop as the
/// pointwise node `reader`; empty: it can, if the loop does not get too long. `inside`: how many of v's uses
/// are in the loop; `uses`: how many there are.
std::string why_not_in_loop(const graph::Graph& g, graph::ValueId v, graph::NodeId reader, int inside,
                            int uses);
inline constexpr std::size_t max_loop_operands = 8;
inline constexpr std::size_t max_loop_instructions = 24;

}  // namespace lbann::passes
