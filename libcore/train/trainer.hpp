// The trainer: epochs of mini-batches through compiled plans.
//
//   setup   lower + compile the train step for the full mini-batch (it owns the weights' layouts),
//           allocate weights and arena, initialise; further plans (evaluation, partial batches) are
//           made when first needed and kept, one per (mode, batch size)
//   train   per epoch: every mini-batch of the training data, then the validation data
//
// A step is a pure function of weights, state, step scalars and the batch. The trainer owns the
// weights; plans share one arena.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/pipeline.hpp"
#include "layers/layer_def.hpp"
#include "model/lower.hpp"
#include "optim/schedule.hpp"
#include "passes/passes.hpp"
#include "runtime/plan.hpp"
#include "train/callback.hpp"

namespace lbann::train {

/// A learning-rate schedule and the weights it is for; none named: all.
struct LearningRate {
  optim::Schedule schedule;
  std::vector<std::string> weights;
};

/// The samples of one role.
struct DataPart {
  std::shared_ptr<const data::Dataset> dataset;
  std::vector<std::int64_t> samples;
  bool shuffle = false;
  std::string reader = "reader";  // name of the random stream
};

struct TrainerConfig {
  /// The model lowered for a mode and a local batch size; throws base::Error when it cannot be.
  std::function<model::LoweredModel(layers::Mode, std::int64_t batch)> lower;
  std::string model = "model0";
  std::vector<MetricInfo> metrics;  // outputs "metric:<name>", in order
  std::vector<LearningRate> schedules;
  std::map<DataMode, DataPart> data;
  std::int64_t mini_batch_size = 1;
  std::int64_t num_epochs = 1;
  std::int64_t max_steps = -1;  // stop each mode after so many steps; -1: no limit
  std::uint64_t seed = 1;
  int threads = 1;     // of the kernels
  int io_threads = 1;  // of the data pipeline
  passes::Commit commit = passes::Commit::eager;
  bool stop_at_nan = true;
  bool oracle = false;        // naive kernels, no fusion: the reference of everything else
  bool poison_arena = false;  // fill the arena with NaN before every step
  std::set<std::string> disabled_passes;
};

class Trainer {
public:
  explicit Trainer(TrainerConfig config);
  ~Trainer();
  void add_callback(std::unique_ptr<Callback> callback) { callbacks_.push_back(std::move(callback)); }

  /// Compiles, allocates, initialises. Throws base::Error.
  void setup();
  /// All epochs, validation after each, the test data at the end. Throws base::Error (numerical) when
  /// a value is not finite and the policy stops.
  void train();

  /// One training step on the next mini-batch; for tests and benchmarks. After setup().
  StepInfo train_step();
  /// One pass over the data of a mode, weights untouched.
  EpochStats evaluate(DataMode mode);

  const runtime::WeightStore& weights() const { return weights_; }
  runtime::WeightStore& weights() { return weights_; }
  /// The plan of the full training batch.
  const runtime::Plan& primary_plan() const;
  runtime::Runner& primary_runner();
  std::int64_t arena_bytes() const { return arena_.size_bytes(); }
  const RunInfo& info() const { return info_; }
  /// Of checkpoints: training steps done, the epoch that would come next, t of the update rules, the seed.
  std::int64_t training_steps() const;
  std::int64_t epoch() const { return epoch_; }
  std::int64_t optimizer_steps() const { return optimizer_step_; }
  std::uint64_t seed() const { return config_.seed; }
  /// The draw counter of a mode: mini-batches it has run, which no epoch resets. With the seed it decides all
  /// random numbers inside the model; a resumed run must set those of all four modes.
  std::uint64_t random_draws(DataMode mode) const;
  void set_random_draws(DataMode mode, std::uint64_t draws) { draws_[mode] = draws; }

private:
  struct PreparedPlan {
    std::unique_ptr<runtime::Plan> plan;
    std::unique_ptr<runtime::Runner> runner;
    std::uint64_t last_use = 0;
    std::vector<double> random_scalars{};  // the input of that name
  };
  using PlanKey = std::pair<layers::Mode, std::int64_t>;

  PreparedPlan& prepared(layers::Mode mode, std::int64_t batch);
  PreparedPlan make_plan(layers::Mode mode, std::int64_t batch);
  void initialise_weights();
  void open_pipelines();
  void bind_all();
  void write_step_scalars();
  void bind_random(PreparedPlan& p, DataMode mode);
  StepInfo run_batch(DataMode mode, const data::Batch& batch);
  void stop_at_bad_value(PreparedPlan& p, const StepInfo& info);
  double learning_rate(const model::LoweredWeight& w) const;

  TrainerConfig config_;
  RunInfo info_;
  std::vector<std::unique_ptr<Callback>> callbacks_;
  std::unique_ptr<passes::KernelCatalogue> catalogue_;
  std::vector<std::unique_ptr<comm::Communicator>> world_;
  runtime::WeightStore weights_;
  runtime::Arena arena_;
  std::map<PlanKey, PreparedPlan> plans_;
  std::uint64_t use_counter_ = 0;
  std::vector<model::LoweredWeight> model_weights_;  // of the primary plan
  std::vector<double> step_scalars_;
  std::int64_t optimizer_step_ = 0;  // t of the update rules
  std::map<DataMode, std::unique_ptr<data::Pipeline>> pipelines_;
  std::map<DataMode, std::int64_t> steps_;
  std::map<DataMode, std::uint64_t> draws_;
  std::int64_t random_state_[2] = {0, 0};  // key, draw: the input of that name
  std::int64_t epoch_ = 0;
};

}  // namespace lbann::train
