// The option table of lbann-launch: see launch_options.hpp.
//
// The command is cut off before the table sees the words: everything after the first `--`, or from the
// first word on that is no option, belongs to the program and must arrive untouched.
#include "common/launch_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "common/intervals.hpp"
#include "common/launch_site.hpp"
#include "launch/capability.hpp"

namespace lbann::tools {

namespace {

using launch::Request;

enum class Bind { automatic, none, core, socket, numa };

// Texts of options, before they are checked together.
struct Texts {
  std::optional<std::int64_t> cores{};
  std::optional<std::int64_t> gpus{};
  std::optional<std::int64_t> cores_of_node{};
  std::optional<std::int64_t> gpus_of_node{};
  std::string memory{}, memory_of_node{}, memory_of_gpu{}, time_limit{}, signal_before{};
  std::string preempt_signal = "USR1";
  std::map<Request, std::string> named{};
  std::map<Request, std::vector<std::string>> lists{};
  std::vector<std::string> sweep{};
  Bind bind = Bind::automatic;
  bool exclusive = false, test_only = false, no_preflight = false, detach = false;
  std::string site = "auto";
};

void add_resource_options(OptionTable& table, LaunchOptions& options, Texts& texts) {
  table.section("Resources");
  table.add_integer("nodes,N", "N", options.nodes, 1, 1000000, "Nodes. 1 if not given.");
  table.add_integer("procs-per-node,n", "N", options.procs, 1, 4096,
                    "Processes (ranks) per node. 1 if neither this nor the site says otherwise.");
  table.add_integer("cores-per-proc,threads-per-proc", "N", texts.cores, 1, 4096,
                    "Cores of each process; sets OMP_NUM_THREADS.");
  table.add_integer("gpus-per-proc", "N", texts.gpus, 1, 64, "GPUs of each process.");
  table.add_value("memory-per-node", "SIZE", texts.memory, "Memory of each node: 64G, 500M.");
  table.add_value("time-limit", "TIME", texts.time_limit,
                  "Minutes, 90s, 90m, 1.5h, H:MM:SS, D-HH or D-HH:MM:SS.");
  table.add_integer("gpus-at-least", "N", options.gpus_at_least, 1, 1000000,
                    "As many nodes as have N GPUs together; needs --gpus-per-node.");
  table.add_value("memory-at-least", "SIZE", options.memory_at_least,
                  "As many nodes as have SIZE of memory together (of their GPUs, where there are any); "
                  "plan: as many ranks as the plan of lbann-validate needs to fit.");
  table.add_integer("cores-per-node", "N", texts.cores_of_node, 1, 4096,
                    "What a node has: cores. Requests are checked against it.");
  table.add_integer("gpus-per-node", "N", texts.gpus_of_node, 0, 64, "What a node has: GPUs.");
  table.add_value("node-memory", "SIZE", texts.memory_of_node, "What a node has: memory.");
  table.add_value("gpu-memory", "SIZE", texts.memory_of_gpu, "What a GPU has: memory.");
}

void add_scheduler_options(OptionTable& table, LaunchOptions& options, Texts& texts) {
  table.section("Scheduler");
  table.add_choice<SchedulerChoice>(
      "scheduler", options.scheduler,
      {{"auto", SchedulerChoice::automatic},
       {"slurm", SchedulerChoice::slurm},
       {"flux", SchedulerChoice::flux},
       {"lsf", SchedulerChoice::lsf},
       {"pbs", SchedulerChoice::pbs},
       {"pjm", SchedulerChoice::pjm},
       {"openmpi", SchedulerChoice::openmpi},
       {"mpirun", SchedulerChoice::openmpi},
       {"mpich", SchedulerChoice::mpich},
       {"local", SchedulerChoice::local}},
      "auto: that of the allocation this runs in, else of the commands that are here; without any, "
      "openmpi or mpich for several processes and local for one.");
  table.add_choice<launch::Launcher>("launcher", options.job.launcher,
                                     {{"auto", launch::Launcher::automatic},
                                      {"srun", launch::Launcher::srun},
                                      {"flux", launch::Launcher::flux},
                                      {"jsrun", launch::Launcher::jsrun},
                                      {"openmpi", launch::Launcher::openmpi},
                                      {"mpich", launch::Launcher::mpich},
                                      {"pbs", launch::Launcher::pbs},
                                      {"pjm", launch::Launcher::pjm},
                                      {"none", launch::Launcher::none}},
                                     "What starts the ranks on the nodes. auto: the scheduler's own.");
  table.add_flag("batch,batch-job", options.job.batch,
                 "Submit the script. Without it the command is started at once: inside the allocation, or "
                 "by a launcher that gets nodes itself.");
  table.add_value("job-name", "NAME", options.job.name, "Name of the job.");
  const auto named = [&](Request request, const char* metavar, const char* help) {
    table.add_value(launch::option_of(request), metavar, texts.named[request], help);
  };
  named(Request::partition, "NAME", "Partition or queue.");
  named(Request::account, "NAME", "Account, bank or project to charge.");
  named(Request::reservation, "NAME", "Reservation.");
  named(Request::qos, "NAME", "Quality of service.");
  named(Request::constraint, "TEXT", "Features that nodes must have, in the scheduler's words.");
  table.add_flag("exclusive", texts.exclusive, "Share nodes with no other job.");
  named(Request::nodelist, "HOSTS", "These nodes.");
  named(Request::exclude, "HOSTS", "Not these nodes.");
  named(Request::hostfile, "FILE", "Hosts for mpirun and mpiexec.");
  named(Request::begin, "TIME", "Not before this time, in the scheduler's words.");
  named(Request::dependency, "JOB", "After this job has ended well.");
  named(Request::licenses, "TEXT", "Licenses to hold.");
  named(Request::mail_user, "ADDRESS", "Who gets mail.");
  named(Request::mail_type, "TEXT", "About what, in the scheduler's words.");
  named(Request::comment, "TEXT", "A remark that the scheduler keeps.");
  named(Request::mpi, "KIND", "Process management for the ranks: pmix, pmi2 and so on. auto is found out.");
  table.add_choice<Bind>("bind", texts.bind,
                         {{"auto", Bind::automatic},
                          {"none", Bind::none},
                          {"core", Bind::core},
                          {"socket", Bind::socket},
                          {"numa", Bind::numa}},
                         "What each process is bound to. auto: as the launcher does by itself.");
  table.add_list("launcher-arg,launcher-args", "WORD", texts.lists[Request::launcher_arg],
                 "One more word for what starts the ranks. Repeatable.");
  table.add_list("scheduler-arg,sched-arg", "WORD", texts.lists[Request::scheduler_arg],
                 "One more directive for the scheduler. Repeatable.");
  table.add_value("site", "NAME", texts.site,
                  "Site file with the machine's options: a name, a file, none, or auto: the one that fits.");
}

void add_run_options(OptionTable& table, LaunchOptions& options, Texts& texts) {
  table.section("Run");
  table.add_value("run-dir", "DIR", options.run_dir,
                  "Folder for experiment, script, out.log and err.log, and lbann-train's --run-dir. "
                  "Experiments and batch jobs get a new one if none is given.");
  table.add_value("experiment-dir", "DIR", options.experiment_dir,
                  "Where new run directories are made. Here if not given.");
  table.add_value("work-dir", "DIR", options.job.work_dir, "Where the processes start; here if not given.");
  table.add_value("out-log,log-file", "FILE", texts.named[Request::out_log],
                  "Standard output of the run, appended to; out.log in the run directory if not given.");
  table.add_value("err-log", "FILE", texts.named[Request::err_log],
                  "Standard error; err.log in the run directory.");
  table.add_list("env", "NAME=VALUE", texts.lists[Request::env], "A variable for the ranks. Repeatable.");
  table.add_list("preamble", "COMMAND", texts.lists[Request::preamble],
                 "A line of bash before the run, such as 'module load gcc'. Repeatable.");
  table.add_list("cleanup", "COMMAND", texts.lists[Request::cleanup],
                 "A line of bash after the run, whatever ended it. Repeatable.");
  table.add_flag("overwrite,overwrite-script", options.overwrite,
                 "Replace another run's files in the run directory.");
  table.add_list("sweep", "FIELD=LIST", texts.sweep,
                 "Run once for each value: optimizer.sgd.learn_rate=0.1,0.01 or trainer.random_seed=1..5. "
                 "Several make all combinations.");

  table.section("Preemption");
  table.add_value(
      "signal-before", "TIME", texts.signal_before,
      "Signal this long before the time limit (120s, 5m), so that the trainer saves and ends with "
      "75. The default for experiments is 2 minutes, a quarter of a short limit; 0: no signal.");
  table.add_value("preempt-signal", "NAME", texts.preempt_signal, "Which signal.");
  table.add_integer("max-restarts,requeue", "N", options.max_restarts, 0, 1000000,
                    "After exit code 75 start again, until N starts in a row brought no newer checkpoint. 3 "
                    "for experiments with --batch; 0: never.");
}

void add_mode_options(OptionTable& table, LaunchOptions& options, Texts& texts) {
  table.section("What to do");
  table.add_flag("dry-run", options.dry_run, "Print the script and the place of every rank; start nothing.");
  table.add_flag("explain", options.explain,
                 "Print each flag with the option it says and where that comes from; start nothing.");
  table.add_flag("setup-only", options.setup_only, "Write the run directory; start nothing.");
  table.add_flag("test-only", texts.test_only, "Ask the scheduler whether it would take the job.");
  table.add_flag("no-preflight", texts.no_preflight,
                 "Do not check the experiment with lbann-validate first.");
  table.add_flag("wait", options.wait, "Wait for a batch job and end with its exit code.");
  table.add_flag("detach", texts.detach, "Do not wait. This is the default.");
  table.add_flag("follow", options.follow, "Wait and show the logs as they grow.");
  table.add_value("status", "JOB", options.status, "Print the state of a job: a run directory or an id.");
  table.add_value("cancel", "JOB", options.cancel, "Cancel a job: a run directory or an id.");
}

bool is_experiment_file(std::string_view word) {
  for (const std::string_view end : {".prototext", ".pbtxt", ".textproto", ".txtpb", ".protobin"})
    if (word.size() > end.size() && word.substr(word.size() - end.size()) == end) return true;
  return false;
}

class Checker {
public:
  Checker(LaunchOptions& options, Texts& texts, std::vector<UsageProblem>& problems)
    : o_(options), t_(texts), problems_(problems) {}

