// Names the first tensor of a step that is not finite.
#pragma once

#include <string>

#include "runtime/plan.hpp"

namespace lbann::train {

/// Runs the step again and reports the first node with a NaN or infinity among its results, with its
/// layer and phase: "first seen in layer 'conv2' (convolution), forward". The inputs must still be bound.
std::string find_first_bad_value(runtime::Runner& runner);

}  // namespace lbann::train
