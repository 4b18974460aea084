// Trainer: plans, weights, pipelines and the single step. Epochs: train_loop.cpp.
#include "train/trainer.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/philox.hpp"
#include "data/split.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "model/settings.hpp"
#include "model/step_plan.hpp"
#include "train/bad_value.hpp"
#include "train/host_span.hpp"

namespace lbann::train {
namespace {

/// Plans kept beside the primary one: full and partial batch of each mode.
constexpr std::size_t max_plans = 8;

BatchCounts count_batches(const DataPart& part, std::int64_t mini_batch) {
  BatchCounts c;
  c.num_samples = static_cast<std::int64_t>(part.samples.size());
  c.batch_size = std::min(mini_batch, c.num_samples);
  if (c.batch_size == 0) return c;
  c.num_batches = (c.num_samples + c.batch_size - 1) / c.batch_size;
  c.last_batch_size = c.num_samples - (c.num_batches - 1) * c.batch_size;
  return c;
}

bool is_trained(const model::LoweredWeight& w) {
  return w.trainable && w.optimizer && w.optimizer->kind != optim::OptimizerKind::none;
}

}  // namespace

bool LearningRate::is_for(const std::string& name) const {
  return weights.empty() || std::find(weights.begin(), weights.end(), name) != weights.end();
}

std::string_view to_string(DataMode mode) {
  switch (mode) {
    case DataMode::training:
      return "training";
    case DataMode::validation:
      return "validation";
    case DataMode::test:
      return "test";
    case DataMode::tournament:
      return "tournament";
  }
  return "";
}

Trainer::Trainer(TrainerConfig config)
  : config_(std::move(config)),
    alone_(config_.world == nullptr ? comm::make_self_world(1)
                                    : std::vector<std::unique_ptr<comm::Communicator>>{}),
    world_(config_.world == nullptr ? alone_.front().get() : config_.world),
    groups_(*world_),
    adaptive_(config_.schedules.size()),
    stats_(config_.metrics.size()) {}
Trainer::~Trainer() = default;

void Trainer::setup() {
  omp_set_num_threads(config_.threads);
  catalogue_ =
      config_.oracle
          ? passes::make_reference_catalogue()
          : kernels::cpu::make_cpu_catalogue({config_.threads, config_.numerics, config_.kernel_table});
  info_.model = config_.model;
  info_.metrics = config_.metrics;
  info_.num_epochs = config_.num_epochs;
  for (const auto& [mode, part] : config_.data) {
    const BatchCounts counts = count_batches(part, config_.mini_batch_size);
    if (mode == DataMode::training) info_.training = counts;
    if (mode == DataMode::validation) info_.validation = counts;
    if (mode == DataMode::test) info_.test = counts;
    if (mode == DataMode::tournament) info_.tournament = counts;
  }
  open_pipelines();  // reading begins while we compile
  const std::int64_t batch =
      info_.training.batch_size > 0 ? info_.training.batch_size : config_.mini_batch_size;
  prepared(layers::Mode::train, batch);
  initialise_weights();
  for (auto& callback : callbacks_) callback->on_setup_end(info_);
}

Trainer::PreparedPlan Trainer::make_plan(layers::Mode mode, std::int64_t batch) {
  const HostSpan span(profiler_, "make a plan");
  model::LoweredModel lowered =
      config_.lower(mode, batch, config_.oracle ? tensor::DataType::f64 : tensor::DataType::f32);
  model::StepOptions options;
  options.training = mode == layers::Mode::train;
  options.commit = config_.commit;
  options.oracle = config_.oracle;
  options.disabled = config_.disabled_passes;
  options.recompute = config_.recompute;
  options.weight_layouts = weights_.layouts();
  const auto compile = [&](graph::Graph graph) {
    passes::Compilation c = model::make_compilation(std::move(graph), lowered, options, *catalogue_);
    c.mesh.axes = {{"data", world_->size()}};
    c.rank = world_->rank();
    passes::compile(c);
    return c;
  };
  const bool many_ranks = world_->size() > 1;
  if (many_ranks && plans_.empty()) options.weight_layouts = agree_on_layouts(compile(lowered.graph).graph);
  passes::Compilation c = compile(std::move(lowered.graph));
  if (many_ranks) check_same_program(c);
  if (plans_.empty()) {
    model_weights_ = std::move(lowered.weights);
    step_scalars_.assign(static_cast<std::size_t>(c.num_step_scalars), 0.0);
  }
  PreparedPlan result;
  result.plan = std::make_unique<runtime::Plan>(std::move(c), &groups_);
  const std::vector<graph::Output>& outputs = result.plan->graph().outputs;
  const auto find = [&](const std::string& name) {
    const auto o =
        std::find_if(outputs.begin(), outputs.end(), [&](const auto& x) { return x.name == name; });
    return o == outputs.end() ? -1 : static_cast<int>(o - outputs.begin());
  };
  result.objective = find("objective");
  result.commit = find("commit");
  for (const model::LoweredMetric& m : lowered.metrics) result.metrics.push_back(find(m.output));
  for (const model::RandomScalar& r : lowered.random_scalars) {
    result.random_scalars.push_back(r.probability);
    result.random_scalars.push_back(r.value);
  }
  return result;
}

/// Makes the runner and looks up the inputs.
void Trainer::bind(PreparedPlan& p) {
  p.runner = std::make_unique<runtime::Runner>(*p.plan, arena_, weights_);
  p.step_scalars = p.runner->find_input("step_scalars");
  p.random_state = p.runner->find_input("random_state");
  p.random_scalar_input = p.runner->find_input("random_scalars");
  for (const auto& [mode, part] : config_.data) {
    std::vector<int>& inputs = p.fields[mode];
    inputs.clear();
    for (const data::FieldSpec& f : part.dataset->fields()) inputs.push_back(p.runner->find_input(f.name));
  }
}

Trainer::PreparedPlan& Trainer::prepared(layers::Mode mode, std::int64_t batch) {
  const PlanKey key{mode, batch};
  auto found = plans_.find(key);
  if (found == plans_.end()) {
    const std::int64_t resident = memory_.baseline_bytes > 0 ? resident_data_bytes() : 0;
    PreparedPlan made = make_plan(mode, batch);
    if (resident > 0) memory_.leave_out(resident);
    if (plans_.empty() && config_.measure_memory) begin_memory_measurement();
    weights_.allocate(made.plan->graph());
    if (plans_.size() >= max_plans) {
      auto oldest = plans_.end();
      for (auto it = plans_.begin(); it != plans_.end(); ++it) {
        const bool primary = it->first == PlanKey{layers::Mode::train, info_.training.batch_size};
        if (!primary && (oldest == plans_.end() || it->second.last_use < oldest->second.last_use))
          oldest = it;
      }
      if (oldest != plans_.end()) plans_.erase(oldest);
    }
    found = plans_.emplace(key, std::move(made)).first;
    if (arena_.reserve(found->second.plan->memory().arena_bytes)) {
      bind_all();
    } else {
      bind(found->second);
    }
  }
  found->second.last_use = ++use_counter_;
  return found->second;
}

void Trainer::begin_memory_measurement() {
  std::int64_t touched = 0;
  for (const auto& [mode, pipeline] : pipelines_) touched += pipeline->wait_until_full();
  memory_.begin(touched);
}

MemoryUse Trainer::memory_use() const {
  MemoryUse use = memory_;
  for (const auto& [mode, pipeline] : pipelines_) use.pipeline_bytes += pipeline->buffer_bytes();
  use.planned_bytes = weights_.total_bytes() + arena_.size_bytes() + use.pipeline_bytes;
  return use;
}

void Trainer::bind_all() {
  for (auto& [key, p] : plans_) bind(p);
}

void Trainer::initialise_weights() {
  const std::uint64_t key = base::make_random_key(config_.seed, 0);
  for (const model::LoweredWeight& w : model_weights_) {
    if (!weights_.has(w.name)) continue;
    weights_.fill(w.name, [&](auto values) {
      optim::fill_initial(w.initializer, w.target(), key, values);
      if (w.zero_row < 0) return;
      const auto width = static_cast<std::ptrdiff_t>(values.size()) / w.shape[0];
      std::fill_n(values.begin() + w.zero_row * width, width, 0);
    });
  }
}

void Trainer::open_pipelines() {
  const std::uint64_t key = base::make_random_key(config_.seed, 0);
  for (const auto& [mode, part] : config_.data) {
    if (part.samples.empty()) continue;
    data::PipelineOptions options;
    options.batch_size = config_.mini_batch_size;
    options.num_threads = config_.io_threads;
    options.depth = model::prefetch_depth;
    options.shuffle = part.shuffle;
    options.part = world_->rank();
    options.num_parts = world_->size();
    options.key = key;
    options.order_stream = data::make_order_stream(part.reader, to_string(mode));
    pipelines_[mode] = std::make_unique<data::Pipeline>(part.dataset, part.samples, options);
  }
}

double Trainer::learning_rate(const model::LoweredWeight& w, std::int64_t epoch) const {
  double rate = w.optimizer->learn_rate;
  for (std::size_t i = 0; i < config_.schedules.size(); ++i) {
    const LearningRate& l = config_.schedules[i];
    if (l.is_for(w.name))
      rate = optim::learning_rate_at(l.schedule, rate, epoch, optimizer_step_, adaptive_[i].drops);
  }
  return rate;
}

std::vector<double> Trainer::scheduled_rates(std::int64_t epoch) const {
  std::vector<double> rates;
  for (const LearningRate& l : config_.schedules) {
    const auto found =
        std::find_if(model_weights_.begin(), model_weights_.end(),
                     [&](const model::LoweredWeight& w) { return is_trained(w) && l.is_for(w.name); });
    rates.push_back(found == model_weights_.end() ? 0 : learning_rate(*found, epoch));
  }
  return rates;
}

void Trainer::end_epoch_of_schedules() {
  for (std::size_t i = 0; i < config_.schedules.size(); ++i) {
    const auto* adaptive = std::get_if<optim::AdaptiveSchedule>(&config_.schedules[i].schedule);
    if (adaptive != nullptr) adaptive_[i].end_epoch(*adaptive, stats_.objective());
  }
}

void Trainer::write_step_scalars() {
  std::size_t at = 0;
  for (const model::LoweredWeight& w : model_weights_) {
    if (!is_trained(w)) continue;
    for (double x : optim::scalars_at(*w.optimizer, learning_rate(w, epoch_), optimizer_step_ + 1)) {
      step_scalars_[at++] = x;
    }
  }
}

std::uint64_t Trainer::random_draws(DataMode mode) const {
  const auto found = draws_.find(mode);
  return found == draws_.end() ? 0 : found->second;
}

std::array<std::int64_t, 2> Trainer::random_state(DataMode mode) const {
  // The modes count apart, in ranges of their own, so that validating changes no training step.
  constexpr int mode_shift = 56;
  return {static_cast<std::int64_t>(base::make_random_key(config_.seed, 0)),
          static_cast<std::int64_t>(static_cast<std::uint64_t>(mode) << mode_shift | random_draws(mode))};
}

void Trainer::bind_random(PreparedPlan& p, DataMode mode) {
  random_state_ = random_state(mode);
  if (p.random_state >= 0) p.runner->bind_input(p.random_state, random_state_.data());
  if (p.random_scalar_input >= 0) p.runner->bind_input(p.random_scalar_input, p.random_scalars.data());
}

StepInfo Trainer::run_batch(DataMode mode, const data::Batch& batch) {
  const bool training = mode == DataMode::training;
  PreparedPlan& p = prepared(training ? layers::Mode::train : layers::Mode::evaluate, batch.size);
  runtime::Runner& runner = *p.runner;
  const std::vector<int>& inputs = p.fields.at(mode);
  for (std::size_t f = 0; f < inputs.size(); ++f) {
    if (inputs[f] >= 0) runner.bind_input(inputs[f], batch.fields[f]);
  }
  if (training) {
    write_step_scalars();
    if (p.step_scalars >= 0) runner.bind_input(p.step_scalars, step_scalars_.data());
  }
  bind_random(p, mode);
  if (config_.poison_arena) arena_.poison();
  if (profiler_ == nullptr) {
    runner.run();
  } else {
    const std::string name = fmt::format("{}, mini-batch {}", training ? "train" : "evaluate", batch.size);
    profiler_->add_run(name, *p.plan, runner.run_profiled());
  }

  StepInfo info;
  info.mode = mode;
  info.epoch = batch.epoch;
  info.batch = batch.index;
  info.size = batch.size;
  info.step = steps_[mode];
  info.objective = runner.output(p.objective);
  for (const int m : p.metrics) info.metrics.push_back(runner.output(m));
  const bool committed = !training || p.commit < 0 || runner.output(p.commit) != 0;
  if (config_.stop_at_nan && (!committed || !std::isfinite(info.objective))) stop_at_bad_value(p, info);
  ++steps_[mode];
  ++draws_[mode];
  if (training && committed) ++optimizer_step_;
  return info;
}

void Trainer::stop_at_bad_value(PreparedPlan& p, const StepInfo& info) {
  // A refused step left everything untouched, so running it again shows where it went wrong; after an
  // eager one the weights are already lost and the replay can only name the first value it meets.
  const std::string place = find_first_bad_value(*p.runner);
  throw base::Error(base::ExitCode::numerical,
                    fmt::format("{} step {} (epoch {}): objective function is {}; {}", to_string(info.mode),
                                info.step, info.epoch, info.objective, place),
                    "lower the learning rate, or look at the layer named");
}

std::int64_t Trainer::training_steps() const {
  const auto found = steps_.find(DataMode::training);
  return found == steps_.end() ? 0 : found->second;
}

const runtime::Plan& Trainer::primary_plan() const {
  return *plans_.at({layers::Mode::train, info_.training.batch_size}).plan;
}

runtime::Runner& Trainer::primary_runner() {
  return *plans_.at({layers::Mode::train, info_.training.batch_size}).runner;
}

}  // namespace lbann::train