  void check_all() {
    launch::Allocation& a = o_.job.allocation;
    a.cores_per_proc = static_cast<int>(t_.cores.value_or(0));
    a.gpus_per_proc = static_cast<int>(t_.gpus.value_or(0));
    o_.cores_of_node = t_.cores_of_node.value_or(0);
    o_.gpus_of_node = t_.gpus_of_node.value_or(0);
    a.memory_per_node = size("memory-per-node", t_.memory);
    o_.memory_of_node = size("node-memory", t_.memory_of_node);
    o_.memory_of_gpu = size("gpu-memory", t_.memory_of_gpu);
    if (o_.memory_at_least != "plan") size("memory-at-least", o_.memory_at_least);
    if (!t_.time_limit.empty()) a.time_limit = time("time-limit", t_.time_limit, false);
    if (!t_.signal_before.empty()) o_.signal_before = time("signal-before", t_.signal_before, true);
    check_texts();
    check_signal();
    check_contradictions();
  }

private:
  void problem(std::string message, std::string help = {}) {
    problems_.push_back({std::move(message), std::move(help)});
  }

  std::int64_t size(const char* option, const std::string& text) {
    if (text.empty()) return 0;
    const auto bytes = launch::try_parse_size(text);
    if (!bytes)
      problem(fmt::format("option '--{}': '{}' is no size", option, text), "write 512M, 64G or 1.5T");
    return bytes.value_or(0);
  }

