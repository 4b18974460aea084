// See inference.hpp.
#include "train/inference.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/philox.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "model/lower.hpp"
#include "model/step_plan.hpp"
#include "optim/initializer.hpp"
#include "passes/passes.hpp"
#include "runtime/plan.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::train {

struct Inference::Impl {
  InferenceOptions options;
  std::unique_ptr<passes::KernelCatalogue> catalogue;
  std::unique_ptr<runtime::Plan> plan;
  runtime::WeightStore weights;
  runtime::Arena arena;
  std::unique_ptr<runtime::Runner> runner;
  std::array<std::int64_t, 2> random_state{};
  std::vector<double> random_scalars{};
  std::vector<double> wide{};  // samples of the oracle
};

Inference::Inference(const model::Experiment& experiment, const model::LayerGraph& graph,
                     InferenceOptions options)
  : impl_(std::make_unique<Impl>()) {
  Impl& p = *impl_;
  p.options = std::move(options);
  omp_set_num_threads(p.options.threads);
  p.catalogue = p.options.oracle ? passes::make_reference_catalogue()
                                 : kernels::cpu::make_cpu_catalogue(p.options.threads);
  model::LowerOptions lower;
  lower.mode = layers::Mode::evaluate;
  lower.batch = p.options.batch;
  lower.default_type = p.options.oracle ? tensor::DataType::f64 : tensor::DataType::f32;
  if (p.options.sample_dims.rank() > 0) lower.fields = {{"samples", p.options.sample_dims}};
  lower.outputs = p.options.outputs;
  base::Diagnostics diagnostics;
  std::optional<model::LoweredModel> lowered = model::lower_model(experiment, graph, lower, diagnostics);
  if (!lowered) throw base::Error(diagnostics.exit_code(), diagnostics.render());
  // Only what was asked for is computed.
  std::erase_if(lowered->graph.outputs, [](const graph::Output& o) { return !o.name.starts_with("layer:"); });
  model::StepOptions step;
  step.training = false;
  step.oracle = p.options.oracle;
  passes::Compilation c = model::make_compilation(std::move(lowered->graph), *lowered, step, *p.catalogue);
  passes::compile(c);
  p.plan = std::make_unique<runtime::Plan>(std::move(c));
  p.weights.allocate(p.plan->graph());
  const std::uint64_t key = base::make_random_key(p.options.seed, 0);
  for (const model::LoweredWeight& w : lowered->weights) {
    if (!p.weights.has(w.name)) continue;
    p.weights.fill(w.name, [&](auto values) { optim::fill_initial(w.initializer, w.target(), key, values); });
  }
  p.arena.reserve(std::max<std::int64_t>(p.plan->memory().arena_bytes, 64));
  p.runner = std::make_unique<runtime::Runner>(*p.plan, p.arena, p.weights);
  p.random_state = {static_cast<std::int64_t>(key), 0};
  for (const model::RandomScalar& r : lowered->random_scalars) {
    p.random_scalars.push_back(r.probability);
    p.random_scalars.push_back(r.value);
  }
  if (p.runner->has_input("random_state")) p.runner->bind_input("random_state", p.random_state.data());
  if (p.runner->has_input("random_scalars")) p.runner->bind_input("random_scalars", p.random_scalars.data());
}

Inference::~Inference() = default;

namespace {

const graph::Value& find_output(const graph::Graph& g, const std::string& output, graph::ValueId& id) {
  for (const graph::Output& o : g.outputs) {
    if (o.name != "layer:" + output) continue;
    id = o.value;
    return g.value(o.value);
  }
  throw std::logic_error("no output '" + output + "'");
}

template <class T>
std::vector<double> gather(const void* data, const graph::Value& v) {
  std::vector<double> result(static_cast<std::size_t>(v.spec.shape.num_elements()));
  const T* x = static_cast<const T*>(data);
  tensor::for_each_element(v.layout, v.spec.shape, [&](std::int64_t position, std::int64_t offset) {
    result[static_cast<std::size_t>(position)] = static_cast<double>(x[offset]);
  });
  return result;
}

}  // namespace

std::map<std::string, std::vector<double>> Inference::run(const std::vector<float>& samples) {
  Impl& p = *impl_;
  if (p.runner->has_input("samples")) {
    const std::int64_t size = p.options.batch * p.options.sample_dims.num_elements();
    if (static_cast<std::int64_t>(samples.size()) != size) throw std::logic_error("samples of another size");
    p.wide.assign(samples.begin(), samples.end());
    p.runner->bind_input("samples",
                         p.options.oracle ? static_cast<const void*>(p.wide.data()) : samples.data());
  }
  p.runner->run();
  std::map<std::string, std::vector<double>> results;
  for (const std::string& name : p.options.outputs) {
    graph::ValueId id = graph::none;
    const graph::Value& v = find_output(p.plan->graph(), name, id);
    const void* data = p.runner->address(id);
    results[name] = v.spec.type == tensor::DataType::f64 ? gather<double>(data, v) : gather<float>(data, v);
  }
  return results;
}

tensor::Shape Inference::shape(const std::string& output) const {
  graph::ValueId id = graph::none;
  return find_output(impl_->plan->graph(), output, id).spec.shape;
}

}  // namespace lbann::train
