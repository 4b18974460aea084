// Three rows of the alignment table suffice, because a swap looks back two rows.
// Names longer than 200 bytes are nobody's typo and get no suggestion (bounds the cost).
#include "base/edit_distance.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tuple>
#include <vector>

namespace lbann::base {

namespace {

constexpr std::size_t max_name = 200;

char fold(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

int substitution_cost(char a, char b) {
  if (a == b) return 0;
  return fold(a) == fold(b) ? 1 : 2;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && fold(a[n]) == fold(b[n])) ++n;
  return n;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::array<std::vector<int>, 3> rows;
  for (auto& row : rows) row.resize(width);
  for (std::size_t j = 0; j < width; ++j) rows[0][j] = static_cast<int>(2 * j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& now = rows[i % 3];
    const auto& before = rows[(i + 2) % 3];
    const auto& two_before = rows[(i + 1) % 3];
    now[0] = static_cast<int>(2 * i);
    for (std::size_t j = 1; j < width; ++j) {
      int best = std::min(before[j] + 2, now[j - 1] + 2);
      best = std::min(best, before[j - 1] + substitution_cost(a[i - 1], b[j - 1]));
      const bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                           fold(a[i - 2]) == fold(b[j - 1]) && a[i - 1] != a[i - 2];
      if (swapped) best = std::min(best, two_before[j - 2] + 2);
      now[j] = best;
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::optional<std::string> try_closest(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > max_name) return std::nullopt;
  const int limit = 2 * std::clamp(static_cast<int>(name.size() + 1) / 3, 1, 4);
  using Rank = std::tuple<int, int, int>;  // distance, -common prefix, difference of lengths
  std::optional<Rank> best_rank;
  const std::string* best = nullptr;
  for (const auto& candidate : candidates) {
    const int length_gap = std::abs(static_cast<int>(candidate.size()) - static_cast<int>(name.size()));
    if (candidate.size() > max_name || 2 * length_gap > limit) continue;
    const int distance = edit_distance(name, candidate);
    if (distance > limit) continue;
    // A name of which everything would have to change is no suggestion.
    if (distance >= 2 * static_cast<int>(std::min(name.size(), candidate.size()))) continue;
    const Rank rank{distance, -static_cast<int>(common_prefix(name, candidate)), length_gap};
    if (!best_rank || rank < *best_rank) {
      best_rank = rank;
      best = &candidate;
    }
  }
  if (best != nullptr) return *best;
  if (name.size() < 3) return std::nullopt;
  for (const auto& candidate : candidates) {
    if (common_prefix(name, candidate) != name.size()) continue;
    if (best != nullptr) return std::nullopt;  // not unique
    best = &candidate;
  }
  if (best != nullptr) return *best;
  return std::nullopt;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const auto closest = try_closest(name, candidates);
  return closest ? "did you mean '" + *closest + "'?" : std::string{};
}

}  // namespace lbann::base
