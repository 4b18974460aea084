// Submitted jobs: handing over, waiting, showing, cancelling.
#pragma once

#include "common/launch_options.hpp"
#include "launch/queue.hpp"
#include "lbann-launch/run_dir.hpp"

namespace lbann::tools {

/// Submits the script of the run directory and notes the id. Throws Error(environment) with what the
/// scheduler said.
Submission submit(const launch::Job& job);

struct JobReport {
  std::string run_dir{};
  Submission submission{};
  launch::JobState state{};
  std::optional<int> exit_code{};
};

/// A run directory or an id (of `scheduler`, where it is known).
JobReport ask(const LaunchOptions& options, const std::string& job);
/// Waits until the run has ended, restarts included; `follow`: shows both logs as they grow.
JobReport wait_for(const std::string& run_dir, bool follow, const std::string& out_log,
                   const std::string& err_log);
void cancel(const LaunchOptions& options, const std::string& job);

/// One line of text or a JSON object on stdout.
void print_report(const JobReport& report, ReportFormat format);

/// Exit code of a run as a whole: its own word, else the scheduler's, else 9 for a job that vanished.
int code_of(const JobReport& report);

}  // namespace lbann::tools
