// trainer.training_algorithm: how long to train.
//
//   absent                              model.num_epochs epochs
//   SGD { stopping_criteria { ... } }   max_epochs epochs, max_batches steps or max_seconds seconds;
//                                       model.num_epochs does not count then
//   LTFB, KFAC                          refused by name: not yet supported
#pragma once

#include "model/settings.hpp"
#include "model/settings_binder.hpp"

namespace lbann::model {

/// Fills `num_epochs`, `max_steps` and `max_seconds`.
void bind_algorithm(SettingsBinder& binder, TrainingSettings& settings);

/// Sets the number of epochs where the experiment takes it from, as --set would.
void apply_num_epochs(std::int64_t num_epochs, Experiment& experiment, base::Diagnostics& diagnostics);

}  // namespace lbann::model
