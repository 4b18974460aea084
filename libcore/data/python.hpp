// The readers `python` (samples from functions of the user's module) and `python_dataset` (from a pickled
// object).
//
// The functions run in helper processes, so that a crash of theirs is an error message here and the trainer
// needs no libpython. Each reader thread borrows a helper for the rows it fills; helpers are started when all
// others are busy, so there are never more than reader threads. A helper lives as long as the data set and
// ends when its input does; signals meant for the trainer do not end it.
//
// Wire, both ways little-endian on a socket (descriptor 3 of the helper; its standard output goes to the
// trainer's standard error, so that prints do no harm):
//   helper -> trainer  'i' num_samples num_fields {field rank dims...}   once, after the import (64-bit
//   integers);
//                      fields: 0 samples, 1 labels, 2 responses
//   trainer -> helper  count indices...
//   helper -> trainer  'd' bytes float32[count, fields one after the other]
//   helper -> trainer  'e' bytes text of an error, instead of either; 'i' is followed by the end then
//
// python serves "samples" only, as in LBANN: targets are packed into the sample and sliced off in the model.
// python_dataset serves the parts of which get_sample_dims() tells dims. The pipeline asks for one field
// after the other; the helper's answer for the same rows is kept between them, so a sample is computed once.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.hpp"

namespace lbann::data {

struct PythonOptions {
  std::string interpreter;  // empty: LBANN_PYTHON, else python3 in PATH
  std::string module, directory;
  std::string sample_function = "get_sample";
  std::string num_samples_function = "num_samples";
  std::string sample_dims_function = "sample_dims";
  std::string dataset_path;  // python_dataset: the pickle; then `module` and the functions have no meaning
  float scale = 1;           // of samples
};

/// Starts the first helper. Throws base::Error: environment (no interpreter), data (what Python says).
std::shared_ptr<const Dataset> make_python_dataset(const PythonOptions& options);

}  // namespace lbann::data
