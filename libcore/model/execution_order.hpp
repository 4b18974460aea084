// The order in which layers run.
#pragma once

#include <string>
#include <vector>

namespace lbann::model {

struct ExecutionOrder {
  std::vector<int> order;                // empty if there is a cycle
  std::vector<std::vector<int>> cycles;  // each: a -> b -> ... (-> a)
};

/// `successors[i]`: layers that run after layer i. File order is kept where it is legal, else it
/// is the reverse post-order of a depth-first walk from the roots in file order. Layers marked
/// `first` (inputs) are moved to the front.
ExecutionOrder find_execution_order(const std::vector<std::vector<int>>& successors,
                                    const std::vector<bool>& first);

}  // namespace lbann::model
