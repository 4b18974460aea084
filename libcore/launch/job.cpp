// Scripts and command lines: see job.hpp.
#include "launch/job.hpp"

#include <fmt/format.h>

namespace lbann::launch {

namespace {

void append(std::vector<std::string>& words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

// What both sbatch and srun are told.
std::vector<std::string> slurm_options(const Job& job) {
  const Allocation& a = job.allocation;
  std::vector<std::string> words;
  if (!job.work_dir.empty()) words.push_back("--chdir=" + job.work_dir);
  words.push_back(fmt::format("--nodes={}", a.nodes));
  words.push_back(fmt::format("--ntasks={}", a.num_ranks()));
  words.push_back(fmt::format("--ntasks-per-node={}", a.procs_per_node));
  if (a.cores_per_proc > 0) words.push_back(fmt::format("--cpus-per-task={}", a.cores_per_proc));
  if (a.gpus_per_proc > 0)
    words.push_back(fmt::format("--gpus-per-node={}", std::int64_t{a.gpus_per_proc} * a.procs_per_node));
  if (a.time_limit > 0) words.push_back("--time=" + time_limit_text(a.time_limit));
  words.push_back("--job-name=" + job.name);
  if (!job.partition.empty()) words.push_back("--partition=" + job.partition);
  if (!job.account.empty()) words.push_back("--account=" + job.account);
  return words;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_quote(word);
  return line;
}

std::string threads_export(const Job& job) {
  if (job.allocation.cores_per_proc == 0) return {};
  return fmt::format("export OMP_NUM_THREADS={}\n", job.allocation.cores_per_proc);
}

}  // namespace

std::string shell_quote(const std::string& word) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::vector<std::string> srun_command(const Job& job) {
  std::vector<std::string> words = {"srun"};
  append(words, job.launcher_args);
  append(words, slurm_options(job));
  append(words, job.command);
  return words;
}

std::vector<std::string> mpirun_command(const Job& job) {
  const Allocation& a = job.allocation;
  std::vector<std::string> words = {"mpirun"};
  append(words, job.launcher_args);
  append(words, {"-n", std::to_string(a.num_ranks()), "--map-by"});
  if (a.cores_per_proc > 0) {
    append(words, {fmt::format("ppr:{}:node:PE={}", a.procs_per_node, a.cores_per_proc), "--bind-to", "core",
                   "-x", fmt::format("OMP_NUM_THREADS={}", a.cores_per_proc)});
  } else {
    append(words, {fmt::format("ppr:{}:node", a.procs_per_node), "--bind-to", "none"});
  }
  if (!job.work_dir.empty()) append(words, {"-wdir", job.work_dir});
  append(words, job.command);
  return words;
}

std::string slurm_script(const Job& job) {
  std::string text = "#!/bin/bash\n";
  for (const std::string& option : slurm_options(job)) text += "#SBATCH " + shell_quote(option) + "\n";
  if (!job.log_file.empty()) text += "#SBATCH " + shell_quote("--output=" + job.log_file) + "\n";
  text += "#SBATCH --open-mode=append\n\n";
  text += threads_export(job);
  return text + command_line(srun_command(job)) + "\n";
}

std::string plain_script(const Job& job, Scheduler scheduler) {
  std::string text = "#!/bin/sh\n";
  if (scheduler == Scheduler::mpirun) return text + "exec " + command_line(mpirun_command(job)) + "\n";
  if (!job.work_dir.empty()) text += "cd " + shell_quote(job.work_dir) + " || exit\n";
  return text + threads_export(job) + "exec " + command_line(job.command) + "\n";
}

}  // namespace lbann::launch
