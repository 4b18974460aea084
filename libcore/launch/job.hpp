// A job: an allocation, a command, and the scripts and command lines that start it.
//
// Pure functions from a Job to text or words; nothing is started here. Every word of the command
// reaches the program as it was given: in scripts it is quoted for the shell.
#pragma once

#include <string>
#include <vector>

#include "launch/allocation.hpp"

namespace lbann::launch {

enum class Scheduler { slurm, mpirun, local };

struct Job {
  Allocation allocation{};
  std::vector<std::string> command{};
  std::string name = "lbann";
  std::string work_dir{};   // empty: where the job is submitted
  std::string log_file{};   // of a batch job; empty: Slurm's slurm-<job>.out
  std::string partition{};  // empty: the site's default
  std::string account{};
  std::vector<std::string> launcher_args{};  // for srun or mpirun, before ours
};

/// The word as sh reads it back; plain words stay as they are.
std::string shell_quote(const std::string& word);

/// srun and the command, with every resource option: since Slurm 22.05 srun does not take
/// --cpus-per-task over from the batch script, and what is not repeated is easily lost.
std::vector<std::string> srun_command(const Job& job);
/// Open MPI's mpirun and the command. Cores are bound only where they were asked for.
std::vector<std::string> mpirun_command(const Job& job);

/// The batch script for sbatch; its exit code is that of srun.
std::string slurm_script(const Job& job);
/// The same start as a script, for people to read and keep.
std::string plain_script(const Job& job, Scheduler scheduler);

}  // namespace lbann::launch
