// A prepared kernel: everything slow (choosing, packing descriptors, compiling) happens when it is
// made; `run` only computes. One kernel object belongs to one node of one plan and is not
// re-entrant. Buffers are 64-byte aligned; layouts are those of the node's values; scratch has the
// node's scratch_bytes. After `run` the padding of every blocked output is +0.
#pragma once

#include <memory>

#include "graph/graph.hpp"

namespace lbann::kernels {

struct KernelArgs {
  const void* const* inputs;  // in operand order
  void* const* outputs;
  void* scratch;
};

class Kernel {
public:
  virtual ~Kernel() = default;
  virtual void run(const KernelArgs& args) = 0;
};

/// Makes the kernel that select_kernels wrote into the node (`node.kernel`). Throws base::Error
/// (internal) for an unknown id.
std::unique_ptr<Kernel> make_kernel(const graph::Graph& g, graph::NodeId node);

}  // namespace lbann::kernels
