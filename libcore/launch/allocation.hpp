// What a run asks of a machine, and where its ranks go.
//
// Ranks are placed node by node: rank r runs on node r / P as its process r % P, P processes per
// node. With T cores per process, process p has cores p*T .. p*T+T-1 of its node; with G GPUs per
// process, GPUs p*G .. p*G+G-1. 0 cores or GPUs: not asked for; the system decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::launch {

struct Allocation {
  int nodes = 1;
  int procs_per_node = 1;
  int cores_per_proc = 0;
  int gpus_per_proc = 0;
  std::int64_t time_limit = 0;  // seconds; 0: none given

  std::int64_t num_ranks() const { return std::int64_t{nodes} * procs_per_node; }
};

/// Minutes (`90`), `H:MM:SS` or `D-HH:MM:SS` in seconds; nullopt if it is none of them or zero.
std::optional<std::int64_t> try_parse_time_limit(std::string_view text);
/// `D-HH:MM:SS`
std::string time_limit_text(std::int64_t seconds);

/// Rank, node, process on the node, cores and GPUs; one line per rank. More than 64 ranks: the ends.
std::string rank_map_text(const Allocation& allocation);

}  // namespace lbann::launch