  std::int64_t time(const char* option, const std::string& text, bool plain_seconds) {
    if (plain_seconds && text == "0") return 0;
    const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
    const auto seconds = launch::try_parse_time_limit(plain_seconds && bare ? text + "s" : text);
    if (!seconds)
      problem(fmt::format("option '--{}': '{}' is no time", option, text),
              plain_seconds ? "write 120s or 5m" : "minutes, 90s, 90m, 1.5h, H:MM:SS or D-HH:MM:SS");
    return seconds.value_or(0);
  }

  void check_texts() {
    auto& texts = o_.job.texts;
    for (const auto& [request, text] : t_.named)
      if (!text.empty()) texts[request] = {text};
    for (const auto& [request, list] : t_.lists)
      if (!list.empty()) texts[request] = list;
    if (t_.exclusive) texts[Request::exclusive] = {"1"};
    if (t_.test_only) texts[Request::test_only] = {"1"};
    constexpr const char* binds[] = {"auto", "none", "core", "socket", "numa"};
    if (t_.bind != Bind::automatic) texts[Request::bind] = {binds[static_cast<int>(t_.bind)]};
    if (texts.count(Request::mpi) && texts[Request::mpi][0] == "auto") texts.erase(Request::mpi);
    for (const std::string& item : o_.job.text(Request::env)) {
      const std::size_t equals = item.find('=');
      const bool named =
          equals != std::string::npos && equals > 0 && !(item[0] >= '0' && item[0] <= '9') &&
          std::all_of(item.begin(), item.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
          });
      if (!named) problem(fmt::format("option '--env': '{}' is not NAME=VALUE", item));
    }
    for (const std::string& text : {o_.job.name, o_.job.work_dir, o_.run_dir, o_.experiment_dir})
      if (text.find_first_of("\r\n") != std::string::npos) problem("a line break in the value of an option");
    for (const std::string& text : t_.sweep) {
      const auto axis = launch::try_parse_sweep(text);
      if (!axis)
        problem(fmt::format("option '--sweep': '{}' is not FIELD=VALUE,VALUE or FIELD=FIRST..LAST", text));
      else
        o_.sweep.push_back(*axis);
    }
  }

