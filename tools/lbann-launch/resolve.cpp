// Detection and defaults: see resolve.hpp.
#include "lbann-launch/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "base/process.hpp"
#include "launch/capability.hpp"
#include "launch/script.hpp"

namespace lbann::tools {

namespace {

namespace fs = std::filesystem;
using launch::Request;
using launch::Scheduler;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// Debian's packages put sbatch on machines that belong to no cluster.
bool has_slurm() {
  if (!base::try_find_program("sbatch")) return false;
  if (!base::try_find_program("scontrol")) return true;
  const base::ProcessResult answer = base::run_process({"scontrol", "ping"}, "");
  const std::string text = answer.out + answer.err;
  return answer.exit_code == 0 || (text.find("configuration source") == std::string::npos &&
                                   text.find("Unable to process configuration") == std::string::npos);
}

bool has_pbs() {
  if (!base::try_find_program("qsub")) return false;
  const base::ProcessResult answer = base::run_process({"qsub", "--version"}, "");  // others have a qsub too
  const std::string text = answer.out + answer.err;
  return text.find("pbs") != std::string::npos || text.find("PBS") != std::string::npos;
}

bool has_openmpi() {
  if (!base::try_find_program("mpirun")) return false;
  const base::ProcessResult answer = base::run_process({"mpirun", "--version"}, "");
  return answer.out.find("Open MPI") != std::string::npos || answer.out.find("OpenRTE") != std::string::npos;
}

Scheduler detect(bool several) {
  // Flux runs inside jobs of others, hardly the other way round.
  if (is_set("FLUX_URI")) return Scheduler::flux;
  if (is_set("SLURM_JOB_ID")) return Scheduler::slurm;
  if (is_set("LSB_JOBID")) return Scheduler::lsf;
  if (is_set("PBS_JOBID")) return Scheduler::pbs;
  if (is_set("PJM_JOBID")) return Scheduler::pjm;
  if (has_slurm()) return Scheduler::slurm;
  if (base::try_find_program("flux")) return Scheduler::flux;
  if (base::try_find_program("bsub")) return Scheduler::lsf;
  if (has_pbs()) return Scheduler::pbs;
  if (base::try_find_program("pjsub")) return Scheduler::pjm;
  if (!several) return Scheduler::local;
  if (has_openmpi()) return Scheduler::openmpi;
  if (base::try_find_program("mpiexec.hydra")) return Scheduler::mpich;
  throw base::Error(base::ExitCode::environment,
                    "several processes are asked for, but there is neither a scheduler nor mpirun here");
}

std::string stamp() {
  std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d_%H%M%S", &local);
  return text;
}

// <base>/<date>_<time>_<job>_n<nodes>_ppn<processes>, as LBANN names it.
std::string new_run_dir(const LaunchOptions& o) {
  const fs::path base = o.experiment_dir.empty() ? fs::current_path() : fs::absolute(o.experiment_dir);
  const std::string stem = fmt::format("{}_{}_n{}_ppn{}", stamp(), o.job.name, o.job.allocation.nodes,
                                       o.job.allocation.procs_per_node);
  std::error_code ignored;
  fs::path path = base / stem;
  for (int i = 1; fs::exists(path, ignored); ++i) path = base / fmt::format("{}_{}", stem, i);
  return path.string();
}

std::string absolute_path(const std::string& path) {
  std::string text = fs::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

// MPI modules that lbann-train would open: "openmpi", "mpich".
std::vector<std::string> mpi_modules() {
  std::vector<std::string> found;
  std::error_code ignored;
  const fs::path bin = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::string start = "liblbann_mpi_";
  for (const fs::path& folder : {bin, bin / "../lib", bin / "../lib/lbann"}) {
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
      const std::string name = it->path().filename().string();
      if (name.compare(0, start.size(), start) == 0 && it->path().extension() == ".so")
        found.push_back(name.substr(start.size(), name.size() - start.size() - 3));
    }
  }
  return found;
}

[[noreturn]] void refuse_all(const std::vector<launch::Refusal>& found) {
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    base::log().error(found[i].message);
    if (!found[i].help.empty()) base::log().talk("help: " + found[i].help + "\n");
  }
  throw base::Error(base::ExitCode::usage, found.back().message, found.back().help);
}

}  // namespace

