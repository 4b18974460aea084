// Training state to a checkpoint of the run directory: <run-dir>/ckpt/step-XXXXXXXX/ (training steps).
//
// All weights and states in the C order of their logical shapes, so that other kernels, layouts and
// machines can read them; the counters beside them. Reading one back into a trainer is not there yet.
#pragma once

#include <string>

#include "train/trainer.hpp"

namespace lbann::train {

/// Returns the checkpoint's folder. Throws base::Error (storage). The run directory must exist.
std::string save_training(const Trainer& trainer, const std::string& run_dir);

}  // namespace lbann::train
