// What decides between the kernels of a run: --numerics, --kernel-table, --autotune.
#pragma once

#include "common/train_options.hpp"
#include "train/trainer.hpp"

namespace lbann::tools {

/// The table is cut down to the convolutions of the training plan, so that what a checkpoint remembers of it
/// changes only with them. With --autotune what its file lacks is measured, and added to the file, first.
/// Throws base::Error.
passes::CatalogueOptions choose_kernels(const TrainOptions& options, int threads,
                                        const train::TrainerConfig& config);

}  // namespace lbann::tools
