// The option table of lbann-launch: see launch_options.hpp.
//
// The command is cut off before the table sees the words: everything after the first `--` belongs
// to the program and must arrive untouched.
#include "common/launch_options.hpp"

#include <fmt/format.h>

#include <string_view>

namespace lbann::tools {

namespace {

struct Numbers {
  std::optional<std::int64_t> nodes{};
  std::optional<std::int64_t> procs{};
  std::optional<std::int64_t> cores{};
  std::optional<std::int64_t> gpus{};
  std::string time_limit{};
  bool wait = false;
};

void add_options(OptionTable& table, LaunchOptions& options, Numbers& numbers) {
  table.section("Resources");
  table.add_integer("nodes,N", "N", numbers.nodes, 1, 1000000, "Nodes. 1 if not given.");
  table.add_integer("procs-per-node,n", "N", numbers.procs, 1, 4096,
                    "Processes (ranks) per node. 1 if not given.");
  table.add_integer("cores-per-proc,threads-per-proc", "N", numbers.cores, 1, 4096,
                    "Cores of each process; sets OMP_NUM_THREADS.");
  table.add_integer("gpus-per-proc", "N", numbers.gpus, 1, 64, "GPUs of each process.");
  table.add_value("time-limit", "TIME", numbers.time_limit, "Minutes, H:MM:SS or D-HH:MM:SS.");

  table.section("Scheduler");
  table.add_choice<SchedulerChoice>(
      "scheduler", options.scheduler,
      {{"auto", SchedulerChoice::automatic},
       {"slurm", SchedulerChoice::slurm},
       {"flux", SchedulerChoice::flux},
       {"lsf", SchedulerChoice::lsf},
       {"pbs", SchedulerChoice::pbs},
       {"pjm", SchedulerChoice::pjm},
       {"mpirun", SchedulerChoice::mpirun},
       {"local", SchedulerChoice::local}},
      "auto: slurm where sbatch is in PATH, else local for one process, mpirun for "
      "more. flux, lsf, pbs and pjm are not supported yet.");
  table.add_value("job-name", "NAME", options.job.name, "Name of the job.");
  table.add_value("partition", "NAME", options.job.partition, "Partition or queue.");
  table.add_value("account", "NAME", options.job.account, "Account to charge.");
  table.add_value("work-dir", "DIR", options.job.work_dir, "Where the processes start; here if not given.");
  table.add_value("log-file", "FILE", options.job.log_file,
                  "Output of a batch job, appended to; slurm-<job>.out if not given.");
  table.add_list("launcher-arg", "WORD", options.job.launcher_args,
                 "One more word for srun or mpirun. Repeatable.");
  table.add_flag("wait", numbers.wait,
                 "Wait for a batch job and end with its exit code. This is the default.");
  table.add_flag("detach", options.detach, "Submit a batch job and return.");
  table.add_flag("dry-run", options.dry_run, "Print the script and the place of every rank; start nothing.");
}

bool has_line_break(const std::string& text) { return text.find_first_of("\r\n") != std::string::npos; }

void check(LaunchOptions& options, const Numbers& numbers, std::vector<UsageProblem>& problems) {
  launch::Allocation& a = options.job.allocation;
  a.nodes = static_cast<int>(numbers.nodes.value_or(1));
  a.procs_per_node = static_cast<int>(numbers.procs.value_or(1));
  a.cores_per_proc = static_cast<int>(numbers.cores.value_or(0));
  a.gpus_per_proc = static_cast<int>(numbers.gpus.value_or(0));
  if (!numbers.time_limit.empty()) {
    a.time_limit = launch::try_parse_time_limit(numbers.time_limit).value_or(0);
    if (a.time_limit == 0)
      problems.push_back({fmt::format("option '--time-limit': '{}' is no time", numbers.time_limit),
                          "minutes, H:MM:SS or D-HH:MM:SS"});
  }
  if (numbers.wait && options.detach)
    problems.push_back({"options '--wait' and '--detach' contradict each other"});
  const char* const unsupported[] = {"flux", "lsf", "pbs", "pjm"};
  const int place = static_cast<int>(options.scheduler) - static_cast<int>(SchedulerChoice::flux);
  if (place >= 0 && place < 4)
    problems.push_back({fmt::format("scheduler '{}' is not supported yet", unsupported[place]),
                        "use --scheduler=slurm, mpirun or local"});
  if (options.scheduler == SchedulerChoice::local && a.nodes > 1)
    problems.push_back({fmt::format("{} nodes, but scheduler 'local' has one", a.nodes)});
  for (const std::string& text : {options.job.name, options.job.partition, options.job.account,
                                  options.job.work_dir, options.job.log_file})
    if (has_line_break(text)) problems.push_back({"a line break in the value of an option"});
  if (options.job.command.empty())
    problems.push_back(
        {"no command is given", "write it after --: lbann-launch -- lbann-train exp.prototext"});
  // srun and mpirun would take it for an option of theirs.
  else if (options.job.command[0].empty() || options.job.command[0][0] == '-')
    problems.push_back({fmt::format("'{}' is no program", options.job.command[0])});
}

}  // namespace

std::optional<int> parse_launch_options(int argc, const char* const* argv, LaunchOptions& options) {
  Numbers numbers;
  OptionTable table("lbann-launch", "Starts a command on the nodes of a cluster, or here.",
                    "[OPTION]... -- COMMAND [ARGUMENT]...");
  add_options(table, options, numbers);
  add_common_options(table, options.common, false);
  table.set_epilogue(
      "The exit code is the command's own; lbann-launch itself ends with 2 for a wrong command line and 10 "
      "when a program cannot be started. Inside a Slurm allocation srun is used directly.");

  std::vector<const char*> words;
  bool cut = false;
  for (int i = 0; i < argc; ++i) {
    if (cut)
      options.job.command.emplace_back(argv[i]);
    else if (i > 0 && std::string_view(argv[i]) == "--")
      cut = true;
    else
      words.push_back(argv[i]);
  }
  std::vector<std::string> stray;
  table.set_positional(stray);
  // A call with nothing but a command is no call without arguments.
  if (words.size() == 1 && cut) words.push_back("--");
  return parse_command_line(
      table, options.common, static_cast<int>(words.size()), words.data(),
      [&](std::vector<UsageProblem>& problems) {
        for (const std::string& word : stray)
          problems.push_back({fmt::format("unexpected argument '{}'", word), "the command comes after --"});
        check(options, numbers, problems);
      });
}

}  // namespace lbann::tools
