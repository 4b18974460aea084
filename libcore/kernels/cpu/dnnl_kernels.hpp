// Kernels that are one call of oneDNN, ids "dnnl.<op>" (list: dnnl_op.hpp). f32.
#pragma once

#include <memory>

#include "graph/graph.hpp"
#include "kernels/kernel.hpp"

namespace lbann::kernels {

/// Makes the library call for `node.kernel` with the layouts of the node's values. Must run under
/// the number of OpenMP threads the plan was made for (scratch depends on it). Throws base::Error
/// (internal) where the library has no optimised implementation.
std::unique_ptr<Kernel> make_dnnl_kernel(const graph::Graph& g, graph::NodeId node);

}  // namespace lbann::kernels
