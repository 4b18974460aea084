// What an experiment needs: checked and measured by lbann-validate before anything is submitted.
#pragma once

#include "common/launch_options.hpp"

namespace lbann::tools {

/// --gpus-at-least and --memory-at-least: sets nodes. Throws Error(usage) when the node is not known,
/// Error(out_of_memory) when the model does not fit however many ranks there are.
void resolve_needs(LaunchOptions& options);

/// Runs lbann-validate on the experiment. A number: the run is refused with this exit code.
std::optional<int> preflight(const LaunchOptions& options);

}  // namespace lbann::tools