  void check_signal() {
    const auto number = try_parse_signal(t_.preempt_signal);
    if (!number || *number == 0) {
      problem(
          fmt::format("option '--preempt-signal': '{}' is no signal that can be caught", t_.preempt_signal),
          "write USR1");
      return;
    }
    o_.job.signal = signal_name(*number).substr(3);
  }

  void check_contradictions() {
    o_.preflight = !t_.no_preflight;
    if ((o_.wait || o_.follow) && t_.detach) problem("options '--wait' and '--detach' contradict each other");
    if (o_.gpus_at_least && o_.nodes)
      problem("options '--gpus-at-least' and '--nodes' contradict each other");
    if (!o_.memory_at_least.empty() && o_.nodes)
      problem("options '--memory-at-least' and '--nodes' contradict each other");
    const bool about_jobs = !o_.status.empty() || !o_.cancel.empty();
    const bool attach = (o_.wait || o_.follow) && !o_.run_dir.empty();
    const auto& command = o_.job.command;
    if (about_jobs && !command.empty())
      problem("options '--status' and '--cancel' are about a job that is there; a command is given too");
    if (command.empty() && !about_jobs && !attach)
      problem("no command is given", "write lbann-launch exp.prototext or lbann-launch -- COMMAND");
    // srun and mpirun would take it for an option of theirs.
    else if (!command.empty() && (command[0].empty() || command[0][0] == '-'))
      problem(fmt::format("'{}' is no program", command[0]));
    if (!o_.sweep.empty() && !o_.is_experiment && !command.empty())
      problem("option '--sweep' sets fields of an experiment, but this is a command");
    if (o_.memory_at_least == "plan" && !o_.is_experiment && !command.empty())
      problem("option '--memory-at-least=plan' is about an experiment, but this is a command");
  }

