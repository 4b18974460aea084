// The command line of lbann-validate as a plain struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/experiment_options.hpp"
#include "common/kernel_options.hpp"
#include "common/plan_options.hpp"
#include "common/tool.hpp"
#include "common/train_options.hpp"

namespace lbann::tools {

enum class ValidateFormat { text, json, sarif, junit, github };

enum class DumpKind { none, layers, graph, plan, memory };

struct ValidateOptions {
  CommonOptions common{};
  ExperimentFiles experiment{};
  ValidateFormat format = ValidateFormat::text;
  bool strict = false;  // warnings count as findings: exit code 1
  bool trace = false;   // print the way from file to plan, pass by pass
  bool plan = false;    // print the plan's summary: memory, steps, time bounds
  DumpKind dump = DumpKind::none;
  std::string explain{};             // print the documentation of a layer or operator; needs no file
  std::optional<std::string> fix{};  // --fix: "stdout" or "inplace"
  bool calibrate = false;            // measure this machine; needs no file
  std::string calibration{};         // the measurements' file; empty: in the user's cache folder
  bool print_config = false;         // the merged experiment, each line with its origin
  std::string output = "-";
  std::optional<std::int64_t> mini_batch_size{};
  DeviceChoice device = DeviceChoice::automatic;
  std::optional<std::int64_t> threads{};
  KernelOptions kernels{};
  PlanOptions planning{};
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_validate_options(int argc, const char* const* argv, ValidateOptions& options);

}  // namespace lbann::tools
