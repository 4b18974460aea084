// What makes an experiment this one and no other: the lines that a checkpoint keeps, so that a run is only
// continued by the same experiment, and a refusal can name what differs.
//
// Counted: model, optimizer, readers, mini-batch size, and callbacks that act on training. Not counted:
// num_epochs, paths, names of trainer and model, callbacks that only observe. Files, formatting, comments and
// spellings of the past leave no trace, because the bound message is listed.
#pragma once

#include <string>
#include <vector>

#include "model/experiment.hpp"

namespace lbann::model {

/// "model.layer[2].convolution.kernel_size: \"5\"", in the order of the schema.
std::vector<std::string> list_identity(const Experiment& experiment);

}  // namespace lbann::model
