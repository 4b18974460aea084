// lbann-launch: chooses a back end, shows or becomes its launcher.
//
// Launchers replace this process, so exit code, signals and terminal are the command's own.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/diagnostic.hpp"
#include "base/process.hpp"
#include "common/launch_options.hpp"

namespace {

using namespace lbann;
using launch::Scheduler;
using tools::LaunchOptions;
using tools::SchedulerChoice;

[[noreturn]] void missing(const std::string& program) {
  throw base::Error(base::ExitCode::environment, fmt::format("{} is not in PATH", program));
}

Scheduler choose(const LaunchOptions& o) {
  const bool several = o.job.allocation.num_ranks() > 1;
  switch (o.scheduler) {
    case SchedulerChoice::slurm:
      return Scheduler::slurm;
    case SchedulerChoice::mpirun:
      return Scheduler::mpirun;
    case SchedulerChoice::local:
      return several ? Scheduler::mpirun : Scheduler::local;
    default:
      if (base::try_find_program("sbatch")) return Scheduler::slurm;
      return several ? Scheduler::mpirun : Scheduler::local;
  }
}

// Tools of the suite are found beside this one, whatever PATH says.
void resolve_program(std::string& program) {
  if (base::try_find_program(program) || program.find('/') != std::string::npos) return;
  std::error_code ignored;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / program;
  if (base::try_find_program(beside.string())) program = beside.string();
}

int launch_main(LaunchOptions& o) {
  const Scheduler scheduler = choose(o);
  launch::Job& job = o.job;
  const char* allocated = std::getenv("SLURM_JOB_ID");
  const bool inside = scheduler == Scheduler::slurm && allocated != nullptr && *allocated != '\0';
  if (o.dry_run) {
    base::log().print(scheduler == Scheduler::slurm ? launch::slurm_script(job)
                                                    : launch::plain_script(job, scheduler));
    base::log().print("\n" + launch::rank_map_text(job.allocation));
    return 0;
  }
  resolve_program(job.command[0]);
  if (job.allocation.cores_per_proc > 0)
    ::setenv("OMP_NUM_THREADS", std::to_string(job.allocation.cores_per_proc).c_str(), 1);
  if (inside) base::replace_process(launch::srun_command(job));
  if (scheduler == Scheduler::slurm) {
    if (!base::try_find_program("sbatch")) missing("sbatch");
    std::vector<std::string> submit = {"sbatch"};
    if (!o.detach) submit.push_back("--wait");
    base::replace_process(submit, launch::slurm_script(job));
  }
  if (scheduler == Scheduler::mpirun) {
    if (!base::try_find_program("mpirun")) missing("mpirun");
    base::replace_process(launch::mpirun_command(job));
  }
  if (!job.work_dir.empty() && ::chdir(job.work_dir.c_str()) != 0)
    throw base::Error(base::ExitCode::environment,
                      fmt::format("cannot change to '{}': {}", job.work_dir, std::strerror(errno)));
  base::replace_process(job.command);
}

}  // namespace

int main(int argc, char** argv) {
  return tools::run_tool(argc, argv, [](int count, char** words) {
    LaunchOptions options;
    if (const auto done = tools::parse_launch_options(count, words, options)) return *done;
    return launch_main(options);
  });
}
