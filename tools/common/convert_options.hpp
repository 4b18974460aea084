// The command line of lbann-convert as a plain struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/experiment_options.hpp"
#include "common/tool.hpp"

namespace lbann::tools {

/// What axis 0 of an imported model's inputs is.
enum class MiniBatchAxis { automatic, first, none };

/// What the words are taken for. `convert` goes by content: an experiment becomes ONNX, saved weights another
/// form.
enum class ConvertAction { convert, inspect, verify, diff };

struct ConvertOptions {
  CommonOptions common{};
  ExperimentFiles experiment{};
  std::string output{};                // empty: the first file's name with .onnx or .prototext
  std::optional<std::int64_t> seed{};  // of the initial weights; nothing: the file's, else 0
  bool output_given = false;
  std::string weights{};  // a checkpoint or a file of arrays; empty: initial weights
  // Import.
  std::vector<std::string> shapes{};  // "name=1,3,224,224"
  MiniBatchAxis batch_axis = MiniBatchAxis::automatic;
  bool list_ops = false;

  // Saved weights.
  bool inspect = false, verify = false, diff = false;
  bool states = false;                   // optimizer states are converted too
  std::optional<double> rtol{}, atol{};  // of diff; nothing: 0
  ConvertAction action() const {
    return inspect  ? ConvertAction::inspect
           : verify ? ConvertAction::verify
           : diff   ? ConvertAction::diff
                    : ConvertAction::convert;
  }
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_convert_options(int argc, const char* const* argv, ConvertOptions& options);

}  // namespace lbann::tools
