// Callbacks that check, save or stop: message to plain settings. Reporting ones are bound in settings.cpp,
// schedules in bind_optim.
#pragma once

#include "base/diagnostic.hpp"
#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "model/settings.hpp"

namespace lbann::model {

/// False: not one of ours. Otherwise bound, or refused with every independent error.
bool try_bind_callback(const Experiment& experiment, const LayerGraph& graph, const CallbackNode& node,
                       base::Diagnostics& diagnostics, TrainingSettings& settings);

}  // namespace lbann::model
