// Placeholders and their values: see template.hpp.
#include "launch/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace lbann::launch {

namespace {

std::string hours_text(std::int64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::int64_t minutes_up(std::int64_t seconds) { return (seconds + 59) / 60; }

// --bind as each launcher spells it.
std::string bind_text(std::string_view launcher, const Job& job, const std::string& value) {
  const int cores = std::max(1, job.allocation.cores_per_proc);
  if (launcher == "slurm") return value == "numa" ? "ldoms" : value == "none" ? "none" : value + "s";
  if (launcher == "flux") return value == "none" ? "off" : "per-task";
  if (launcher == "jsrun") return value == "none" ? "none" : fmt::format("packed:{}", cores);
  if (launcher == "hydra") return value == "core" ? fmt::format("core:{}", cores) : value;
  return value;
}

std::string value_of(std::string_view name, const Job& job, const std::string& value) {
  const Allocation& a = job.allocation;
  if (name == "value") return value;
  if (name == "name") return value.substr(0, value.find('='));
  if (name == "value_spaces") {
    std::string spaced = value;
    std::replace(spaced.begin(), spaced.end(), ',', ' ');
    return spaced;
  }
  if (name == "nodes") return std::to_string(a.nodes);
  if (name == "procs") return std::to_string(a.procs_per_node);
  if (name == "ranks") return std::to_string(a.num_ranks());
  if (name == "cores") return std::to_string(a.cores_per_proc);
  if (name == "node_cores") return std::to_string(a.node_cores());
  if (name == "gpus") return std::to_string(a.gpus_per_proc);
  if (name == "node_gpus") return std::to_string(a.node_gpus());
  if (name == "memory_mib") return std::to_string((a.memory_per_node + 1048575) / 1048576);
  if (name == "seconds") return std::to_string(a.time_limit);
  if (name == "dhms") return time_limit_text(a.time_limit);
  if (name == "hms") return hours_text(a.time_limit);
  if (name == "hm")
    return fmt::format("{}:{:02}", minutes_up(a.time_limit) / 60, minutes_up(a.time_limit) % 60);
  if (name == "signal") return job.signal;
  if (name == "signal_seconds") return std::to_string(job.signal_before);
  if (name == "signal_minutes") return std::to_string(minutes_up(job.signal_before));
  if (name == "run_dir") return job.run_dir;
  if (name == "bind_default") return a.cores_per_proc > 0 ? "core" : "none";
  if (name.substr(0, 5) == "bind_") return bind_text(name.substr(5), job, value);
  throw std::logic_error("template: unknown placeholder {" + std::string(name) + "}");
}

std::string substitute(std::string_view word, const Job& job, const std::string& value) {
  std::string out;
  while (!word.empty()) {
    const std::size_t open = word.find('{');
    out += word.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = word.find('}', open);
    if (close == std::string_view::npos) throw std::logic_error("template: '{' without '}'");
    out += value_of(word.substr(open + 1, close - open - 1), job, value);
    word.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

std::vector<std::string> expand(std::string_view text, const Job& job, const std::string& value) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    if (blank > 0) words.push_back(substitute(text.substr(0, blank), job, value));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return words;
}

}  // namespace lbann::launch
