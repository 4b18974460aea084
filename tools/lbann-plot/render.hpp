// One view of the runs: assertions judged, then one figure or table written.
#pragma once

#include "common/plot_options.hpp"

namespace lbann::tools {

/// Judges the assertions; says how they went unless `silent`. Writes --junit.
bool judge_all(const std::vector<plot::Run>& runs, const PlotOptions& options, bool silent);
/// Names, units, levels and metrics as the options want them, then the output as one text.
std::string render_view(std::vector<plot::Run> runs, const PlotOptions& options);

}  // namespace lbann::tools
