// Iterative throughout: a chain of 100,000 layers must not exhaust the stack.
#include "model/execution_order.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace lbann::model {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool is_topological(const std::vector<std::vector<int>>& successors) {
  for (std::size_t i = 0; i < successors.size(); ++i)
    for (int next : successors[i])
      if (at(next) <= i) return false;
  return true;
}

enum class Mark : char { fresh, open, done };

/// Post-order of a depth-first walk; every edge that closes a cycle adds one to `cycles`.
std::vector<int> walk(const std::vector<std::vector<int>>& successors, const std::vector<int>& roots,
                      std::vector<std::vector<int>>& cycles) {
  std::vector<Mark> marks(successors.size(), Mark::fresh);
  std::vector<bool> reported(successors.size(), false);
  std::vector<int> post;
  std::vector<std::pair<int, std::size_t>> stack;  // layer, next successor
  for (int root : roots) {
    if (marks[at(root)] != Mark::fresh) continue;
    marks[at(root)] = Mark::open;
    stack.emplace_back(root, 0);
    while (!stack.empty()) {
      auto& [layer, next] = stack.back();
      if (next == successors[at(layer)].size()) {
        marks[at(layer)] = Mark::done;
        post.push_back(layer);
        stack.pop_back();
        continue;
      }
      const int child = successors[at(layer)][next++];
      if (marks[at(child)] == Mark::fresh) {
        marks[at(child)] = Mark::open;
        stack.emplace_back(child, 0);
      } else if (marks[at(child)] == Mark::open) {
        std::vector<int> cycle;
        const auto begin =
            std::find_if(stack.begin(), stack.end(), [&](const auto& s) { return s.first == child; });
        for (auto it = begin; it != stack.end(); ++it) cycle.push_back(it->first);
        // Two cycles through one layer are hardly independent mistakes.
        const bool known = std::any_of(cycle.begin(), cycle.end(), [&](int l) { return reported[at(l)]; });
        for (int l : cycle) reported[at(l)] = true;
        if (!known) cycles.push_back(std::move(cycle));
      }
    }
  }
  return post;
}

}  // namespace

ExecutionOrder find_execution_order(const std::vector<std::vector<int>>& successors,
                                    const std::vector<bool>& first) {
  ExecutionOrder result;
  std::vector<int> all(successors.size());
  std::iota(all.begin(), all.end(), 0);
  if (is_topological(successors)) {
    result.order = all;
  } else {
    std::vector<bool> has_parent(successors.size(), false);
    for (const auto& list : successors)
      for (int next : list) has_parent[at(next)] = true;
    std::vector<int> roots;
    for (int layer : all)
      if (!has_parent[at(layer)]) roots.push_back(layer);
    roots.insert(roots.end(), all.begin(), all.end());  // cycles may have no root
    std::vector<int> post = walk(successors, roots, result.cycles);
    if (!result.cycles.empty()) return result;
    result.order.assign(post.rbegin(), post.rend());
  }
  std::stable_partition(result.order.begin(), result.order.end(),
                        [&](int layer) { return first[at(layer)]; });
  return result;
}

}  // namespace lbann::model
