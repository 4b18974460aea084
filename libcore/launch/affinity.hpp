// Where the ranks of a run go: node, process on the node, cores, GPUs.
//
// Ranks are placed node by node: rank r runs on node r / P as its process r % P, P processes per
// node. With T cores per process, process p has cores p*T .. p*T+T-1 of its node; with G GPUs per
// process, GPUs p*G .. p*G+G-1. Without binding the system chooses among the cores of the job.
#pragma once

#include <string>

#include "launch/allocation.hpp"

namespace lbann::launch {

/// One line per rank; more than 64 ranks: the ends.
std::string rank_map_text(const Allocation& allocation);

}  // namespace lbann::launch
