// The map of ranks: see affinity.hpp.
#include "launch/affinity.hpp"

#include <fmt/format.h>

namespace lbann::launch {

namespace {

std::string range_text(int process, int width) {
  if (width == 0) return "any";
  const int first = process * width;
  return width == 1 ? std::to_string(first) : fmt::format("{}-{}", first, first + width - 1);
}

}  // namespace

std::string rank_map_text(const Allocation& allocation) {
  constexpr std::int64_t most = 64;
  std::string text =
      fmt::format("{:>6} {:>6} {:>8} {:>9} {:>9}\n", "rank", "node", "process", "cores", "GPUs");
  const std::int64_t num_ranks = allocation.num_ranks();
  for (std::int64_t rank = 0; rank < num_ranks; ++rank) {
    if (num_ranks > most && rank == most / 2) {
      text += fmt::format("{:>6}\n", "...");
      rank = num_ranks - most / 2;
    }
    const int process = static_cast<int>(rank % allocation.procs_per_node);
    text += fmt::format("{:>6} {:>6} {:>8} {:>9} {:>9}\n", rank, rank / allocation.procs_per_node, process,
                        range_text(process, allocation.cores_per_proc),
                        allocation.gpus_per_proc == 0 ? "-" : range_text(process, allocation.gpus_per_proc));
  }
  return text;
}

}  // namespace lbann::launch
