// The option table of lbann-convert: see convert_options.hpp. The output's name comes from the experiment's
// first file; where that is standard input there is none to take.
#include "common/convert_options.hpp"

#include <filesystem>

namespace lbann::tools {
namespace {

bool is_onnx(const std::string& file) {
  return file.size() > 5 && file.compare(file.size() - 5, 5, ".onnx") == 0;
}

void check_files(ConvertOptions& o, std::vector<UsageProblem>& problems) {
  const std::vector<std::string> files = o.experiment.merge_order();
  for (const std::string& file : files) {
    if (!is_onnx(file)) continue;
    problems.push_back({"'" + file + "': reading ONNX is not supported yet",
                        "only the direction from prototext to ONNX is there"});
    return;
  }
  check_experiment_files(o.experiment, problems);
  if (o.output.empty() && !files.empty()) {
    if (files.front() == "-") {
      problems.push_back({"an experiment from standard input needs --output"});
    } else {
      o.output = std::filesystem::path(files.front()).replace_extension(".onnx").string();
    }
  }
}

}  // namespace

std::optional<int> parse_convert_options(int argc, const char* const* argv, ConvertOptions& options) {
  OptionTable table("lbann-convert", "Writes the network of an experiment in prototext as an ONNX model.",
                    "[OPTION]... FILE...");
  table.section("Experiment (FILE: prototext, merged from left to right; - is standard input)");
  add_experiment_options(table, options.experiment);

  table.section("Result");
  table.add_value("output,o", "FILE", options.output,
                  "The ONNX model to write; - is standard output. Without it the first file's name with "
                  ".onnx.");
  table.add_integer("seed,random-seed,rand-seed", "N", options.seed, 0, INT64_MAX,
                    "Seed of the initial weights: those that lbann-train starts from with this seed. Without "
                    "it the experiment's, else 0.");

  add_common_options(table, options.common, true);
  table.set_epilogue(
      "Losses, accuracies and labels are left out; batch normalisation takes its running statistics.\n"
      "Exit codes: 0 written, 2 wrong command line, 3 the experiment is wrong or has layers without an ONNX "
      "form, 4 a file cannot be read, 8 the model cannot be written.\n"
      "'_' and '-' are the same in option names. The environment variable LBANN_SEED sets --seed, and so for "
      "each option; the command line wins over the environment, the environment over the file.");

  const auto check = [&](std::vector<UsageProblem>& problems) { check_files(options, problems); };
  return parse_command_line(table, options.common, argc, argv, check);
}

}  // namespace lbann::tools
