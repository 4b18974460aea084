// See gradient_check.hpp.
#include "train/gradient_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "kernels/cpu/catalogue.hpp"
#include "model/step_plan.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::train {
namespace {

/// The second try's step, as a part of the first's.
constexpr double kink_step = 1e-3;

/// A plan of its own with copies of the trainer's weights.
class Copy {
public:
  Copy(const Trainer& trainer, DataMode data_mode, std::int64_t batch, bool numeric)
    : random_state_(trainer.random_state(data_mode)) {
    const layers::Mode mode = data_mode == DataMode::training ? layers::Mode::train : layers::Mode::evaluate;
    const TrainerConfig& config = trainer.config();
    const bool naive = numeric || config.oracle;
    catalogue_ =
        naive ? passes::make_reference_catalogue()
              : kernels::cpu::make_cpu_catalogue({config.threads, config.numerics, config.kernel_table});
    model::LoweredModel lowered =
        config.lower(mode, batch, naive ? tensor::DataType::f64 : tensor::DataType::f32);
    for (const model::RandomScalar& r : lowered.random_scalars) {
      random_scalars_.push_back(r.probability);
      random_scalars_.push_back(r.value);
    }
    model::StepOptions options;
    options.training = !numeric;
    options.oracle = naive;
    options.expose_gradients = true;
    options.disabled = config.disabled_passes;
    if (!numeric) options.weight_layouts = trainer.weights().layouts();
    passes::Compilation c = model::make_compilation(std::move(lowered.graph), lowered, options, *catalogue_);
    passes::compile(c);
    plan_ = std::make_unique<runtime::Plan>(std::move(c));
    weights.allocate(plan_->graph());
    for (const auto& [name, e] : weights.entries()) weights.set_values(name, trainer.weights().values(name));
    arena_.reserve(std::max<std::int64_t>(plan_->memory().arena_bytes, 64));
    runner = std::make_unique<runtime::Runner>(*plan_, arena_, weights);
    if (runner->has_input("random_state")) runner->bind_input("random_state", random_state_.data());
    if (runner->has_input("random_scalars")) runner->bind_input("random_scalars", random_scalars_.data());
  }

  double objective() {
    runner->run();
    return runner->output("objective");
  }
  /// Row-major values of the output; empty when there is none.
  std::vector<double> output(const std::string& name) const {
    const int found = runner->find_output(name);
    if (found < 0) return {};
    const graph::Graph& g = plan_->graph();
    const graph::Output& o = g.outputs[static_cast<std::size_t>(found)];
    const graph::Value& v = g.value(o.value);
    const void* data = runner->address(o.value);
    std::vector<double> result(static_cast<std::size_t>(v.spec.shape.num_elements()));
    tensor::for_each_element(v.layout, v.spec.shape, [&](std::int64_t position, std::int64_t offset) {
      result[static_cast<std::size_t>(position)] =
          v.spec.type == tensor::DataType::f64 ? static_cast<const double*>(data)[offset]
                                               : static_cast<double>(static_cast<const float*>(data)[offset]);
    });
    return result;
  }

