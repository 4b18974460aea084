// The work of lbann-convert, apart from its command line.
#pragma once

#include "common/convert_options.hpp"

namespace lbann::tools {

/// Reads the experiment and writes the ONNX model; returns the exit code.
int convert_main(const ConvertOptions& options);

}  // namespace lbann::tools
