// --sweep: one run for each combination of values, and their table.
#pragma once

#include <functional>

#include "common/launch_options.hpp"
#include "lbann-launch/batch.hpp"

namespace lbann::tools {

/// The experiment with the values of each point, in RUN_DIR/001, 002, ...; `start` runs or submits one and
/// returns its report. The table goes to stdout and RUN_DIR/summary.tsv (summary.json with --format=json).
/// Returns the first exit code that is not 0.
int run_sweep(const LaunchOptions& options, const std::function<JobReport(LaunchOptions&)>& start);

}  // namespace lbann::tools
