// What lbann-validate finds out about an experiment, or about a file that holds a part of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/validate_options.hpp"
#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "model/lower.hpp"
#include "model/settings.hpp"

namespace lbann::tools {

struct Checked {
  model::Experiment experiment;
  model::LayerGraph graph;
  model::TrainingSettings settings;
  std::optional<model::LoweredModel> lowered;  // of a whole experiment without errors
  /// Sections that are there: "model", "data_reader", "optimizer", "trainer".
  std::vector<std::string> sections;
  /// Exactly one of model, data_reader and optimizer, or only a trainer: checked as that part, and
  /// what the others would have to say (dims of the data) is left open.
  bool part = false;
};

/// Loads, merges, binds and lowers. Throws Error(data) when a file cannot be read.
Checked check_experiment(const ValidateOptions& options, base::Diagnostics& diagnostics);

}  // namespace lbann::tools
