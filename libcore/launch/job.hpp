// A job: what is asked of a machine, a command, and how it is to be started.
//
// Plain data. What a scheduler can honour of it is in capability.hpp, how it is written down in
// script.hpp. Every word of the command reaches the program as it was given: in scripts it is quoted
// for the shell.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "launch/allocation.hpp"

namespace lbann::launch {

/// Who gives the nodes; the last three give none and start processes themselves.
enum class Scheduler { slurm, flux, lsf, pbs, pjm, openmpi, mpich, local };
/// What starts the ranks on the nodes. automatic: the scheduler's own.
enum class Launcher { automatic, srun, flux, jsrun, openmpi, mpich, pbs, pjm, none };

/// Everything that a user can ask for and a back end must honour or refuse.
enum class Request {
  nodes,
  procs_per_node,
  cores_per_proc,
  gpus_per_proc,
  memory_per_node,
  time_limit,
  partition,
  account,
  reservation,
  qos,
  constraint,
  exclusive,
  nodelist,
  exclude,
  begin,
  dependency,
  licenses,
  mail_user,
  mail_type,
  comment,
  job_name,
  work_dir,
  out_log,
  err_log,
  env,
  preamble,
  cleanup,
  max_restarts,
  signal_before,
  launcher_arg,
  scheduler_arg,
  bind,
  mpi,
  hostfile,
  test_only,
};
inline constexpr int num_requests = static_cast<int>(Request::test_only) + 1;

struct Job {
  Scheduler scheduler = Scheduler::local;
  Launcher launcher = Launcher::automatic;
  bool batch = false;          // submitted as a script; else started at once
  bool in_allocation = false;  // started at once inside nodes that are there already

  Allocation allocation{};
  std::map<Request, std::vector<std::string>> texts{};  // what is asked for by name or as a list
  std::vector<std::string> command{};
  std::string name = "lbann";
  std::string run_dir{};      // absolute; empty: nothing is kept
  std::string script_file{};  // absolute; of a job with a run directory
  std::string work_dir{};     // absolute; empty: where the job is submitted

  std::string signal = "USR1";     // without SIG
  std::int64_t signal_before = 0;  // seconds before the limit; 0: no signal
  std::int64_t max_restarts = 0;   // without progress; 0: never restarted
  std::string checkpoints{};       // folder whose newest step-* is the progress

  const std::vector<std::string>& text(Request request) const;
  /// Whether the user (or site, or default) asked for this.
  bool asks(Request request) const;
};

const char* name_of(Scheduler scheduler);
const char* name_of(Launcher launcher);

/// The word as sh reads it back; plain words stay as they are.
std::string shell_quote(const std::string& word);
std::string shell_line(const std::vector<std::string>& words);

}  // namespace lbann::launch
