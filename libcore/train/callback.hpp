// What happens beside the training itself: reporting, logging, checking. Observers: nothing a callback
// does changes a bit of the weights; it may only ask for the end of training.
//
// Order of calls: setup_end, then either train_begin or (a resumed run) resume, then per epoch epoch_begin,
// step_end.., epoch_end, evaluation_end (validation), at last evaluation_end (test) and train_end.
// Callbacks run in the order in which the user wrote them. What one remembers from call to call it saves:
// a resumed run behaves as if it had never stopped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/epoch_stats.hpp"
#include "train/memory_use.hpp"

namespace lbann::train {

enum class DataMode { training, validation, test, tournament };

std::string_view to_string(DataMode mode);

struct MetricInfo {
  std::string name;
  std::string unit;
};

/// How a data set is cut into mini-batches; all zero without data.
struct BatchCounts {
  std::int64_t num_samples = 0;
  std::int64_t num_batches = 0;
  std::int64_t batch_size = 0;
  std::int64_t last_batch_size = 0;
};

struct RunInfo {
  std::string model = "model0";
  std::vector<MetricInfo> metrics;
  BatchCounts training, validation, test, tournament;
  std::int64_t num_epochs = 0;
  MemoryUse memory;  // complete in on_train_end
};

struct StepInfo {
  DataMode mode = DataMode::training;
  std::int64_t epoch = 0;  // the running one, from 0
  std::int64_t step = 0;   // of this mode, from 0, over all epochs
  std::int64_t batch = 0;  // within the epoch
  std::int64_t size = 0;   // samples
  double objective = 0;
  std::vector<double> metrics;
  double seconds = 0;
};

struct EpochInfo {
  DataMode mode = DataMode::training;
  std::int64_t epoch = 0;  // the one just finished, from 0
  std::int64_t step = 0;   // training steps so far
  const EpochStats* stats = nullptr;
  double run_seconds = 0;
};

/// Where a resumed run goes on.
struct ResumeInfo {
  DataMode mode = DataMode::training;
  std::int64_t epoch = 0;
  std::int64_t step = 0;   // training steps done
  std::int64_t batch = 0;  // steps done in this epoch or evaluation
  bool in_epoch = false;   // false: epoch_begin comes next
};

class Callback {
public:
  virtual ~Callback() = default;
  virtual void on_setup_end(const RunInfo&) {}
  virtual void on_train_begin(const RunInfo&) {}
  virtual void on_resume(const RunInfo&, const ResumeInfo&) {}
  virtual void on_epoch_begin(const RunInfo&, std::int64_t /*epoch*/) {}
  virtual void on_step_end(const RunInfo&, const StepInfo&) {}
  virtual void on_epoch_end(const RunInfo&, const EpochInfo&) {}
  virtual void on_evaluation_end(const RunInfo&, const EpochInfo&) {}
  virtual void on_train_end(const RunInfo&) {}
  /// Asked after each epoch and its validation.
  virtual bool wants_stop() const { return false; }

  /// Names the callback's section of a checkpoint; empty: it has no state.
  virtual std::string_view state_name() const { return {}; }
  virtual void save_state(StateWriter) const {}
  virtual void load_state(const StateReader&) {}
};

}  // namespace lbann::train
