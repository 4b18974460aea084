// --data-dir: one folder for the files of all readers, MNIST's under the names people have them.
#pragma once

#include <string>

#include "model/settings.hpp"

namespace lbann::tools {

/// Readers take their files from `directory`, by the last part of their names. An mnist reader whose file is
/// not there takes the standard pair that is: train-images-idx3-ubyte, else t10k-images-idx3-ubyte (roles
/// other than train: the reverse), plain or .gz; a line on stderr says so.
void apply_data_directory(const std::string& directory, model::TrainingSettings& settings);

}  // namespace lbann::tools
