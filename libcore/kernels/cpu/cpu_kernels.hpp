// Our own vectorised CPU kernels: f32, ids "cpu.<primitive>".
#pragma once

#include <memory>

#include "graph/graph.hpp"
#include "kernels/kernel.hpp"

namespace lbann::kernels {

/// Throws base::Error (internal) for an unknown id or operands the kernel does not take.
std::unique_ptr<Kernel> make_cpu_kernel(const graph::Graph& g, graph::NodeId node);

}  // namespace lbann::kernels