  LaunchOptions& o_;
  Texts& t_;
  std::vector<UsageProblem>& problems_;
};

// Site files set options that neither environment nor command line has.
void apply_site(OptionTable& table, const std::string& name, LaunchOptions& options,
                std::vector<UsageProblem>& problems) {
  const auto site = choose_site(name);
  if (!site) return;
  options.site_name = site->name;
  for (const launch::SiteEntry& entry : site->entries) {
    const std::string place = fmt::format("{}:{}", entry.span.file, entry.span.line);
    if (entry.key == "env") {
      options.site_env.push_back(entry.value);
      continue;
    }
    const bool modal = entry.key == "site" || entry.key == "status" || entry.key == "cancel";
    const auto wrong = modal ? std::nullopt : table.apply_default(entry.key, entry.value);
    if (!wrong)
      problems.push_back({fmt::format("{}: '{}' is no option that a site can set", place, entry.key)});
    else if (!wrong->empty())
      problems.push_back({fmt::format("{}: {}: {}", place, entry.key, *wrong)});
    else if (table.origin(entry.key) == OptionOrigin::unset)
      options.origins[entry.key] = fmt::format("site {} ({})", site->name, place);
  }
}

void note_origins(const OptionTable& table, LaunchOptions& options) {
  for (int i = 0; i < launch::num_requests; ++i) {
    const std::string name = launch::option_of(static_cast<Request>(i));
    switch (table.origin(name)) {
      case OptionOrigin::command_line:
        options.origins[name] = "command line";
        break;
      case OptionOrigin::environment:
        options.origins[name] = "environment";
        break;
      case OptionOrigin::unset:
        options.origins.emplace(name, "default");
        break;
    }
  }
}

}  // namespace

std::optional<int> parse_launch_options(int argc, const char* const* argv, LaunchOptions& options) {
  Texts texts;
  OptionTable table("lbann-launch", "Starts an experiment or a command on the nodes of a cluster, or here.",
                    "[OPTION]... EXPERIMENT [ARGUMENT]... | [OPTION]... -- COMMAND [ARGUMENT]...");
  add_resource_options(table, options, texts);
  add_scheduler_options(table, options, texts);
  add_run_options(table, options, texts);
  add_mode_options(table, options, texts);
  add_common_options(table, options.common, true);
  table.set_epilogue(
      "EXPERIMENT is a prototext file; what follows it goes to lbann-train. The exit code is the command's "
      "own; "
      "lbann-launch itself ends with 2 for a wrong command line or a request that the scheduler cannot "
      "honour, "
      "and with 10 when a program cannot be started.");

  std::vector<const char*> words(argv, argv + argc);
  std::vector<std::string>& command = options.job.command;
  const auto dashes =
      std::find_if(words.begin(), words.end(), [&](const char* w) { return std::string_view(w) == "--"; });
  auto cut = words.begin() + table.find_operand(argc, argv);
  std::string stray;
  if (cut < dashes && is_experiment_file(*cut)) {
    command.assign(cut, words.end());
  } else {
    if (cut < dashes) stray = *cut;
    if (dashes != words.end()) command.assign(dashes + 1, words.end());
    cut = stray.empty() ? dashes : cut;
  }
  options.is_experiment = !command.empty() && is_experiment_file(command[0]);
  const bool dashed = dashes != words.end();
  words.erase(cut, words.end());
  // A call with nothing but a command is no call without arguments.
  if (words.size() == 1 && (dashed || !command.empty() || !stray.empty())) words.push_back("--");
  std::vector<std::string> none;
  table.set_positional(none);
  return parse_command_line(
      table, options.common, static_cast<int>(words.size()), words.data(),
      [&](std::vector<UsageProblem>& problems) {
        if (!stray.empty())
          problems.push_back({fmt::format("unexpected argument '{}'", stray),
                              "an experiment ends in .prototext; a command comes after --"});
        if (problems.empty()) apply_site(table, texts.site, options, problems);
        note_origins(table, options);
        Checker(options, texts, problems).check_all();
      });
}

}  // namespace lbann::tools
