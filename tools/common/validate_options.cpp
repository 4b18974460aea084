// The option table of lbann-validate: see validate_options.hpp.
#include "common/validate_options.hpp"

namespace lbann::tools {

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

  table.section("Report");
  table.add_flag("trace", options.trace, "Show the way from the file to the plan, pass by pass.");
  table.add_flag("plan", options.plan, "Show memory, kernels and time bounds of the plan.");
  table.add_choice<DumpKind>("dump", options.dump,
                             {{"layers", DumpKind::layers},
                              {"graph", DumpKind::graph},
                              {"plan", DumpKind::plan},
                              {"memory", DumpKind::memory}},
                             "Print one stage of the compilation as text.");
  table.add_value("explain", "KIND", options.explain,
                  "Print what a layer, operator or callback does; needs no FILE.");
  table.add_value("output,o", "FILE", options.output, "Where the report goes; - is standard output.");

  table.section("Machine to plan for");
  table.add_choice<DeviceChoice>(
      "device", options.device,
      {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"gpu", DeviceChoice::gpu}},
      "Where the experiment would compute.");
  table.add_integer("threads", "N", options.threads, 1, 4096, "Threads that would compute.");
  table.add_list("disable-pass", "NAME", options.disabled_passes,
                 "Leave out one pass of the compiler. Repeatable.");

  add_common_options(table, options.common, true);
  table.set_epilogue(
      "Exit codes: 0 the experiment would train, 1 there are warnings under --strict, 2 wrong command line, "
      "3 it would "
      "not train, 4 a file cannot be read.\n"
      "'_' and '-' are the same in option names. The environment variable LBANN_MINI_BATCH sets "
      "--mini-batch, and so "
      "for each option; the command line wins over the environment, the environment over the file.");

  const auto check = [&](std::vector<UsageProblem>& problems) {
    if (options.explain.empty()) check_experiment_files(options.experiment, problems);
  };
  return parse_command_line(table, options.common, argc, argv, check);
}

}  // namespace lbann::tools