  runtime::WeightStore weights;
  std::unique_ptr<runtime::Runner> runner;

private:
  std::unique_ptr<passes::KernelCatalogue> catalogue_;
  std::unique_ptr<runtime::Plan> plan_;
  runtime::Arena arena_;
  std::array<std::int64_t, 2> random_state_;  // the same masks on both sides, at every evaluation
  std::vector<double> random_scalars_;
};

/// The first samples of the data, in the order of the selection.
class FirstBatch {
public:
  FirstBatch(const DataPart& part, std::int64_t batch) {
    const std::span<const std::int64_t> samples(part.samples.data(), static_cast<std::size_t>(batch));
    const std::vector<data::FieldSpec>& fields = part.dataset->fields();
    for (std::size_t f = 0; f < fields.size(); ++f) {
      names_.push_back(fields[f].name);
      values_.emplace_back(static_cast<std::size_t>(batch * fields[f].num_elements()));
      part.dataset->read(f, samples, values_.back().data());
    }
  }
  void bind(runtime::Runner& runner) const {
    for (std::size_t f = 0; f < names_.size(); ++f) {
      if (runner.has_input(names_[f])) runner.bind_input(names_[f], values_[f].data());
    }
  }

private:
  std::vector<std::string> names_;
  std::vector<std::vector<float>> values_;
};

/// Sets one entry of a weight, in its type and layout.
void put(const runtime::WeightStore::Entry& e, std::int64_t offset, double value) {
  if (e.spec.type == tensor::DataType::f64) {
    reinterpret_cast<double*>(e.buffer.data())[offset] = value;
  } else {
    reinterpret_cast<float*>(e.buffer.data())[offset] = static_cast<float>(value);
  }
}

}  // namespace

double GradientCheck::Entry::relative_error() const {
  const double scale = std::max(std::fabs(analytic), std::fabs(numeric));
  return scale == 0 ? 0 : error() / scale;
}

GradientCheck check_gradients(const Trainer& trainer, DataMode mode, double step_size, bool until_failure) {
  const auto data = trainer.config().data.find(mode);
  if (data == trainer.config().data.end() || data->second.samples.empty())
    throw base::Error(base::ExitCode::config,
                      fmt::format("check_gradients: there are no {} data", to_string(mode)));
  const auto batch =
      std::min(trainer.config().mini_batch_size, static_cast<std::int64_t>(data->second.samples.size()));
  const FirstBatch samples(data->second, batch);
  Copy actual(trainer, mode, batch, false), precise(trainer, mode, batch, true);
  samples.bind(*actual.runner);
  samples.bind(*precise.runner);
  actual.objective();

  GradientCheck result;
  result.objective = precise.objective();
  const double e = std::pow(static_cast<double>(std::numeric_limits<float>::epsilon()), 0.9);
  const double size = std::fabs(result.objective);
  const double h = std::max(step_size > 0 ? step_size : size * std::sqrt(e), 2.2e-16);
  result.step_size = h;
  result.allowed_error = std::pow(e * size / h + h * h * h * h / 18, 0.9);
  for (const model::LoweredWeight& w : trainer.model_weights()) {
    const std::vector<double> analytic = actual.output("gradient:" + w.name);
    if (analytic.empty() || !precise.weights.has(w.name)) continue;
    const runtime::WeightStore::Entry& entry = precise.weights.entry(w.name);
    const std::vector<double> values = precise.weights.values(w.name);
    const std::int64_t height =
        w.matrix_height > 0 ? w.matrix_height : static_cast<std::int64_t>(values.size());
    std::vector<std::int64_t> offsets(values.size());
    tensor::for_each_element(entry.layout, entry.spec.shape, [&](std::int64_t position, std::int64_t offset) {
      offsets[static_cast<std::size_t>(position)] = offset;
    });
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto f = [&](double shift) {
        put(entry, offsets[i], values[i] + shift);
        return precise.objective();
      };
      GradientCheck::Entry r;
      r.weights = w.name;
      r.row = static_cast<std::int64_t>(i) % height;
      r.column = static_cast<std::int64_t>(i) / height;
      r.weight = values[i];
      r.analytic = analytic[i];
      for (const double step : {h, h * kink_step}) {
        r.numeric = (-f(2 * step) + 8 * f(step) - 8 * f(-step) + f(-2 * step)) / (12 * step);
        r.failed = !(r.error() <= result.allowed_error);
        if (!r.failed) break;
      }
      put(entry, offsets[i], values[i]);
      result.num_failures += r.failed ? 1 : 0;
      result.entries.push_back(r);
      if (r.failed && until_failure) return result;
    }
  }
  return result;
}

}  // namespace lbann::train
