// A run on many ranks: opens the world, lets rank 0 alone speak, and ends all ranks when one fails.
#pragma once

#include <functional>

#include "comm/world.hpp"

namespace lbann::tools {

/// Runs `work` on this rank. Ranks other than 0 are silent: what they would print goes nowhere. When a rank
/// throws, all ranks end at once: with its exit code if rank 0 threw (which then has told why), with 9 if it
/// was another one alone, which then tells on its own: rank, phase, step, layer and collective. Alone, `work`
/// just runs.
int run_on_ranks(double timeout_seconds, const std::function<int(comm::World&)>& work);

/// The first exit code that is not 0 among all ranks; tells which rank it was if this one is rank 0 and well.
int agree_on_code(comm::World& world, int code);

}  // namespace lbann::tools
