// Reads an experiment, makes the training step's plan for this machine and tells its size in bytes.
#include <cstdio>

#include "base/diagnostic.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "model/experiment.hpp"
#include "model/lower.hpp"
#include "model/settings.hpp"
#include "model/step_plan.hpp"
#include "passes/passes.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  lbann::base::Diagnostics d;
  const auto experiment = lbann::model::load_experiment({argv[1]}, {}, d);
  const auto graph = lbann::model::make_layer_graph(experiment, d);
  const auto settings = lbann::model::bind_settings(experiment, graph, d);
  lbann::model::LowerOptions options;
  options.batch = settings.mini_batch_size;
  options.fields = lbann::model::make_data_fields(settings);
  auto lowered = lbann::model::lower_model(experiment, graph, options, d);
  if (!lowered || d.has_errors()) return 3;
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(2);
  auto plan = lbann::model::make_compilation(lowered->graph, *lowered, {}, *catalogue);
  lbann::passes::compile(plan);
  std::printf("%zu layers, %lld bytes of weights, %lld bytes of arena\n", graph.layers.size(),
              static_cast<long long>(plan.memory.weight_bytes),
              static_cast<long long>(plan.memory.arena_bytes));
  return 0;
}
