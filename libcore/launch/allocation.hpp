// How much of a machine a run asks for; times and sizes as users write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lbann::launch {

struct Allocation {
  int nodes = 1;
  int procs_per_node = 1;
  int cores_per_proc = 0;            // 0: not asked for
  int gpus_per_proc = 0;             // 0: not asked for
  std::int64_t memory_per_node = 0;  // bytes; 0: not asked for
  std::int64_t time_limit = 0;       // seconds; 0: none given

  std::int64_t num_ranks() const { return std::int64_t{nodes} * procs_per_node; }
  std::int64_t node_cores() const { return std::int64_t{procs_per_node} * cores_per_proc; }
  std::int64_t node_gpus() const { return std::int64_t{procs_per_node} * gpus_per_proc; }
};

/// Seconds: minutes (`90`), `90s`, `90m`, `1.5h`, `2d`, `H:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`;
/// nullopt if it is none of them or zero. `1:30` is refused: Slurm reads minutes, LSF hours.
std::optional<std::int64_t> try_parse_time_limit(std::string_view text);
/// `D-HH:MM:SS`
std::string time_limit_text(std::int64_t seconds);

/// Bytes: `512M`, `16GiB`, `1.5T`; a bare number is MiB, as Slurm has it. nullopt if it is none or zero.
std::optional<std::int64_t> try_parse_size(std::string_view text);
/// `16 GiB`, `1.5 GiB`
std::string size_text(std::int64_t bytes);

}  // namespace lbann::launch
