// Options that change how a step is computed but not what: those of lbann-train and lbann-validate alike.
#pragma once

#include <string>
#include <vector>

#include "common/option_table.hpp"
#include "passes/compilation.hpp"

namespace lbann::tools {

struct PlanOptions {
  passes::Recompute recompute = passes::Recompute::automatic;
  std::vector<std::string> recompute_layers{};  // beside those that the model marks
  std::vector<std::string> disabled_passes{};
};

void add_plan_options(OptionTable& table, PlanOptions& options);

}  // namespace lbann::tools
