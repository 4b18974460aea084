// Collectives have one kernel each, whatever the back end: it hands the bytes to the communicator.
#pragma once

#include "passes/kernel_catalogue.hpp"

namespace lbann::passes {

/// "comm.<op>". A sum of gradients takes them as their weights lie (padding is +0 and stays so), which is the
/// same on every rank, everything else row-major: the ranks' pieces differ, and so may the layouts that their
/// kernels like best. A sum may be made in place; what moves pieces wants scratch for a packed copy in and
/// out.
KernelCandidate make_comm_candidate(const SelectContext& context);

}  // namespace lbann::passes
