// The trainer: epochs of mini-batches through compiled plans.
//
//   setup   lower + compile the train step for the full mini-batch (it owns the weights' layouts),
//           allocate weights and arena, initialise; further plans (evaluation, partial batches) are
//           made when first needed and kept, one per (mode, batch size)
//   train   per epoch: every mini-batch of the training data, then the validation data
//
// A step is a pure function of weights, state, step scalars and the batch. Between two steps a run is
// its weights and states plus the numbers of save_state: put back into a new trainer of the same
// experiment they make it go on to the same bits. The trainer owns the weights; plans share one arena.
// Epochs and evaluations are in train_loop.cpp.
#pragma once

#include <array>
#include <chrono>
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
#include "passes/kernel_table.hpp"
#include "passes/passes.hpp"
#include "runtime/profiler.hpp"
#include "train/callback.hpp"
#include "train/memory_use.hpp"

namespace lbann::train {

/// A learning-rate schedule and the weights it is for; none named: all.
struct LearningRate {
  optim::Schedule schedule;
  std::vector<std::string> weights;
  bool is_for(const std::string& name) const;
};

/// The samples of one role.
struct DataPart {
  std::shared_ptr<const data::Dataset> dataset;
  std::vector<std::int64_t> samples;
  bool shuffle = false;
  std::string reader = "reader";  // name of the random stream
};

struct TrainerConfig {
  /// The model lowered for a mode, a local batch size and a type where the model names none; throws
  /// base::Error when it cannot be.
  std::function<model::LoweredModel(layers::Mode, std::int64_t batch, tensor::DataType)> lower;
  std::string model = "model0";
  std::vector<MetricInfo> metrics;  // outputs "metric:<name>", in order
  std::vector<LearningRate> schedules;
  std::map<DataMode, DataPart> data;
  std::int64_t mini_batch_size = 1;
  std::int64_t num_epochs = 1;
  std::int64_t max_steps = -1;           // stop each mode after so many steps; -1: no limit
  std::int64_t max_training_steps = -1;  // of the whole run, evaluations stay complete; -1: no limit
  double max_seconds = -1;               // of this process's training; -1: no limit
  std::uint64_t seed = 1;
  comm::Communicator* world = nullptr;  // the ranks that train together, one trainer each; none: alone
  int threads = 1;                      // of the kernels
  int io_threads = 1;                   // of the data pipeline
  passes::Numerics numerics = passes::Numerics::exact;
  std::shared_ptr<const passes::KernelTable> kernel_table{};  // null: what ships with the library
  passes::Commit commit = passes::Commit::eager;
  bool stop_at_nan = true;
  bool oracle = false;          // naive kernels in double, no fusion: the reference of everything else
  bool poison_arena = false;    // fill the arena with NaN before every step
  bool measure_memory = false;  // see memory_use(); waits for the readers once, before the first step
  passes::Recompute recompute = passes::Recompute::automatic;
  std::set<std::string> disabled_passes;
};

/// What a run is about to do.
enum class Phase { epoch_begin, training, validation, test, finished };
std::string_view to_string(Phase phase);

/// A place where a run can be saved or stopped: after every step, and (phase epoch_begin) after every epoch.
struct Boundary {
  Phase phase = Phase::epoch_begin;
  std::int64_t epoch = 0;  // the running one; at epoch_begin the number of epochs done
  std::int64_t training_steps = 0;
  double step_seconds = 0;  // of the step just done
  bool start = false;       // train() has only begun
};

class Trainer {
public:
  explicit Trainer(TrainerConfig config);
  ~Trainer();
  void add_callback(std::unique_ptr<Callback> callback) { callbacks_.push_back(std::move(callback)); }

  /// Compiles, allocates, initialises. Throws base::Error.
  void setup();
  /// All epochs, validation after each, the test data at the end; from where restore() put it. Returns
  /// false when the monitor ended it. Throws base::Error (numerical) when a value is not finite and the
  /// policy stops.
  bool train();
  /// Asked before the first step and at every boundary; false ends train() there.
  void set_monitor(std::function<bool(const Boundary&)> monitor) { monitor_ = std::move(monitor); }

  /// Times every kernel and what happens between from now on; nullptr: nothing. Changes no bit. The profiler
  /// must outlive the training.
  void set_profiler(runtime::Profiler* profiler) { profiler_ = profiler; }

