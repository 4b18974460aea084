// Everything that can be said of an experiment before its data are opened. What validates trains: every tool
// comes here, so what one of them accepts or says the others do too.
//
//   load_experiment, overrides  ->  check_experiment: completeness, layer graph, settings, shapes
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "model/lower.hpp"
#include "model/settings.hpp"

namespace lbann::model {

struct CheckOptions {
  /// A file that holds exactly one of model, data_reader and optimizer, or only a trainer, is checked as
  /// that part, and what the others would have to say (dims of the data) is left open. Else it is incomplete.
  bool allow_part = false;
  /// What a command line changes in the settings, such as where the data lie.
  std::function<void(TrainingSettings&)> adjust{};
  /// Layers that are recomputed beside those the model marks; see mark_recompute.
  std::vector<std::string> recompute_layers{};
};

struct CheckedExperiment {
  Experiment experiment;
  LayerGraph graph;
  TrainingSettings settings;
  /// Sections that are there: "model", "data_reader", "optimizer", "trainer".
  std::vector<std::string> sections;
  bool part = false;
  /// False: only opening the data tells their dims, so no shape could be checked.
  bool knows_fields = true;
  /// For training; of a whole experiment without errors whose data are known.
  std::optional<LoweredModel> lowered;
};

CheckedExperiment check_experiment(Experiment experiment, const CheckOptions& options,
                                   base::Diagnostics& diagnostics);

}  // namespace lbann::model
