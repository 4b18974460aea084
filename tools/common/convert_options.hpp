// The command line of lbann-convert as a plain struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/experiment_options.hpp"
#include "common/tool.hpp"

namespace lbann::tools {

struct ConvertOptions {
  CommonOptions common{};
  ExperimentFiles experiment{};
  std::string output{};                // empty: the experiment's name with .onnx
  std::optional<std::int64_t> seed{};  // of the initial weights; nothing: the file's, else 0
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_convert_options(int argc, const char* const* argv, ConvertOptions& options);

}  // namespace lbann::tools
