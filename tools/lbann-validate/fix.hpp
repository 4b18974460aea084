// lbann-validate --fix.
#pragma once

#include "common/validate_options.hpp"

namespace lbann::tools {

/// Rewrites old spellings of the files and reports what nothing of today replaces. Returns the exit code.
int fix_files(const ValidateOptions& options);

}  // namespace lbann::tools
