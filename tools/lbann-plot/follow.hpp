// --follow: the runs drawn again whenever they have written something.
#pragma once

#include "common/plot_options.hpp"

namespace lbann::tools {

/// Ends with the pipe, or when all assertions are met; returns the exit code.
int follow_runs(const PlotOptions& options);

/// Names of the options in place of the files'.
void name_runs(std::vector<plot::Run>& runs, const PlotOptions& options);

}  // namespace lbann::tools