std::string find_tool(const std::string& program) {
  if (base::try_find_program(program) || program.find('/') != std::string::npos) return program;
  std::error_code ignored;
  const auto beside = fs::read_symlink("/proc/self/exe", ignored).parent_path() / program;
  return base::try_find_program(beside.string()) ? beside.string() : program;
}

void resolve_scheduler(LaunchOptions& o) {
  const bool several = o.nodes.value_or(1) * o.procs.value_or(1) > 1 || o.gpus_at_least.value_or(1) > 1 ||
                       !o.memory_at_least.empty();
  o.job.scheduler = o.scheduler == SchedulerChoice::automatic
                        ? detect(several)
                        : static_cast<Scheduler>(static_cast<int>(o.scheduler) - 1);
  const char* variable = launch::scheduler_of(o.job).allocation_variable;
  o.job.in_allocation = *variable != '\0' && is_set(variable);
}

void resolve_sizes(LaunchOptions& o) {
  launch::Job& job = o.job;
  launch::Allocation& a = job.allocation;
  a.nodes = static_cast<int>(o.nodes.value_or(1));
  a.procs_per_node = static_cast<int>(o.procs.value_or(o.gpus_of_node > 0 ? o.gpus_of_node : 1));
  const bool one_gpu_each = o.gpus_of_node > 0 && a.gpus_per_proc == 0 && !o.procs;
  if (one_gpu_each && launch::cell_of(launch::scheduler_of(job), Request::gpus_per_proc).honoured !=
                          launch::Honoured::refused) {
    a.gpus_per_proc = 1;
    o.origins["gpus-per-proc"] = "one for each process, --gpus-per-node";
    o.origins["procs-per-node"] = "one for each GPU, --gpus-per-node";
  }
  std::vector<launch::Refusal> found;
  if (o.cores_of_node > 0 && a.node_cores() > o.cores_of_node)
    found.push_back({Request::cores_per_proc,
                     fmt::format("{} processes with {} cores need {} cores, but a node has {}",
                                 a.procs_per_node, a.cores_per_proc, a.node_cores(), o.cores_of_node)});
  if (o.gpus_of_node > 0 && a.node_gpus() > o.gpus_of_node)
    found.push_back({Request::gpus_per_proc,
                     fmt::format("{} processes with {} GPUs need {} GPUs, but a node has {}",
                                 a.procs_per_node, a.gpus_per_proc, a.node_gpus(), o.gpus_of_node)});
  if (o.memory_of_node > 0 && a.memory_per_node > o.memory_of_node)
    found.push_back({Request::memory_per_node,
                     fmt::format("{} are asked for, but a node has {}", launch::size_text(a.memory_per_node),
                                 launch::size_text(o.memory_of_node))});
  if (!found.empty()) refuse_all(found);

  job.signal_before = o.signal_before.value_or(
      o.is_experiment && a.time_limit > 0 ? std::min<std::int64_t>(120, a.time_limit / 4) : 0);
  job.max_restarts = o.max_restarts.value_or(o.is_experiment && job.batch ? 3 : 0);
  for (const std::string& item : o.site_env) {
    const std::string name = item.substr(0, item.find('='));
    const auto& given = job.text(Request::env);
    const bool has = std::any_of(given.begin(), given.end(),
                                 [&](const std::string& g) { return g.substr(0, g.find('=')) == name; });
    if (!has && std::getenv(name.c_str()) == nullptr) job.texts[Request::env].push_back(item);
  }
}

