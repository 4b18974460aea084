// Refuses NaN as a parameter of a layer, in one place for all kinds.
#pragma once

#include "base/diagnostic.hpp"
#include "model/experiment.hpp"

namespace lbann::model {

/// An error at each number that is NaN in the blocks of layers and operators. Values that go into a tensor
/// as they are (value, constant) may be NaN.
void check_numbers(const Experiment& experiment, base::Diagnostics& diagnostics);

}  // namespace lbann::model
