// The run directory: experiment, script, map of ranks.
#pragma once

#include "common/launch_options.hpp"

namespace lbann::tools {

/// Writes experiment.prototext, batch.sh (executable) and ranks.txt. What another run left is refused,
/// Error(storage), unless it is the same to the byte or --overwrite is given.
void write_run_dir(const LaunchOptions& options, const std::string& experiment);

/// The submissions of a run directory, oldest first: scheduler and id.
struct Submission {
  launch::Scheduler scheduler = launch::Scheduler::slurm;
  std::string id{};
};
std::vector<Submission> read_submissions(const std::string& run_dir);
void note_submission(const std::string& run_dir, const Submission& submission);

/// The run's own word on how it ended.
std::optional<int> try_read_exit_code(const std::string& run_dir);

}  // namespace lbann::tools
