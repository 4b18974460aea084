// What lbann-validate prints about a checked experiment.
#pragma once

#include <string>

#include "lbann-validate/check.hpp"

namespace lbann::tools {

/// Every layer with dims, parameters and FLOPs; every weights object.
std::string trace_text(const model::LoweredModel& lowered);

/// The plan parts that the options ask for.
std::string plan_text(const ValidateOptions& options, const Checked& checked);

/// One line: what was checked and found right.
std::string summary_text(const Checked& checked);

/// The whole report as one JSON object with schema "lbann-validate-1": exit_code, would_train,
/// diagnostics, sections, model, layers, weights, and plan where it was asked for. `checked` is null
/// when a file could not even be read.
std::string report_json(const ValidateOptions& options, const Checked* checked,
                        const base::Diagnostics& diagnostics, int exit_code);

}  // namespace lbann::tools
