// The `python` reader: samples from functions of the user's Python module.
//
// The functions run in helper processes, so that a crash of theirs is an error message here and the trainer
// needs no libpython. Each reader thread borrows a helper for the rows it fills; helpers are started when all
// others are busy, so there are never more than reader threads. A helper lives as long as the data set and
// ends when its input does; signals meant for the trainer do not end it.
//
// Wire, both ways little-endian on a socket (descriptor 3 of the helper; its standard output goes to the
// trainer's standard error, so that prints do no harm):
//   helper -> trainer  'i' num_samples rank dims...   once, after the module was imported (64-bit integers)
//   trainer -> helper  count indices...
//   helper -> trainer  'd' bytes float32[count, dims...]
//   helper -> trainer  'e' bytes text of an error, instead of either; 'i' is followed by the end then
//
// Fields: "samples" only, as in LBANN; targets are packed into the sample and sliced off in the model.
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
  float scale = 1;
};

/// Starts the first helper. Throws base::Error: environment (no interpreter), data (what Python says).
std::shared_ptr<const Dataset> make_python_dataset(const PythonOptions& options);

}  // namespace lbann::data
