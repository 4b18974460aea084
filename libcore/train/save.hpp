// A trainer's whole state to a checkpoint folder and back.
//
// Arrays: all weights, optimizer states and running statistics in the C order of their logical shapes,
// so that other kernels, layouts and machines can read them. Scalars: Trainer::save_state, and under
// "experiment" the lines that tell one experiment from another (model/identity). Nothing else: equal runs
// leave equal bytes.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/source.hpp"
#include "train/trainer.hpp"

namespace lbann::train {

/// Writes the folder `dir`; returns the bytes of its arrays. Throws base::Error (storage).
std::int64_t save_training(const Trainer& trainer, const std::string& dir,
                           const std::vector<std::string>& identity);
/// Bytes that save_training will write, headers not counted.
std::int64_t checkpoint_bytes(const Trainer& trainer);

/// After trainer.setup(). Throws base::Error (checkpoint) when arrays are missing, too many or of another
/// shape or type; then nothing has been changed.
void restore_training(Trainer& trainer, const checkpoint::Checkpoint& saved);

/// Only the weights (and running statistics) that both have, by name; returns the names that were missing.
/// Other floating types are converted. Throws base::Error (checkpoint) when a shape differs.
std::vector<std::string> restore_weights(Trainer& trainer, const checkpoint::ArrayMap& saved);

/// Weights alone, without optimizer state, as save_model writes them. Throws base::Error (storage).
std::int64_t save_weights(const Trainer& trainer, const std::string& dir);

/// restore_weights from a checkpoint, from what save_model wrote (in `dir` itself, or below it in the folders
/// that LBANN's tree puts there) or from a file of arrays (.npz, .safetensors, .h5). Says what it loads in
/// LBANN's words. Throws base::Error (checkpoint) when there is nothing to load or weights are missing.
void load_weights(Trainer& trainer, const std::string& dir);

/// Throws base::Error (checkpoint) that names what differs unless the checkpoint is of this experiment.
void check_identity(const checkpoint::Checkpoint& saved, const std::vector<std::string>& identity,
                    const std::string& dir);

}  // namespace lbann::train
