// What every log reader fills: the values of a run as series of points.
//
// A series is one metric of one mode of one trainer, on the level of epochs or of steps. Readers
// append in the order of the file; settle() then brings points into the order of (epoch, step), and
// of two at the same place the later one stands: a run that was resumed repeats what was lost.
// restart() says where such a repetition begins, and what lies behind it is gone.
//
//   lookup: logs repeat the same sequence of lines, so the series that followed last time is tried
//   first; a log of 10^7 lines costs one comparison of names per line
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lbann::log {

struct MetricPoint {
  std::int64_t epoch = -1;                                 // from 0, as logs number them; -1: not said
  std::int64_t step = -1;                                  // training steps done; -1: not said
  double time = std::numeric_limits<double>::quiet_NaN();  // seconds since the run began; NaN: not said
  double value = 0;
};

/// What names a series.
struct MetricKey {
  std::string_view run{};  // only of files that hold several runs
  int instance = 0;        // trainer; -1: over all trainers
  bool per_step = false;   // one point per training step instead of per epoch or evaluation
  std::string_view mode{};
  std::string_view statistic{};  // over all trainers: average, min, max, stdev
  std::string_view metric{};
};

struct MetricSeries {
  std::string run{};
  int instance = 0;
  bool per_step = false;
  std::string mode{};
  std::string statistic{};
  std::string metric{};
  std::string unit{};
  std::vector<MetricPoint> points{};
  bool sorted = true;  // points are in order, none twice
};

class MetricLog {
public:
  std::vector<MetricSeries> series{};
  std::vector<MetricPoint> restarts{};  // the last place before each; value means nothing
  std::vector<std::string> notes{};     // what was skipped and why, for the user: `12: not an object`
  std::int64_t num_skipped = 0;         // lines or records that could not be used
  std::int64_t steps_per_epoch = 0;     // 0: not said

  /// The series of that key, made if it is new.
  MetricSeries& find(const MetricKey& key, std::string_view unit = {});
  void add(const MetricKey& key, std::string_view unit, const MetricPoint& point) {
    append(find(key, unit), point);
  }
  static void append(MetricSeries& series, const MetricPoint& point);
  /// The run goes on behind `place`: points behind it were lost. `instance`: of one trainer only.
  void restart(const MetricPoint& place, std::optional<int> instance = std::nullopt);
  /// Counts something unusable and keeps the first few reasons.
  void skip(std::string note);
  void settle();

private:
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<std::size_t> successor_;  // which series followed this one last time
  std::size_t last_ = 0;
};

/// `val_loss` -> validation, loss; `train/accuracy` -> training, accuracy; `lr` -> training, learning rate.
std::pair<std::string, std::string> split_metric_name(std::string_view name);

}  // namespace lbann::log
