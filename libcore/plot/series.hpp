// Runs as curves: what every figure and table of this room is made from.
//
// A series is one metric of one mode of one trainer of one run, a point per epoch (per step when
// steps were recorded and asked for). An epoch that was run twice, after a restart, counts once:
// the later value stands. Values keep the unit in which they were logged; a percentage is 97, not
// 0.97. NaN and infinities stay points, so that figures can break there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::plot {

enum class Axis { epoch, step, time };

struct Point {
  std::int64_t epoch = 0;              // from 0, as the log numbers them
  std::optional<std::int64_t> step{};  // training steps done
  std::optional<double> time{};        // seconds since the run began
  double value = 0;
  /// Position on the axis; nullopt when the log does not say.
  std::optional<double> x(Axis axis) const;
};

struct Series {
  int instance = 0;  // trainer; -1: over all trainers
  std::string mode{};
  std::string metric{};
  std::string unit{};
  std::vector<Point> points{};
};

struct Run {
  std::string name{};
  int num_instances = 1;
  std::vector<Series> series{};
  std::vector<std::string> warnings{};  // what was skipped, for the user
};

/// Reads a run by its content: records (log.jsonl) or console text.
/// Throws Error(data) when there is no value in it.
Run parse_run(const std::string& name, std::string_view text, Axis axis);
/// `path`: a file, `-`, or a run directory that holds log.jsonl. Throws Error(data).
Run load_run(const std::string& path, Axis axis);

/// Keeps the metrics of these names; without names all but times, memory and learning rate.
/// `objective` means `objective function`. Throws Error(usage) for a name that no run has.
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
