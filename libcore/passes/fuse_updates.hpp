// See fuse_updates.cpp.
#pragma once

#include "passes/compilation.hpp"

namespace lbann::passes {

/// Weight gradients that only an update reads are applied block by block and never stored.
void fuse_updates(Compilation& c);

}  // namespace lbann::passes
