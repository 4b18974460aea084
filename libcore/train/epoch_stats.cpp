// Statistics of one epoch: see epoch_stats.hpp.
#include "train/epoch_stats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace lbann::train {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void WeightedMean::add(double value, std::int64_t num_samples) {
  const double term = value * static_cast<double>(num_samples);
  const double sum = sum_ + term;
  // With an infinite sum the correction would be inf - inf.
  if (std::isfinite(sum))
    compensation_ += std::abs(sum_) >= std::abs(term) ? (sum_ - sum) + term : (term - sum) + sum_;
  sum_ = sum;
  num_samples_ += num_samples;
}

double WeightedMean::mean() const {
  return num_samples_ == 0 ? nan : (sum_ + compensation_) / static_cast<double>(num_samples_);
}

void WeightedMean::save_state(StateWriter out) const {
  out.put("sum", sum_);
  out.put("compensation", compensation_);
  out.put("num_samples", num_samples_);
}

void WeightedMean::load_state(const StateReader& in) {
  sum_ = in.number("sum");
  compensation_ = in.number("compensation");
  num_samples_ = in.integer("num_samples");
}

StepTimeStatistics make_step_time_statistics(std::vector<double> seconds) {
  const std::size_t n = seconds.size();
  if (n == 0) return {nan, nan, nan, nan, nan};
  std::sort(seconds.begin(), seconds.end());
  double sum = 0;
  for (const double s : seconds) sum += s;
  StepTimeStatistics t;
  t.mean = sum / static_cast<double>(n);
  t.median = n % 2 == 1 ? seconds[n / 2] : (seconds[n / 2 - 1] + seconds[n / 2]) / 2;
  t.max = seconds.back();
  t.min = seconds.front();
  double squares = 0;
  for (const double s : seconds) squares += (s - t.mean) * (s - t.mean);
  t.stdev = n < 2 ? nan : std::sqrt(squares / static_cast<double>(n - 1));
  return t;
}

void EpochStats::begin() {
  objective_ = {};
  std::fill(metrics_.begin(), metrics_.end(), WeightedMean{});
  seconds_.clear();
}

void EpochStats::add_step(double objective, const std::vector<double>& metrics, std::int64_t num_samples,
                          double seconds) {
  if (metrics.size() != metrics_.size())
    throw std::logic_error("EpochStats: " + std::to_string(metrics.size()) + " metric values for " +
                           std::to_string(metrics_.size()) + " metrics");
  objective_.add(objective, num_samples);
  for (std::size_t i = 0; i < metrics.size(); ++i) metrics_[i].add(metrics[i], num_samples);
  seconds_.push_back(seconds);
}

void EpochStats::save_state(StateWriter out) const {
  objective_.save_state(out.section("objective"));
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    metrics_[i].save_state(out.section("metric" + std::to_string(i)));
  }
}

void EpochStats::load_state(const StateReader& in) {
  begin();
  objective_.load_state(in.section("objective"));
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    metrics_[i].load_state(in.section("metric" + std::to_string(i)));
  }
}

StepTimeStatistics EpochStats::step_times(std::int64_t skip) const {
  const auto first = seconds_.begin() + std::clamp<std::int64_t>(skip, 0, num_steps());
  return make_step_time_statistics({first, seconds_.end()});
}

}  // namespace lbann::train
