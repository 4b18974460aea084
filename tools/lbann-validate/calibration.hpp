// lbann-validate --calibrate and what later reports make of its file.
#pragma once

#include <optional>
#include <string>

#include "common/validate_options.hpp"
#include "passes/calibration.hpp"

namespace lbann::tools {

/// Measures this machine and writes the file; returns the exit code. Throws base::Error (environment) when
/// the CPU module is missing, (storage) when the file cannot be written.
int calibrate(const ValidateOptions& options);

/// The step time that is predicted for a compiled plan, or why none is: no file, or one of another machine.
/// Throws base::Error (config) for a file that was named but holds no calibration.
struct Prediction {
  std::optional<double> ms;
  std::string why;
};
Prediction predict(const ValidateOptions& options, const passes::Compilation& compiled);

}  // namespace lbann::tools
