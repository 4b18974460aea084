// The option table of lbann-convert: see convert_options.hpp. The direction is told by the file's content, so
// the default name of the output is chosen where the file is read.
#include "common/convert_options.hpp"

namespace lbann::tools {
namespace {

/// --inspect, --verify, --diff: at most one of them, with its number of operands and no other work.
void check_action(const ConvertOptions& o, std::vector<UsageProblem>& problems) {
  if (o.inspect + o.verify + o.diff > 1) {
    problems.push_back({"--inspect, --verify and --diff cannot be combined"});
    return;
  }
  const std::size_t count = o.experiment.files.size();
  if (o.diff && count != 2)
    problems.push_back(
        {"--diff compares two checkpoints or files of arrays, " + std::to_string(count) + " given"});
  if (count == 0) problems.push_back({"no checkpoint or file of arrays is given"});
  if (o.output_given || !o.weights.empty())
    problems.push_back(
        {"--inspect, --verify and --diff write nothing: --output and --weights mean nothing here"});
}

void check_files(ConvertOptions& o, std::vector<UsageProblem>& problems) {
  o.output_given = !o.output.empty();
  if (o.action() != ConvertAction::convert) return check_action(o, problems);
  if (o.list_ops) return;
  check_experiment_files(o.experiment, problems);
  const std::vector<std::string> files = o.experiment.merge_order();
  if (o.output.empty() && !files.empty() && files.front() == "-") {
    problems.push_back({"an experiment from standard input needs --output"});
  }
}

}  // namespace

std::optional<int> parse_convert_options(int argc, const char* const* argv, ConvertOptions& options) {
  OptionTable table(
      "lbann-convert",
      "Turns an ONNX model into an experiment, an experiment into an ONNX model, and saved weights into "
      "other forms.",
      "[OPTION]... FILE...");
  table.section("Input (FILE: one ONNX model, or prototext, merged from left to right; - is standard input)");
  add_experiment_options(table, options.experiment);

  table.section("Result");
  table.add_value(
      "output,o", "FILE", options.output,
      "The file to write; - is standard output. Without it the first file's name with .onnx, or "
      "with .prototext. An imported model's weights go into the folder of that name with .weights.");
  table.add_integer("seed,random-seed,rand-seed", "N", options.seed, 0, INT64_MAX,
                    "Seed of the initial weights: those that lbann-train starts from with this seed. Without "
                    "it the experiment's, else 0.");

  table.add_value(
      "weights", "PATH", options.weights,
      "Take the weights from here instead: a checkpoint, the folder of a run (its newest checkpoint), "
      "or a .npz, .safetensors or HDF5 file with arrays named like the weights.");

  table.section("Import");
  table.add_list("shape", "NAME=D,D..", options.shapes,
                 "Dims of an input (all of them), or the extent of a symbolic dim. May be repeated.");
  table.add_choice(
      "batch-axis", options.batch_axis,
      {{"auto", MiniBatchAxis::automatic}, {"first", MiniBatchAxis::first}, {"none", MiniBatchAxis::none}},
      "Whether axis 0 of the inputs is the mini-batch (first) or the whole tensors are one sample "
      "(none). auto: first, unless the network computes across that axis.");
  table.add_flag("list-ops", options.list_ops, "Prints the ONNX operators that can be imported and exits.");

  table.section("Saved weights (FILE: a checkpoint, a run's folder, .npz, .safetensors or HDF5)");
  table.add_flag("states", options.states,
                 "Convert the states of the optimizer too. Without it only weights and running statistics.");
  table.add_flag("inspect", options.inspect,
                 "Print what FILE holds: type, shape and statistics of every array, and the scalars.");
  table.add_flag("verify", options.verify,
                 "Read all of FILE and compare its digests; in a run's folder every checkpoint.");
  table.add_flag("diff", options.diff, "Compare two of them array by array; exit code 1 if they differ.");
  table.add_number("rtol", "X", options.rtol, 0,
                   "With --diff: a and b are equal when |a - b| <= atol + rtol |b|. Without it 0.");
  table.add_number("atol", "X", options.atol, 0, "With --diff: see --rtol. Without it 0.");

  add_common_options(table, options.common, true);
  table.set_epilogue(
      "Export: losses, accuracies and labels are left out; batch normalisation takes its running "
      "statistics.\n"
      "Saved weights need --output: a name in .npz, .safetensors, .h5 or .hdf5 says the format; any other "
      "name "
      "becomes a folder that lbann-train loads with --load-model-weights-dir.\n"
      "Exit codes: 0 written, 1 the model has nodes that cannot be imported or --diff found differences, 2 "
      "wrong "
      "command line, 3 the experiment is wrong or has layers without an ONNX form, 4 a file cannot be read "
      "or is "
      "damaged, 5 a checkpoint is damaged or has not these weights, 8 the result cannot be written.\n"
      "'_' and '-' are the same in option names. The environment variable LBANN_SEED sets --seed, and so for "
      "each option; the command line wins over the environment, the environment over the file.");

  const auto check = [&](std::vector<UsageProblem>& problems) { check_files(options, problems); };
  return parse_command_line(table, options.common, argc, argv, check);
}

}  // namespace lbann::tools
