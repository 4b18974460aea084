// Time limits and the map of ranks: see allocation.hpp.
#include "launch/allocation.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lbann::launch {

namespace {

std::optional<std::int64_t> try_digits(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || text.size() > 9) return std::nullopt;
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string range_text(int process, int width) {
  if (width == 0) return "any";
  const int first = process * width;
  return width == 1 ? std::to_string(first) : fmt::format("{}-{}", first, first + width - 1);
}

}  // namespace

std::optional<std::int64_t> try_parse_time_limit(std::string_view text) {
  std::int64_t seconds = 0;
  const std::size_t dash = text.find('-');
  const bool has_days = dash != std::string_view::npos;
  if (has_days) {
    const auto days = try_digits(text.substr(0, dash));
    if (!days) return std::nullopt;
    seconds = *days * 86400;
    text.remove_prefix(dash + 1);
  }
  std::vector<std::int64_t> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    const auto part = try_digits(text.substr(0, colon));
    if (!part || (!parts.empty() && *part > 59)) return std::nullopt;
    parts.push_back(*part);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  if (parts.size() == 1 && !has_days)
    seconds += parts[0] * 60;
  else if (parts.size() == 3)
    seconds += parts[0] * 3600 + parts[1] * 60 + parts[2];
  else
    return std::nullopt;
  if (seconds <= 0) return std::nullopt;
  return seconds;
}

std::string time_limit_text(std::int64_t seconds) {
  return fmt::format("{}-{:02}:{:02}:{:02}", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60,
                     seconds % 60);
}

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
