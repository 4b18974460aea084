// The work of lbann-validate, apart from its command line.
#pragma once

#include "common/validate_options.hpp"

namespace lbann::tools {

/// Checks the experiment and writes the report asked for; returns the exit code.
int validate_main(const ValidateOptions& options);

}  // namespace lbann::tools
