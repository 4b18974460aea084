// See timing.hpp.
#include "runtime/timing.hpp"

#include <omp.h>

#include <algorithm>

namespace lbann::runtime {
namespace {

/// Spread over (-0.1, 0.1), never denormal.
double small_number(std::size_t i) {
  return (static_cast<double>((i * 2654435761u >> 7) % 1999) - 999.5) * 1e-4;
}

device::Buffer make_input(const tensor::TensorSpec& spec, bool zero) {
  const std::int64_t n = spec.shape.num_elements();
  device::Buffer buffer(spec.num_bytes(), "the input of a timing");
  if (!zero && spec.type == tensor::DataType::f32) {
    auto* x = reinterpret_cast<float*>(buffer.data());
    for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(small_number(static_cast<std::size_t>(i)));
  }
  return buffer;
}

}  // namespace

std::vector<StepTime> time_plan(const passes::Compilation& compiled, int warm_up, int repetitions) {
  // Before kernels are made: their scratch depends on it.
  omp_set_num_threads(compiled.catalogue->machine().threads);
  const Plan plan(compiled);
  const graph::Graph& g = plan.graph();
  WeightStore weights;
  weights.allocate(g);
  for (const auto& [name, entry] : weights.entries()) {
    if (entry.role != "weight") continue;
    std::vector<double> values(static_cast<std::size_t>(entry.spec.shape.num_elements()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = small_number(i);
    weights.set_values(name, values);
  }
  Arena arena;
  arena.reserve(plan.memory().arena_bytes);
  Runner runner(plan, arena, weights);
  std::vector<device::Buffer> inputs;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op != "input") continue;
    const std::string name = n.attrs.get_text("name");
    inputs.push_back(make_input(g.value(n.outputs[0]).spec, name == "step_scalars"));
    runner.bind_input(name, inputs.back().data());
  }
  for (int i = 0; i < warm_up; ++i) runner.run();
  std::vector<StepTime> best = runner.run_profiled();
  for (int i = 1; i < repetitions; ++i) {
    const std::vector<StepTime> again = runner.run_profiled();
    for (std::size_t k = 0; k < best.size(); ++k) best[k].us = std::min(best[k].us, again[k].us);
  }
  return best;
}

}  // namespace lbann::runtime
