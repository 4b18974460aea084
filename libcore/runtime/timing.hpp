// Times every kernel of a plan on made-up data: for calibrations, where no trainer and no data set is.
#pragma once

#include "runtime/plan.hpp"

namespace lbann::runtime {

/// The shortest time of each step among `repetitions` runs after `warm_up`, on the OpenMP threads of the
/// plan's machine. Weights and inputs hold small numbers, step scalars zeros, so nothing is learnt.
std::vector<StepTime> time_plan(const passes::Compilation& compiled, int warm_up, int repetitions);

}  // namespace lbann::runtime