void resolve_files(LaunchOptions& o) {
  launch::Job& job = o.job;
  const bool keeps = !o.run_dir.empty() || o.is_experiment || job.batch || o.setup_only ||
                     job.max_restarts > 0 || job.asks(Request::out_log) || job.asks(Request::err_log);
  if (keeps) {
    job.run_dir = o.run_dir.empty() ? new_run_dir(o) : absolute_path(o.run_dir);
    job.script_file = job.run_dir + "/batch.sh";
    for (const auto& [request, name] :
         {std::pair{Request::out_log, "out.log"}, {Request::err_log, "err.log"}})
      job.texts[request] = {job.asks(request) ? absolute_path(job.text(request)[0])
                                              : job.run_dir + "/" + name};
  }
  if (!job.work_dir.empty())
    job.work_dir = absolute_path(job.work_dir);
  else if (job.batch)
    job.work_dir = fs::current_path().string();
  if (job.asks(Request::hostfile))
    job.texts[Request::hostfile] = {absolute_path(job.text(Request::hostfile)[0])};
  if (!o.is_experiment) {
    if (!job.command.empty()) job.command[0] = find_tool(job.command[0]);
    return;
  }
  // The copy in the run directory is what runs: later edits do not reach a job that waits or restarts.
  std::vector<std::string> words = {find_tool("lbann-train")};
  std::string trainer_dir = job.run_dir;
  const std::string option = "--run-dir=";
  for (const std::string& word : job.command)
    if (word.compare(0, option.size(), option) == 0 || word.compare(0, option.size(), "--run_dir=") == 0)
      trainer_dir = absolute_path(word.substr(option.size()));
  if (trainer_dir == job.run_dir) words.push_back(option + job.run_dir);
  words.push_back(job.run_dir + "/experiment" + fs::path(job.command[0]).extension().string());
  words.insert(words.end(), job.command.begin() + 1, job.command.end());
  job.command = words;
  job.checkpoints = trainer_dir + "/ckpt";
}

void check_trainer(const LaunchOptions& o) {
  if (!o.is_experiment || o.job.allocation.num_ranks() == 1 || !mpi_modules().empty()) return;
  throw base::Error(
      base::ExitCode::environment,
      fmt::format("{} ranks are asked for, but this lbann-train has no MPI: it trains in one process",
                  o.job.allocation.num_ranks()),
      "leave --nodes and --procs-per-node out");
}

void check_refusals(const LaunchOptions& o) {
  launch::Job asked = o.job;
  // What a site or a default says about new nodes does not concern an allocation that is there.
  if (asked.in_allocation && !asked.batch) {
    const auto by_us = [&](const char* option) {
      const auto origin = o.origins.find(option);
      return origin != o.origins.end() && origin->second != "command line" && origin->second != "environment";
    };
    if (by_us("gpus-per-proc")) asked.allocation.gpus_per_proc = 0;
    if (by_us("memory-per-node")) asked.allocation.memory_per_node = 0;
    for (auto it = asked.texts.begin(); it != asked.texts.end();) {
      const auto origin = o.origins.find(launch::option_of(it->first));
      const bool by_user =
          origin == o.origins.end() || origin->second == "command line" || origin->second == "environment";
      it = by_user ? std::next(it) : asked.texts.erase(it);
    }
  }
  const auto found = launch::refusals(asked);
  if (!found.empty()) refuse_all(found);
}

void choose_pmi(LaunchOptions& o) {
  launch::Job& job = o.job;
  if (&launch::launcher_of(job) != &launch::slurm_backend() || job.allocation.num_ranks() == 1) return;
  if (job.asks(Request::mpi) || !base::try_find_program("srun")) return;
  for (const std::string& word : job.text(Request::launcher_arg))
    if (word.compare(0, 5, "--mpi") == 0) return;
  const auto program = base::try_find_program(job.command.at(0));
  if (!program || !base::try_find_program("ldd")) return;
  const std::string libraries = base::run_process({"ldd", *program}, "").out;
  bool mpich = libraries.find("libmpich.so") != std::string::npos ||
               libraries.find("libmpi.so.12") != std::string::npos;
  bool openmpi = libraries.find("libmpi.so.") != std::string::npos && !mpich;
  if (fs::path(*program).filename() == "lbann-train") {  // opens its MPI when it runs
    const std::vector<std::string> modules = mpi_modules();
    openmpi = std::find(modules.begin(), modules.end(), "openmpi") != modules.end();
    mpich = !openmpi && !modules.empty();
  }
  if (!mpich && !openmpi) return;
  const base::ProcessResult list = base::run_process({"srun", "--mpi=list"}, "");
  const std::string offered = list.out + list.err;
  const std::string wanted = mpich ? "pmi2" : "pmix";
  if (offered.find(wanted) != std::string::npos) {
    job.texts[Request::mpi] = {wanted};
    o.origins["mpi"] =
        fmt::format("found out: {} is what {} understands", wanted, mpich ? "MPICH" : "Open MPI");
  } else if (list.exit_code == 0) {
    base::log().warning(
        fmt::format("srun offers no {}, which {} needs: each rank might be alone in a world of its own",
                    wanted, mpich ? "MPICH" : "Open MPI"));
  }
}

}  // namespace lbann::tools
