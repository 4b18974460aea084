// The command line of lbann-launch as a plain struct.
#pragma once

#include <optional>

#include "common/tool.hpp"
#include "launch/job.hpp"

namespace lbann::tools {

enum class SchedulerChoice { automatic, slurm, flux, lsf, pbs, pjm, mpirun, local };

struct LaunchOptions {
  CommonOptions common{};
  launch::Job job{};
  SchedulerChoice scheduler = SchedulerChoice::automatic;
  bool dry_run = false;
  bool detach = false;  // a batch job is submitted and left alone
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_launch_options(int argc, const char* const* argv, LaunchOptions& options);

}  // namespace lbann::tools
