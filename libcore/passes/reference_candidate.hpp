// The last resort that every catalogue ends its list with.
#pragma once

#include "passes/kernel_catalogue.hpp"

namespace lbann::passes {

/// The naive kernel of a node: "ref.<op>", or "view" for reshape and stop_gradient; row-major.
KernelCandidate make_reference_candidate(const graph::Graph& g, graph::NodeId id);

}  // namespace lbann::passes
