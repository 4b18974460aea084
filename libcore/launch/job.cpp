// What a job asks for, and quoting: see job.hpp.
#include "launch/job.hpp"

namespace lbann::launch {

const std::vector<std::string>& Job::text(Request request) const {
  static const std::vector<std::string> none;
  const auto found = texts.find(request);
  return found == texts.end() ? none : found->second;
}

bool Job::asks(Request request) const {
  switch (request) {
    case Request::nodes:
    case Request::procs_per_node:
    case Request::job_name:
      return true;
    case Request::cores_per_proc:
      return allocation.cores_per_proc > 0;
    case Request::gpus_per_proc:
      return allocation.gpus_per_proc > 0;
    case Request::memory_per_node:
      return allocation.memory_per_node > 0;
    case Request::time_limit:
      return allocation.time_limit > 0;
    case Request::work_dir:
      return !work_dir.empty();
    case Request::max_restarts:
      return max_restarts > 0;
    case Request::signal_before:
      return signal_before > 0;
    default:
      return !text(request).empty();
  }
}

const char* name_of(Scheduler scheduler) {
  constexpr const char* names[] = {"slurm", "flux", "lsf", "pbs", "pjm", "openmpi", "mpich", "local"};
  return names[static_cast<int>(scheduler)];
}

const char* name_of(Launcher launcher) {
  constexpr const char* names[] = {"auto", "srun", "flux", "jsrun", "openmpi", "mpich", "pbs", "pjm", "none"};
  return names[static_cast<int>(launcher)];
}

std::string shell_quote(const std::string& word) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_quote(word);
  return line;
}

}  // namespace lbann::launch
