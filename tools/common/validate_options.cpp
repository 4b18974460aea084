// The option table of lbann-validate: see validate_options.hpp.
#include "common/validate_options.hpp"

#include <algorithm>

namespace lbann::tools {

namespace {

void check_fix(const ValidateOptions& options, std::vector<UsageProblem>& problems) {
  const auto files = options.experiment.merge_order();
  if (*options.fix != "stdout" && *options.fix != "inplace")
    problems.push_back({"option '--fix': '" + *options.fix + "' is not one of stdout|inplace"});
  if (*options.fix == "inplace" && std::count(files.begin(), files.end(), "-") > 0)
    problems.push_back({"--fix=inplace cannot change standard input", "--fix prints the new text"});
  if (*options.fix == "inplace" && options.output != "-")
    problems.push_back({"--fix=inplace and --output contradict each other"});
  if (*options.fix == "stdout" && files.size() > 1)
    problems.push_back(
        {"--fix prints one file, but " + std::to_string(files.size()) + " are given", "use --fix=inplace"});
  if (!options.experiment.sets.empty())
    problems.push_back({"--fix and --set cannot be combined", "--print-config prints the merged experiment"});
}

}  // namespace

std::optional<int> parse_validate_options(int argc, const char* const* argv, ValidateOptions& options) {
  OptionTable table("lbann-validate",
                    "Checks an experiment in prototext as lbann-train would run it, without running it.",
                    "[OPTION]... FILE...");
  table.section("Experiment (FILE: prototext, merged from left to right; - is standard input)");
  add_experiment_options(table, options.experiment);
  table.add_integer("mini-batch,mini-batch-size", "N", options.mini_batch_size, 1, 2147483647,
                    "Samples of one training step.");

  table.section("Check");
  table.add_flag("strict", options.strict, "Fail (exit code 1) when there are warnings.");

  table.add_optional_value("fix", "stdout|inplace", options.fix, "stdout",
                           "Rewrite old spellings to today's, keeping comments, and check nothing else. "
                           "stdout: print the new file (or --output); inplace: change FILE.");

  table.section("Report");
  table.add_flag("print-config", options.print_config,
                 "Print the experiment after merging and --set; each line says where it comes from.");
  table.add_flag("trace", options.trace, "Show the way from the file to the plan, pass by pass.");
  table.add_flag("plan", options.plan, "Show memory, kernels and time bounds of the plan.");
  table.add_choice<DumpKind>("dump", options.dump,
                             {{"layers", DumpKind::layers},
                              {"graph", DumpKind::graph},
                              {"plan", DumpKind::plan},
                              {"memory", DumpKind::memory}},
                             "Print one stage of the compilation as text.");
  table.add_value("explain", "NAME", options.explain,
                  "Print what a layer, operator, callback, message or field means, with defaults and ranges; "
                  "needs no FILE.");
  table.add_choice<ValidateFormat>(
      "format", options.format,
      {{"text", ValidateFormat::text},
       {"json", ValidateFormat::json},
       {"sarif", ValidateFormat::sarif},
       {"junit", ValidateFormat::junit},
       {"github", ValidateFormat::github}},
      "Form of the report. json: on stdout, for programs; sarif (2.1.0), junit and "
      "github (annotations): for continuous integration.");
  table.add_value("output,o", "FILE", options.output, "Where the report goes; - is standard output.");

  table.section("Machine to plan for");
  table.add_choice<DeviceChoice>(
      "device", options.device,
      {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"gpu", DeviceChoice::gpu}},
      "Where the experiment would compute.");
  table.add_integer("threads", "N", options.threads, 1, 4096, "Threads that would compute.");
  add_kernel_options(table, options.kernels);
  add_plan_options(table, options.planning);
  table.add_flag(
      "calibrate", options.calibrate,
      "Measure this machine (some seconds; nothing else should run), so that --plan can predict the "
      "time of a step; needs no FILE.");
  table.add_value(
      "calibration", "FILE", options.calibration,
      "Where the measurements are kept; default: lbann/calibration.json in the user's cache folder.");

  add_common_options(table, options.common, false);
  table.set_epilogue(
      "Exit codes: 0 the experiment would train, 1 there are warnings under --strict, 2 wrong command line, "
      "3 it would "
      "not train, 4 a file cannot be read.\n"
      "'_' and '-' are the same in option names. The environment variable LBANN_MINI_BATCH sets "
      "--mini-batch, and so "
      "for each option; the command line wins over the environment, the environment over the file.");

  const auto check = [&](std::vector<UsageProblem>& problems) {
    if (!options.explain.empty() || options.calibrate) return;
    check_experiment_files(options.experiment, problems, ExperimentForm::whole_or_part);
    if (options.fix) check_fix(options, problems);
  };
  return parse_command_line(table, options.common, argc, argv, check);
}

}  // namespace lbann::tools
