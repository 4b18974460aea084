// By need, and the check before the flight: see needs.hpp.
#include "lbann-launch/needs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/process.hpp"
#include "launch/allocation.hpp"
#include "lbann-launch/resolve.hpp"

namespace lbann::tools {

namespace {

// The words of lbann-train's command line that say what the experiment is, for lbann-validate.
std::vector<std::string> experiment_words(const std::vector<std::string>& command) {
  const std::vector<std::string> named = {"prototext", "model", "reader",         "optimizer",
                                          "metadata",  "set",   "mini-batch-size"};
  std::vector<std::string> words = {command.at(0)};
  for (std::size_t i = 1; i < command.size(); ++i) {
    std::string name = command[i].substr(0, command[i].find('='));
    std::replace(name.begin(), name.end(), '_', '-');
    const bool option = name.size() > 2 && name.compare(0, 2, "--") == 0;
    const bool wanted = option && std::find(named.begin(), named.end(), name.substr(2)) != named.end();
    const bool file = !option && command[i].size() > 10 &&
                      command[i].compare(command[i].size() - 10, 10, ".prototext") == 0;
    if (wanted || file) words.push_back(command[i]);
    if (wanted && command[i].find('=') == std::string::npos && i + 1 < command.size())
      words.push_back(command[++i]);
  }
  return words;
}

base::ProcessResult validate(const LaunchOptions& o, std::vector<std::string> more) {
  std::vector<std::string> words = {find_tool("lbann-validate")};
  words.insert(words.end(), more.begin(), more.end());
  const std::vector<std::string> files = experiment_words(o.job.command);
  words.insert(words.end(), files.begin(), files.end());
  return base::run_process(words, "");
}

struct Plan {
  std::int64_t bytes = 0;
  std::int64_t batch = 0;
};

Plan plan_of(const LaunchOptions& o, std::int64_t local_batch) {
  std::vector<std::string> more = {"--plan", "--format=json"};
  const base::ProcessResult result = [&] {
    if (local_batch == 0) return validate(o, more);
    LaunchOptions with = o;  // behind the user's own words: the last one counts
    with.job.command.push_back(fmt::format("--mini-batch-size={}", local_batch));
    return validate(with, more);
  }();
  const auto report = base::try_parse_json(result.out);
  const base::JsonValue* plan = report ? report->find("plan") : nullptr;
  const base::JsonValue* bytes = plan ? plan->find("total_bytes") : nullptr;
  const base::JsonValue* batch = report ? report->find("mini_batch_size") : nullptr;
  if (!bytes || !bytes->integer || !batch || !batch->integer)
    throw base::Error(
        result.exit_code == 0 ? base::ExitCode::internal : static_cast<base::ExitCode>(result.exit_code),
        "lbann-validate has no plan of this experiment", "run lbann-validate --plan on it");
  return {*bytes->integer, *batch->integer};
}

// Memory that one process may use.
std::int64_t memory_of_rank(const LaunchOptions& o) {
  if (o.gpus_of_node > 0 && o.memory_of_gpu > 0) return o.memory_of_gpu;
  const std::int64_t node =
      o.job.allocation.memory_per_node > 0 ? o.job.allocation.memory_per_node : o.memory_of_node;
  return node / o.procs.value_or(std::max<std::int64_t>(1, o.gpus_of_node));
}

[[noreturn]] void unknown_node(const char* option, const char* facts) {
  throw base::Error(base::ExitCode::usage, fmt::format("option '{}' needs to know what a node has", option),
                    fmt::format("say it with {}, or with a site file", facts));
}

std::int64_t ranks_for_plan(const LaunchOptions& o) {
  const std::int64_t room = memory_of_rank(o);
  if (room == 0) unknown_node("--memory-at-least=plan", "--node-memory or --gpu-memory and --gpus-per-node");
  const Plan whole = plan_of(o, 0);
  Plan part = whole;
  std::int64_t ranks = 1;
  while (part.bytes > room && ranks < whole.batch) {
    ranks = std::min(2 * ranks, whole.batch);
    part = plan_of(o, (whole.batch + ranks - 1) / ranks);
  }
  if (part.bytes > room)
    throw base::Error(
        base::ExitCode::out_of_memory,
        fmt::format("with one sample for each of {} ranks the plan still needs {} on each, which has {}",
                    ranks, launch::size_text(part.bytes), launch::size_text(room)),
        "lbann-validate --plan shows where it goes");
  base::log().info(fmt::format("the plan needs {} on one rank, {} on each of {}; a rank has {}",
                               launch::size_text(whole.bytes), launch::size_text(part.bytes), ranks,
                               launch::size_text(room)));
  return ranks;
}

}  // namespace

void resolve_needs(LaunchOptions& o) {
  std::int64_t nodes = 0;
  std::string because;
  if (o.gpus_at_least) {
    if (o.gpus_of_node == 0) unknown_node("--gpus-at-least", "--gpus-per-node");
    nodes = (*o.gpus_at_least + o.gpus_of_node - 1) / o.gpus_of_node;
    because = "--gpus-at-least";
  }
  if (!o.memory_at_least.empty()) {
    std::int64_t needed = 0;
    if (o.memory_at_least == "plan") {
      const std::int64_t per_node =
          std::max<std::int64_t>(1, o.procs.value_or(std::max<std::int64_t>(1, o.gpus_of_node)));
      needed = (ranks_for_plan(o) + per_node - 1) / per_node;
    } else {
      const std::int64_t node =
          o.gpus_of_node > 0 && o.memory_of_gpu > 0 ? o.gpus_of_node * o.memory_of_gpu : o.memory_of_node;
      if (node == 0) unknown_node("--memory-at-least", "--node-memory or --gpu-memory and --gpus-per-node");
      needed = (launch::try_parse_size(o.memory_at_least).value_or(0) + node - 1) / node;
    }
    if (needed > nodes) because = "--memory-at-least";
    nodes = std::max(nodes, needed);
  }
  if (nodes == 0) return;
  o.nodes = nodes;
  o.origins["nodes"] = "computed for " + because;
}

namespace {

// The part of the mini-batch that each rank gets must fit into what a rank has, where that is known.
void check_memory(const LaunchOptions& o) {
  const std::int64_t room = memory_of_rank(o);
  const std::int64_t ranks = o.job.allocation.num_ranks();
  if (room == 0) return;
  const std::int64_t batch = plan_of(o, 0).batch;
  if (ranks > batch)
    base::log().warning(
        fmt::format("{} ranks for a mini-batch of {}: {} have nothing to do", ranks, batch, ranks - batch));
  const Plan part = plan_of(o, (batch + ranks - 1) / ranks);
  if (part.bytes > room)
    throw base::Error(
        base::ExitCode::out_of_memory,
        fmt::format("the plan needs {} on each of {} ranks, which have {}", launch::size_text(part.bytes),
                    ranks, launch::size_text(room)),
        "more ranks (--memory-at-least=plan finds how many), a smaller mini-batch, or --no-preflight");
}

}  // namespace

std::optional<int> preflight(const LaunchOptions& o) {
  if (!o.is_experiment || !o.preflight) return std::nullopt;
  const base::ProcessResult result = validate(o, {"--quiet"});
  if (result.exit_code == 0) {
    check_memory(o);
    return std::nullopt;
  }
  std::string said = result.err;
  const std::size_t last = said.rfind("LBANN error: ");
  if (last != std::string::npos) said.resize(last);  // that line is ours to say
  base::log().talk(said + "help: nothing was started; --no-preflight leaves this check out\n");
  return result.exit_code;
}

}  // namespace lbann::tools