  /// Counters, positions, sums and the callbacks' state: what a checkpoint holds beside weights() .
  checkpoint::Scalars save_state() const;
  /// After setup(), before train(). Continues at the place saved; when the saved run had reached its end and
  /// more epochs are asked now, where its last epoch ended. Throws base::Error (checkpoint).
  void restore_state(const checkpoint::Scalars& saved);
  /// Is the run that saved this at its end, with so many epochs (or, if not -1, training steps) asked?
  static bool is_finished(const checkpoint::Scalars& saved, std::int64_t num_epochs,
                          std::int64_t max_training_steps = -1);
  Phase phase() const { return phase_; }
  /// Steps done in the running epoch or evaluation.
  std::int64_t phase_steps() const { return phase_steps_; }

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
  /// Planned and, with measure_memory, real growth of the process so far.
  MemoryUse memory_use() const;
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
  /// The input "random_state" of the mode's next mini-batch: key and draw.
  std::array<std::int64_t, 2> random_state(DataMode mode) const;
  /// Weights of the model as lowered for training. After setup().
  const std::vector<model::LoweredWeight>& model_weights() const { return model_weights_; }
  const TrainerConfig& config() const { return config_; }
  /// For each schedule the rate, in that epoch and at the next step, of the first trained weights it is for.
  std::vector<double> scheduled_rates(std::int64_t epoch) const;
  int rank() const { return world_->rank(); }
  int num_ranks() const { return world_->size(); }
  const std::vector<std::unique_ptr<Callback>>& callbacks() const { return callbacks_; }

private:
  /// A plan, and where its inputs and outputs are: names are looked up once.
  struct PreparedPlan {
    std::unique_ptr<runtime::Plan> plan;
    std::unique_ptr<runtime::Runner> runner;
    std::uint64_t last_use = 0;
    std::vector<double> random_scalars{};  // the input of that name
    int objective = -1, commit = -1, step_scalars = -1, random_state = -1, random_scalar_input = -1;
    std::vector<int> metrics;                     // outputs, in the order of TrainerConfig::metrics
    std::map<DataMode, std::vector<int>> fields;  // inputs, in the order of the data set's fields; -1: unused
  };
  using PlanKey = std::pair<layers::Mode, std::int64_t>;

  PreparedPlan& prepared(layers::Mode mode, std::int64_t batch);
  PreparedPlan make_plan(layers::Mode mode, std::int64_t batch);
  void bind(PreparedPlan& p);
  void initialise_weights();
  void open_pipelines();
  void begin_memory_measurement();
  void bind_all();
  void write_step_scalars();
  void bind_random(PreparedPlan& p, DataMode mode);
  const data::Batch& next_batch(DataMode mode);
  void end_step(const StepInfo& info);
  StepInfo run_batch(DataMode mode, const data::Batch& batch);
  void stop_at_bad_value(PreparedPlan& p, const StepInfo& info);
  double learning_rate(const model::LoweredWeight& w, std::int64_t epoch) const;
  void end_epoch_of_schedules();

  bool out_of_time() const;    // agreed by all ranks
  bool reached_limit() const;  // of steps or time
  /// The layouts of weights as the rank with the largest piece has them, for all ranks: gradients are summed
  /// as their weights lie.
  std::map<std::string, tensor::Layout> agree_on_layouts(const graph::Graph& compiled);
  void check_same_program(const passes::Compilation& c);
  bool reached_end() const;
  bool may_go_on(double step_seconds = 0, bool start = false);
  void begin_phase(Phase phase);
  bool run_training_epoch();
  bool run_evaluation(DataMode mode);
  void begin_test();
  void keep_state_before_end();
  void save_position(StateWriter out) const;

  TrainerConfig config_;
  RunInfo info_;
  std::vector<std::unique_ptr<Callback>> callbacks_;
  std::unique_ptr<passes::KernelCatalogue> catalogue_;
  std::vector<std::unique_ptr<comm::Communicator>> alone_;  // the world of a trainer that was given none
  comm::Communicator* world_;
  runtime::RankGroups groups_;
  runtime::WeightStore weights_;
  runtime::Arena arena_;
  MemoryUse memory_;
  std::map<PlanKey, PreparedPlan> plans_;
  std::uint64_t use_counter_ = 0;
  std::vector<model::LoweredWeight> model_weights_;  // of the primary plan
  std::vector<double> step_scalars_;
  std::vector<optim::AdaptiveState> adaptive_;  // one per schedule; only the adaptive ones use theirs
  std::int64_t optimizer_step_ = 0;             // t of the update rules
  std::map<DataMode, std::unique_ptr<data::Pipeline>> pipelines_;
  std::map<DataMode, std::int64_t> steps_;
  std::map<DataMode, std::uint64_t> draws_;
  std::array<std::int64_t, 2> random_state_{};  // key, draw: the input of that name
  std::int64_t epoch_ = 0;

  // Where train() stands.
  Phase phase_ = Phase::epoch_begin;
  std::int64_t phase_steps_ = 0;  // done in this epoch or evaluation
  EpochStats stats_;              // of this epoch or evaluation
  std::chrono::steady_clock::time_point phase_start_{}, train_start_{};
  bool stop_requested_ = false;  // by a callback
  bool resumed_ = false;
  checkpoint::Scalars before_end_;  // the state after the last training step that the limits allow
  std::function<bool(const Boundary&)> monitor_;
  runtime::Profiler* profiler_ = nullptr;
};

}  // namespace lbann::train
