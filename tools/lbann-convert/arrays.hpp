// lbann-convert's work on saved weights: to other formats and back, looking, checking, comparing.
#pragma once

#include "common/convert_options.hpp"

namespace lbann::tools {

/// A checkpoint or a file of arrays becomes a file of arrays or a folder of weights; returns the exit code.
int convert_arrays(const ConvertOptions& options);
/// Prints what is in it: arrays with statistics, scalars.
int inspect_arrays(const ConvertOptions& options);
/// Reads everything and compares digests; throws for the first damage.
int verify_arrays(const ConvertOptions& options);
/// 1 if the two differ.
int diff_arrays(const ConvertOptions& options);

}  // namespace lbann::tools
