// The work of lbann-train, apart from its command line.
#pragma once

#include "common/train_options.hpp"

namespace lbann::tools {

/// Trains the experiment; returns the exit code.
int train_main(const TrainOptions& options);

}  // namespace lbann::tools
