// Runs as curves: what every figure and table of this room is made from.
//
// A series is one metric of one mode of one trainer of one run, a point per epoch or per step. A
// place that was passed twice, after a restart, counts once: the later value stands. Values keep the
// unit in which they were logged; a percentage is 97, not 0.97. NaN and infinities stay points, so
// that figures can break there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/metric_log.hpp"

namespace lbann::plot {

enum class Axis { epoch, step, time };

using Point = log::MetricPoint;

struct Series {
  int instance = 0;       // trainer; -1: over all trainers
  bool per_step = false;  // one point per training step
  std::string mode{};     // with the statistic of a series over all trainers: "validation average"
  std::string metric{};
  std::string unit{};
  std::vector<Point> points{};
  double steps_per_epoch = 0;  // 0: not known
};

struct Run {
  std::string name{};
  int num_instances = 1;
  std::vector<Series> series{};
  std::vector<Point> restarts{};
  std::vector<std::string> warnings{};  // what was skipped, for the user
};

/// Position on the axis; nullopt when the log does not say.
std::optional<double> x_of(const Series& series, const Point& point, Axis axis);

/// The runs of a log: one, or as many as it names. No values: none.
std::vector<Run> make_runs(log::MetricLog log, const std::string& name);
/// `path`: a log, `-`, or a folder with log.jsonl, out.log or TensorBoard event files.
/// Throws Error(data) when it cannot be read or holds no values.
std::vector<Run> load_runs(const std::string& path);
/// Throws Error(data) when there is no value in `text`.
std::vector<Run> parse_runs(const std::string& name, std::string_view text);
/// The logs a folder holds, in the order of their names; a file is itself.
std::vector<std::string> logs_of(const std::string& path);
/// One run whose log continues in the next: what a later part repeats, it replaces.
Run stitch(std::vector<Run> parts);

/// Epochs if all runs number them, else steps, else seconds.
Axis default_axis(const std::vector<Run>& runs);
/// Where a metric was logged per step and per epoch, keeps what suits the axis: steps on the axis of
/// steps, else epochs. Throws Error(data) when a run says nothing of the axis.
void choose_level(std::vector<Run>& runs, Axis axis);

/// Keeps the metrics that match these names or shell patterns; without names all but times, memory
/// and learning rate. `objective` means `objective function`. Throws Error(usage) for a name that no
/// run has.
void select_metrics(std::vector<Run>& runs, const std::vector<std::string>& names);

/// Names of metrics in the order in which they first appear.
std::vector<std::string> metric_names(const std::vector<Run>& runs);
/// What tells this series from the others of its panel: mode, and run and trainer where there are several.
std::string series_label(const Run& run, const Series& series, bool several_runs);

/// Whether larger values of a metric of this name are better: accuracies and the like.
bool larger_is_better(std::string_view metric);
/// The point with the best finite value, the earliest of equals; nullptr if none is finite.
const Point* best_point(const Series& series);

}  // namespace lbann::plot
