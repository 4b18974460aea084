// Script text: see script.hpp.
#include "launch/script.hpp"

#include <fmt/format.h>

#include "launch/capability.hpp"

namespace lbann::launch {

namespace {

using R = Request;

// Who sends the signal before the limit: the scheduler (to this script or to the step), or a timer here.
bool needs_signal_timer(const Job& job) {
  if (!job.asks(R::signal_before)) return false;
  if (&launcher_of(job) == &flux_backend()) return false;
  const bool told = job.scheduler == Scheduler::lsf ? job.batch : !job.in_allocation || job.batch;
  return !((job.scheduler == Scheduler::slurm || job.scheduler == Scheduler::lsf) && told);
}

// Whose launcher is told no limit, and who is no batch job, has nobody else to keep it.
bool needs_limit_timer(const Job& job) {
  if (!job.asks(R::time_limit) || job.batch || job.scheduler == Scheduler::mpich) return false;
  for (const Flag& flag : launch_flags(job))
    if (flag.request == R::time_limit) return false;
  return true;
}

bool needs_timers(const Job& job) { return needs_signal_timer(job) || needs_limit_timer(job); }

std::string header_text(const Job& job) {
  std::string text = "#!/bin/bash\n";
  const Backend& backend = scheduler_of(job);
  for (const Flag& line : directives(job)) {
    // The user's own directives stand as they are.
    const bool verbatim = line.request == R::scheduler_arg;
    text += backend.prefix + (verbatim ? line.words[0] : shell_line(line.words)) + "\n";
  }
  return text;
}

std::string setup_text(const Job& job) {
  std::string text = "set -u\n";
  if (!job.run_dir.empty()) text += "run_dir=" + shell_quote(job.run_dir) + "\n";
  if (job.batch && job.asks(R::max_restarts)) text += "script=" + shell_quote(job.script_file) + "\n";
  // In minutes for the launcher, in seconds for the trainer, who gets the limit as a signal.
  if (!job.checkpoints.empty()) text += "unset LBANN_TIME_LIMIT\n";
  for (const auto& [name, value] : exports_of(job))
    text += "export " + name + "=" + shell_quote(value) + "\n";
  const bool changes = cell_of(scheduler_of(job), R::work_dir).honoured == Honoured::script;
  if (job.asks(R::work_dir) && changes) text += "cd " + shell_quote(job.work_dir) + " || exit 10\n";
  if (job.batch && cell_of(scheduler_of(job), R::out_log).honoured == Honoured::script)
    text += fmt::format("exec >>{} 2>>{}\n", shell_quote(job.text(R::out_log).back()),
                        shell_quote(job.text(R::err_log).back()));
  if (!job.run_dir.empty()) text += "rm -f \"$run_dir/exit_code\"\n";
  return text;
}

std::string signals_text(const Job& job) {
  // A trainer is asked to save; srun would only report at the first INT.
  const bool trains = !job.checkpoints.empty();
  const std::string first = trains ? job.signal : &launcher_of(job) == &slurm_backend() ? "TERM" : "$1";
  std::string text =
      "\nstatus=0\nchild=\nstopped=\nsignalled=\n"
      "pass_on() {\n"
      "  signalled=$1\n"
      "  if [ -n \"$child\" ]; then kill -s \"$1\" \"$child\" 2>/dev/null; fi\n"
      "}\n"
      "stop() {\n";
  text += first == "$1"
              ? std::string("  pass_on \"$1\"\n")
              : fmt::format("  if [ -z \"$stopped\" ]; then pass_on {}; else pass_on \"$1\"; fi\n", first);
  text +=
      "  stopped=$1\n"
      "}\n"
      "trap 'stop INT' INT\n"
      "trap 'stop TERM' TERM\n"
      "trap 'pass_on HUP' HUP\n";
  text += fmt::format("trap 'pass_on {0}' {0}\n", job.signal);
  return text;
}

std::string cleanup_text(const Job& job) {
  if (!job.asks(R::cleanup)) return {};
  std::string text = "clean_up() {\n";
  for (const std::string& line : job.text(R::cleanup)) text += "  " + line + "\n";
  return text + "}\ntrap clean_up EXIT\n";
}

std::string timers_text(const Job& job) {
  if (!needs_timers(job)) return {};
  return "\n# Sends a signal to this script after some seconds.\n"
         "timers=()\n"
         "timer() {\n"
         "  (\n"
         "    trap 'kill \"$sleeper\" 2>/dev/null; exit 0' TERM\n"
         "    sleep \"$2\" &\n"
         "    sleeper=$!\n"
         "    wait \"$sleeper\"\n"
         "    kill -s \"$1\" \"$$\"\n"
         "  ) </dev/null >/dev/null 2>&1 &\n"
         "  timers+=(\"$!\")\n"
         "}\n";
}

std::string run_text(const Job& job) {
  std::vector<std::string> words = launch_words(job);
  words.insert(words.end(), job.command.begin(), job.command.end());
  std::string text =
      "\nrun() {\n"
      "  (\n"
      "    trap - INT QUIT\n"
      "    exec " +
      shell_line(words) +
      "\n"
      "  ) <&0 &\n"
      "  child=$!\n";
  if (needs_timers(job)) text += "  timers=()\n";
  if (needs_signal_timer(job))
    text += fmt::format("  timer {} {}\n", job.signal, job.allocation.time_limit - job.signal_before);
  if (needs_limit_timer(job)) text += fmt::format("  timer TERM {}\n", job.allocation.time_limit);
  text +=
      "  # wait returns early after each signal; what it says when all is known already is no status\n"
      "  local code\n"
      "  status=0\n"
      "  while :; do\n"
      "    signalled=\n"
      "    wait \"$child\" 2>/dev/null\n"
      "    code=$?\n"
      "    case $code in\n"
      "      -1 | 127) if [ \"$status\" -gt 128 ]; then break; fi ;;\n"
      "    esac\n"
      "    status=$code\n"
      "    if [ -z \"$signalled\" ]; then break; fi\n"
      "  done\n"
      "  child=\n";
  if (needs_timers(job)) text += "  kill \"${timers[@]}\" 2>/dev/null\n";
  return text + "}\n";
}

// True when the run is to be started again: it asks for it, and there was progress not too long ago.
std::string progress_text(const Job& job) {
  return "\nwants_restart() {\n"
         "  if [ \"$status\" -ne 75 ] || [ -e \"$run_dir/cancelled\" ]; then return 1; fi\n"
         "  local newest=none last=none stalled=0 path\n"
         "  for path in " +
         shell_quote(job.checkpoints.empty() ? job.run_dir + "/ckpt" : job.checkpoints) +
         "/step-*; do\n"
         "    if [ -e \"$path\" ]; then newest=${path##*/}; fi\n"
         "  done\n"
         "  if [ -r \"$run_dir/restarts\" ]; then read -r last stalled <\"$run_dir/restarts\"; fi\n"
         "  if [ \"$newest\" = \"$last\" ]; then stalled=$((stalled + 1)); else stalled=0; fi\n" +
         fmt::format(
             "  if [ \"$stalled\" -ge {0} ]; then\n"
             "    echo \"lbann-launch: started {0} times without a newer checkpoint; giving up\" >&2\n"
             "    return 1\n"
             "  fi\n",
             job.max_restarts) +
         "  echo \"$newest $stalled\" >\"$run_dir/restarts\"\n"
         "}\n";
}

std::string restart_text(const Job& job) {
  std::string text = "\nrestart() {\n";
  if (job.scheduler == Scheduler::slurm) {
    text +=
        "  # The user's scancel is the end; the scheduler's reasons are not.\n"
        "  local state id\n"
        "  state=$(scontrol show job --oneliner \"$SLURM_JOB_ID\" | sed -n "
        "'s/.*JobState=\\([A-Z_]*\\).*/\\1/p')\n"
        "  case $state in\n"
        "    CANCELLED) return 1 ;;\n"
        "    RUNNING) if scontrol requeue \"$SLURM_JOB_ID\"; then return 0; fi ;;\n"
        "  esac\n";
  } else {
    text +=
        "  local id\n"
        "  if [ -n \"$stopped\" ]; then return 1; fi\n";
  }
  text += fmt::format("  id=$({}) || return 1\n", scheduler_of(job).resubmit);
  text +=
      "  if [ -z \"$id\" ]; then return 1; fi\n"
      "  echo \"" +
      std::string(name_of(job.scheduler)) +
      " $id\" >>\"$run_dir/jobs\"\n"
      "}\n";
  return text;
}

std::string end_text(const Job& job) {
  std::string text = "\necho \"Started at $(date)\"\n";
  if (!job.asks(R::max_restarts)) {
    text += "run\n";
  } else if (job.batch) {
    text +=
        "run\n"
        "if wants_restart && restart; then\n"
        "  echo \"To be continued, $(date)\"\n"
        "  exit 75\n"
        "fi\n";
  } else {
    text +=
        "run\n"
        "while [ -z \"$stopped\" ] && wants_restart; do\n"
        "  echo \"Continued at $(date)\"\n"
        "  run\n"
        "done\n";
  }
  text +=
      "if [ -n \"$stopped\" ]; then echo \"lbann-launch: stopped by SIG$stopped\" >&2; fi\n"
      "echo \"Finished at $(date)\"\n";
  if (!job.run_dir.empty()) text += "echo \"$status\" >\"$run_dir/exit_code\"\n";
  return text + "exit \"$status\"\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> exports_of(const Job& job) {
  std::vector<std::pair<std::string, std::string>> out;
  const Allocation& a = job.allocation;
  if (a.cores_per_proc > 0) out.emplace_back("OMP_NUM_THREADS", std::to_string(a.cores_per_proc));
  // A wrong PMI starts N worlds of one process; lbann-train compares this with what MPI says.
  if (a.num_ranks() > 1) out.emplace_back("LBANN_EXPECTED_WORLD", std::to_string(a.num_ranks()));
  if (!job.checkpoints.empty() && job.signal != "USR1") out.emplace_back("LBANN_PREEMPT_SIGNAL", job.signal);
  if (job.scheduler == Scheduler::mpich && a.time_limit > 0)
    out.emplace_back("MPIEXEC_TIMEOUT", std::to_string(a.time_limit));
  for (const std::string& item : job.text(R::env)) {
    const std::size_t equals = item.find('=');
    out.emplace_back(item.substr(0, equals), item.substr(equals + 1));
  }
  return out;
}

std::string plain_text(const Job& job) {
  std::string text = "#!/bin/sh\n";
  for (const auto& [name, value] : exports_of(job))
    text += "export " + name + "=" + shell_quote(value) + "\n";
  if (job.asks(R::work_dir) && cell_of(launcher_of(job), R::work_dir).honoured == Honoured::script)
    text += "cd " + shell_quote(job.work_dir) + " || exit 10\n";
  std::vector<std::string> words = launch_words(job);
  words.insert(words.end(), job.command.begin(), job.command.end());
  return text + "exec " + shell_line(words) + "\n";
}

bool needs_script(const Job& job) {
  return job.batch || !job.run_dir.empty() || job.asks(R::preamble) || job.asks(R::cleanup) ||
         job.asks(R::max_restarts) || needs_timers(job);
}

std::string script_text(const Job& job) {
  std::string text = header_text(job);
  text += fmt::format("\n# {}: {} ranks on {} nodes. Written by lbann-launch.\n", job.name,
                      job.allocation.num_ranks(), job.allocation.nodes);
  // Words of the command are literal; traps call functions that nothing else calls.
  text += "# shellcheck disable=SC2016,SC2317\n";
  text += setup_text(job) + cleanup_text(job) + signals_text(job) + timers_text(job) + run_text(job);
  if (job.asks(R::max_restarts)) text += progress_text(job);
  if (job.asks(R::max_restarts) && job.batch) text += restart_text(job);
  for (const std::string& line : job.text(R::preamble)) text += (text.empty() ? "" : "\n") + line;
  if (job.asks(R::preamble)) text += "\n";
  return text + end_text(job);
}

}  // namespace lbann::launch
