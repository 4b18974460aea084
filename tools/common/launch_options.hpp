// The command line of lbann-launch as a plain struct.
//
// Four sources, the later ones win: defaults, the machine's site file, LBANN_* variables, the command
// line. `origins` remembers which it was.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/tool.hpp"
#include "launch/job.hpp"
#include "launch/site.hpp"
#include "launch/sweep.hpp"

namespace lbann::tools {

enum class SchedulerChoice { automatic, slurm, flux, lsf, pbs, pjm, openmpi, mpich, local };

struct LaunchOptions {
  CommonOptions common{};
  launch::Job job{};
  SchedulerChoice scheduler = SchedulerChoice::automatic;
  bool is_experiment = false;  // the command is lbann-train with the words of job.command

  // What a node has; 0: not known.
  std::int64_t cores_of_node = 0;
  std::int64_t gpus_of_node = 0;
  std::int64_t memory_of_node = 0;
  std::int64_t memory_of_gpu = 0;
  std::optional<std::int64_t> gpus_at_least{};
  std::string memory_at_least{};  // "plan" or a size
  std::optional<std::int64_t> nodes{};
  std::optional<std::int64_t> procs{};

  std::string run_dir{};         // as given
  std::string experiment_dir{};  // where new run directories are made
  std::vector<launch::SweepAxis> sweep{};
  std::optional<std::int64_t> max_restarts{};
  std::optional<std::int64_t> signal_before{};
  bool overwrite = false;
  bool preflight = true;

  bool dry_run = false;
  bool explain = false;
  bool setup_only = false;
  bool wait = false;
  bool follow = false;
  std::string status{};  // a run directory or the id of a job
  std::string cancel{};

  std::string site_name{};
  std::vector<std::string> site_env{};           // NAME=VALUE, unless the user has NAME
  std::map<std::string, std::string> origins{};  // option -> where its value comes from
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_launch_options(int argc, const char* const* argv, LaunchOptions& options);

}  // namespace lbann::tools
