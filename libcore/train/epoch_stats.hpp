// Statistics of one epoch or evaluation: means of the objective and metrics, times of the steps.
//
// Means are over samples: each step adds its value times its samples, so that a partial last batch
// counts for what it holds. Sums are Neumaier-compensated doubles: the mean does not depend on how
// many steps there are. An epoch without samples has the mean NaN.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/state.hpp"

namespace lbann::train {

/// sum(value * weight) / sum(weight), in compensated double.
class WeightedMean {
public:
  void add(double value, std::int64_t num_samples);
  double mean() const;
  std::int64_t num_samples() const { return num_samples_; }
  double sum() const { return sum_ + compensation_; }
  void save_state(StateWriter out) const;
  void load_state(const StateReader& in);

private:
  double sum_ = 0;
  double compensation_ = 0;
  std::int64_t num_samples_ = 0;
};

/// Seconds per step. `median` is the true one (mean of the middle two for even counts), `stdev` has
/// n - 1; what does not exist is NaN.
struct StepTimeStatistics {
  double mean = 0;
  double median = 0;
  double max = 0;
  double min = 0;
  double stdev = 0;
};

StepTimeStatistics make_step_time_statistics(std::vector<double> seconds);

/// Accumulates one epoch of one mode. `begin` before each epoch, `add_step` after each step.
class EpochStats {
public:
  explicit EpochStats(std::size_t num_metrics = 0) : metrics_(num_metrics) {}

  void begin();
  /// `metrics`: one value per metric, means over the step's samples.
  void add_step(double objective, const std::vector<double>& metrics, std::int64_t num_samples,
                double seconds);

  double objective() const { return objective_.mean(); }
  double metric(std::size_t i) const { return metrics_.at(i).mean(); }
  std::size_t num_metrics() const { return metrics_.size(); }
  std::int64_t num_samples() const { return objective_.num_samples(); }
  std::int64_t num_steps() const { return static_cast<std::int64_t>(seconds_.size()); }
  /// Leaves out the first `skip` steps of the epoch.
  StepTimeStatistics step_times(std::int64_t skip = 0) const;
  /// The sums, not the times: a resumed epoch knows the times of its own steps only.
  void save_state(StateWriter out) const;
  void load_state(const StateReader& in);

private:
  WeightedMean objective_;
  std::vector<WeightedMean> metrics_;
  std::vector<double> seconds_;
};

}  // namespace lbann::train
