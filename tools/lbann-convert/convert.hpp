// The work of lbann-convert, apart from its command line.
#pragma once

#include "common/convert_options.hpp"

namespace lbann::tools {

/// Reads an ONNX model or an experiment and writes the other; returns the exit code.
int convert_main(ConvertOptions options);

}  // namespace lbann::tools
