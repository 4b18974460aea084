// The table and its use: see capability.hpp.
#include "launch/capability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "launch/template.hpp"

namespace lbann::launch {

namespace {

using R = Request;

// Settled by who starts the ranks; the rest by who gives the nodes.
bool is_launchers(Request request) {
  return request == R::launcher_arg || request == R::bind || request == R::mpi || request == R::hostfile;
}

// A request can be said to a launcher that is not the scheduler's own.
bool is_placement(Request request) {
  return is_launchers(request) || request == R::nodes || request == R::procs_per_node ||
         request == R::cores_per_proc || request == R::work_dir || request == R::env;
}

bool is_plain(const Backend& scheduler) { return scheduler.prefix[0] == '\0'; }

// Texts of a request; numbers have their values in the template.
std::vector<std::string> texts_of(const Job& job, Request request) {
  switch (request) {
    case R::job_name:
      return {job.name};
    case R::work_dir:
      return {job.work_dir};
    default:
      return job.text(request).empty() ? std::vector<std::string>{""} : job.text(request);
  }
}

void add_flags(const Job& job, Request request, const char* text, std::vector<Flag>& flags) {
  const bool joins = text[0] == '+';
  for (const std::string& value : texts_of(job, request)) {
    Flag flag{request, expand(joins ? text + 1 : text, job, value)};
    if (flag.words.empty()) continue;
    if (joins && !flags.empty()) {
      flags.back().words.back() += flag.words.front();
      flag.words.erase(flag.words.begin());
      if (flag.words.empty()) continue;
    }
    flags.push_back(std::move(flag));
  }
}

// `-L node=2 --mpi proc=4`: each option a line of its own; `-l x`, `-wa USR1` stay together.
std::vector<Flag> one_option_a_line(const std::vector<Flag>& flags) {
  std::vector<Flag> lines;
  for (const Flag& flag : flags) {
    for (const std::string& word : flag.words) {
      if (word[0] == '-' || lines.empty() || lines.back().request != flag.request)
        lines.push_back({flag.request});
      lines.back().words.push_back(word);
    }
  }
  return lines;
}

}  // namespace

const std::vector<const Backend*>& all_backends() {
  static const std::vector<const Backend*> all = {&slurm_backend(),     &flux_backend(),  &lsf_backend(),
                                                  &lsf_hosts_backend(), &pbs_backend(),   &pjm_backend(),
                                                  &openmpi_backend(),   &mpich_backend(), &local_backend()};
  return all;
}

const Cell& cell_of(const Backend& backend, Request request) {
  for (const Cell& cell : backend.cells)
    if (cell.request == request) return cell;
  throw std::logic_error(fmt::format("{} has no cell for --{}", backend.name, option_of(request)));
}

const char* option_of(Request request) {
  constexpr const char* names[num_requests] = {"nodes",
                                               "procs-per-node",
                                               "cores-per-proc",
                                               "gpus-per-proc",
                                               "memory-per-node",
                                               "time-limit",
                                               "partition",
                                               "account",
                                               "reservation",
                                               "qos",
                                               "constraint",
                                               "exclusive",
                                               "nodelist",
                                               "exclude",
                                               "begin",
                                               "dependency",
                                               "licenses",
                                               "mail-user",
                                               "mail-type",
                                               "comment",
                                               "job-name",
                                               "work-dir",
                                               "out-log",
                                               "err-log",
                                               "env",
                                               "preamble",
                                               "cleanup",
                                               "max-restarts",
                                               "signal-before",
                                               "launcher-arg",
                                               "scheduler-arg",
                                               "bind",
                                               "mpi",
                                               "hostfile",
                                               "test-only"};
  return names[static_cast<int>(request)];
}

const Backend& scheduler_of(const Job& job) {
  switch (job.scheduler) {
    case Scheduler::slurm:
      return slurm_backend();
    case Scheduler::flux:
      return flux_backend();
    case Scheduler::lsf:
      return job.launcher == Launcher::automatic || job.launcher == Launcher::jsrun ? lsf_backend()
                                                                                    : lsf_hosts_backend();
    case Scheduler::pbs:
      return pbs_backend();
    case Scheduler::pjm:
      return pjm_backend();
    case Scheduler::openmpi:
      return openmpi_backend();
    case Scheduler::mpich:
      return mpich_backend();
    case Scheduler::local:
      break;
  }
  return local_backend();
}

const Backend& launcher_of(const Job& job) {
  switch (job.launcher) {
    case Launcher::automatic:
      return scheduler_of(job);
    case Launcher::srun:
      return slurm_backend();
    case Launcher::flux:
      return flux_backend();
    case Launcher::jsrun:
      return lsf_backend();
    case Launcher::openmpi:
      return openmpi_backend();
    case Launcher::mpich:
      return mpich_backend();
    case Launcher::pbs:
      return pbs_backend();
    case Launcher::pjm:
      return pjm_backend();
    case Launcher::none:
      break;
  }
  return local_backend();
}

std::vector<Flag> directives(const Job& job) {
  const Backend& backend = scheduler_of(job);
  std::vector<Flag> flags;
  if (!job.batch || is_plain(backend)) return flags;
  for (const Cell& cell : backend.cells)
    if (cell.honoured != Honoured::refused)
      add_flags(job, cell.request, job.asks(cell.request) ? cell.directive : cell.absent_directive, flags);
  return one_option_a_line(flags);
}

std::vector<Flag> launch_flags(const Job& job) {
  const Backend& backend = launcher_of(job);
  std::vector<Flag> flags;
  if (backend.launch.empty()) return flags;
  const bool own = &backend == &scheduler_of(job);
  const bool alone = !job.batch && !job.in_allocation;
  flags.push_back({R::nodes, backend.launch});
  if (job.asks(R::launcher_arg) && cell_of(backend, R::launcher_arg).honoured != Honoured::refused)
    add_flags(job, R::launcher_arg, cell_of(backend, R::launcher_arg).step, flags);
  for (const Cell& cell : backend.cells) {
    if (cell.request == R::launcher_arg || cell.honoured == Honoured::refused) continue;
    if (!own && !is_placement(cell.request)) continue;
    const char* text = alone ? cell.alone : cell.step;
    add_flags(job, cell.request, job.asks(cell.request) ? text : cell.absent_step, flags);
  }
  return flags;
}

std::vector<std::string> launch_words(const Job& job) {
  std::vector<std::string> words;
  for (const Flag& flag : launch_flags(job)) words.insert(words.end(), flag.words.begin(), flag.words.end());
  return words;
}

}  // namespace lbann::launch
