// --profile: what the profiler has collected goes to the console and into the folder asked for.
#pragma once

#include "common/train_options.hpp"
#include "runtime/profiler.hpp"

namespace lbann::tools {

/// Prints the tables; writes profile.txt, profile.json and trace.json to --profile=DIR, or to `profile` in
/// the run directory; nothing is written without either. Throws base::Error (storage).
void report_profile(const TrainOptions& options, runtime::Profiler& profiler);
/// The folder, or "".
std::string profile_folder(const TrainOptions& options);

}  // namespace lbann::tools
