// Opens the data sets that an experiment's readers name and divides their samples among roles.
#pragma once

#include <map>

#include "model/settings.hpp"
#include "train/trainer.hpp"

namespace lbann::train {

/// One part per mode that has samples. A role `validate` or `tournament` without reader of its own is
/// served by the fraction that the training reader gives up. Throws base::Error (data, config).
std::map<DataMode, DataPart> open_data(const model::TrainingSettings& settings, std::uint64_t seed);

/// Fields of the opened data as the model sees them. Throws base::Error (data) when a later reader's
/// samples have other dims than the first one's.
std::vector<model::DataField> data_fields(const std::map<DataMode, DataPart>& data);

}  // namespace lbann::train
