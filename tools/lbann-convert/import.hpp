// lbann-convert from ONNX to prototext.
#pragma once

#include "common/convert_options.hpp"

namespace lbann::tools {

/// Writes the prototext and the folder of weights beside it; returns the exit code.
int import_main(const ConvertOptions& options);

/// Prints the table of operators, as text or JSON.
int list_ops(const ConvertOptions& options);

}  // namespace lbann::tools
