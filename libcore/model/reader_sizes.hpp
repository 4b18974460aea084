// Layer sizes that old files take from the data: num_neurons_from_data_reader of a layer,
// num_neurons_is_num_labels of fully_connected.
#pragma once

#include <vector>

#include "base/diagnostic.hpp"
#include "model/experiment.hpp"
#include "model/lower.hpp"

namespace lbann::model {

/// Writes the sizes of `fields` (the training reader's, per sample) into the layers that ask for them:
///
///   num_neurons_from_data_reader   fully_connected.num_neurons, reshape.dims, deconvolution.out_channels
///                                  become the number of entries of "samples"
///   num_neurons_is_num_labels      num_neurons becomes the number of entries of "labels"
///
/// An error where the reader has no such field, or where a size is given as well.
void apply_reader_sizes(Experiment& experiment, const std::vector<DataField>& fields,
                        base::Diagnostics& diagnostics);

}  // namespace lbann::model
