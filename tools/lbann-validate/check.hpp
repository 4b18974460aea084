// What lbann-validate finds out about an experiment, or about a file that holds a part of one.
#pragma once

#include "common/validate_options.hpp"
#include "model/check_experiment.hpp"

namespace lbann::tools {

using Checked = model::CheckedExperiment;

/// Loads, merges, binds and lowers. Throws Error(data) when a file cannot be read.
Checked check_experiment(const ValidateOptions& options, base::Diagnostics& diagnostics);

}  // namespace lbann::tools
