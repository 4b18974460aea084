// An experiment in text made into trainers, for tests: parse and bind once, then any number of
// configurations.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "model/settings.hpp"
#include "train/open_data.hpp"
#include "train/trainer.hpp"

namespace lbann::train {

/// Must outlive the trainers made from its configurations.
class Fixture {
public:
  explicit Fixture(const std::string& text) {
    base::Diagnostics d;
    model::parse_experiment("test.prototext", text, experiment, d);
    graph = model::make_layer_graph(experiment, d);
    settings = model::bind_settings(experiment, graph, d);
    if (d.has_errors()) throw std::runtime_error(d.render());
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  /// Seed 7, two threads, epochs and mini-batch as the text says.
  TrainerConfig make_config() const {
    TrainerConfig c;
    c.data = open_data(settings, 7);
    const auto fields = data_fields(c.data);
    c.lower = [this, fields](layers::Mode mode, std::int64_t batch, tensor::DataType type) {
      base::Diagnostics d;
      model::LowerOptions o;
      o.mode = mode;
      o.batch = batch;
      o.default_type = type;
      o.fields = fields;
      auto lowered = model::lower_model(experiment, graph, o, d);
      if (!lowered) throw std::runtime_error(d.render());
      return std::move(*lowered);
    };
    for (const model::MetricNode& m : graph.metrics) c.metrics.push_back({m.name, m.unit});
    c.mini_batch_size = settings.mini_batch_size;
    c.num_epochs = settings.num_epochs;
    c.seed = 7;
    const auto samples = static_cast<std::int64_t>(c.data.at(DataMode::training).samples.size());
    for (const int index : settings.schedules) {
      const model::CallbackNode& node = graph.callbacks[static_cast<std::size_t>(index)];
      base::Diagnostics d;
      const auto bound =
          model::bind_schedule(*node.message, node.path,
                               (samples + c.mini_batch_size - 1) / c.mini_batch_size, experiment.spans, d);
      if (!bound) throw std::runtime_error(d.render());
      c.schedules.push_back({bound->schedule, bound->weights});
    }
    c.threads = threads;
    return c;
  }

  model::Experiment experiment;
  model::LayerGraph graph;
  model::TrainingSettings settings;
  int threads = 2;
};

}  // namespace lbann::train
