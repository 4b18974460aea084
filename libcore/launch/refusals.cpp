// What a back end cannot honour: the cells of the table, and what single cells cannot know.
#include <fmt/format.h>

#include "launch/capability.hpp"

namespace lbann::launch {

namespace {

using R = Request;

bool has_line_break(const std::string& text) { return text.find_first_of("\r\n") != std::string::npos; }

bool is_launchers(Request request) {
  return request == R::launcher_arg || request == R::bind || request == R::mpi || request == R::hostfile;
}

// Sizes decide what is started, a limit is kept by a timer, a name names the run directory.
bool is_settled_here(Request request) {
  return request == R::nodes || request == R::procs_per_node || request == R::time_limit ||
         request == R::job_name;
}

bool is_told(const Job& job, Request request) {
  for (const Flag& flag : launch_flags(job))
    if (flag.request == request) return true;
  return false;
}

void check_cells(const Job& job, std::vector<Refusal>& out) {
  const Backend& scheduler = scheduler_of(job);
  const Backend& launcher = launcher_of(job);
  for (int i = 0; i < num_requests; ++i) {
    const auto request = static_cast<Request>(i);
    if (!job.asks(request)) continue;
    const Backend& backend = is_launchers(request) ? launcher : scheduler;
    const Cell& cell = cell_of(backend, request);
    if (cell.honoured == Honoured::refused) {
      out.push_back({request, fmt::format("option '--{}' cannot be honoured by {}: {}", option_of(request),
                                          backend.name, cell.reason)});
      continue;
    }
    // Said only where nodes are got, and here they are there already.
    const bool inside = !job.batch && job.in_allocation;
    if (inside && cell.honoured == Honoured::flags && !is_settled_here(request) && !is_told(job, request))
      out.push_back(
          {request,
           fmt::format("option '--{}' asks for new nodes, but this is inside an allocation ({} is set)",
                       option_of(request), backend.allocation_variable),
           "leave it out, or submit with --batch"});
    if (request == R::test_only && !job.batch)
      out.push_back({request, "option '--test-only' tries a submission and needs --batch"});
    for (const std::string& text : job.text(request))
      if (request != R::preamble && request != R::cleanup && request != R::env && has_line_break(text))
        out.push_back(
            {request, fmt::format("option '--{}': the value has a line break", option_of(request))});
  }
}

void check_way(const Job& job, std::vector<Refusal>& out) {
  const Backend& scheduler = scheduler_of(job);
  const Backend& launcher = launcher_of(job);
  if (job.batch && scheduler.prefix[0] == '\0')
    out.push_back({R::nodes, fmt::format("option '--batch' cannot be honoured by {}: there are no batch jobs",
                                         scheduler.name)});
  if (!job.batch && !job.in_allocation && !scheduler.allocates)
    out.push_back(
        {R::nodes, fmt::format("{} is here, but no allocation", scheduler.name), scheduler.no_allocation});
  const bool known = job.launcher == Launcher::automatic || job.launcher == Launcher::openmpi ||
                     job.launcher == Launcher::mpich || job.launcher == Launcher::none ||
                     &launcher == &scheduler;
  if (!known)
    out.push_back({R::launcher_arg, fmt::format("launcher '{}' does not belong to {}", name_of(job.launcher),
                                                scheduler.name)});
  if (!job.batch && !job.in_allocation && scheduler.allocates && &launcher != &scheduler &&
      scheduler.prefix[0] != '\0')
    out.push_back(
        {R::launcher_arg,
         fmt::format("launcher '{}' cannot get nodes from {}", name_of(job.launcher), scheduler.name),
         "add --batch, or start inside an allocation"});
}

void check_size(const Job& job, std::vector<Refusal>& out) {
  const Allocation& a = job.allocation;
  const Backend& launcher = launcher_of(job);
  if (launcher.launch.empty() && a.num_ranks() > 1)
    out.push_back({R::procs_per_node,
                   fmt::format("{} processes on {} nodes, but without a launcher there is one process",
                               a.num_ranks(), a.nodes),
                   "--scheduler=openmpi starts several here"});
  const bool no_nodes = job.scheduler == Scheduler::openmpi || job.scheduler == Scheduler::mpich;
  if (no_nodes && a.nodes > 1 && !job.asks(R::hostfile))
    out.push_back({R::nodes, fmt::format("{} nodes, but {} knows only this one", a.nodes, launcher.name),
                   "name the others with --hostfile=FILE"});
  if (job.asks(R::signal_before)) {
    if (a.time_limit == 0)
      out.push_back({R::signal_before, "option '--signal-before' needs a --time-limit"});
    else if (job.signal_before >= a.time_limit)
      out.push_back(
          {R::signal_before,
           fmt::format("option '--signal-before': {} s before the limit of {} s is before the start",
                       job.signal_before, a.time_limit)});
  }
  if (job.scheduler == Scheduler::pbs && job.asks(R::reservation) && job.asks(R::partition))
    out.push_back({R::reservation,
                   "options '--reservation' and '--partition': with PBS a reservation is a queue, and a job "
                   "has one queue"});
  if (job.asks(R::bind)) {
    const std::string& how = job.text(R::bind).back();
    const bool coarse = &launcher == &flux_backend() || &launcher == &lsf_backend();
    if (coarse && how != "none" && how != "core")
      out.push_back({R::bind, fmt::format("option '--bind={}' cannot be honoured by {}: it binds to cores or "
                                          "not at all",
                                          how, launcher.name)});
    if (how != "none" && launcher.launch.size() == 1 && launcher.launch[0] == "jsrun" &&
        a.cores_per_proc == 0)
      out.push_back({R::bind, "option '--bind=core' needs --cores-per-proc with LSF's jsrun"});
  }
}

}  // namespace

std::vector<Refusal> refusals(const Job& job) {
  std::vector<Refusal> out;
  check_way(job, out);
  check_cells(job, out);
  check_size(job, out);
  return out;
}

}  // namespace lbann::launch
