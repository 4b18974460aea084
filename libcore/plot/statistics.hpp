// What a run achieved: best, last, time to a target, divergence, overfitting, throughput.
//
//   divergence   the first value that is no number; else the first point behind the best one from which
//                on everything (at least 2 points and 5 %) is worse than the first value was
//   gap          validation minus training at the last place both have, turned so that positive
//                means "validation is worse"
//   throughput   training steps per second between neighbouring points: median, and 5 % quantile
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

/// `accuracy=97%`, `validation loss=0.1`: the series of that metric (and mode) should get there.
struct Target {
  std::string text{};
  std::string mode{};  // empty: every mode
  std::string metric{};
  double value = 0;
  std::string unit{};
};

/// nullopt, and what is wrong with the text in `why`.
std::optional<Target> try_parse_target(std::string_view text, std::string& why);

struct SeriesStatistics {
  const Point* best = nullptr;  // nullptr: no finite value
  const Point* last = nullptr;
  std::int64_t num_points = 0;
  std::int64_t num_not_finite = 0;
  const Point* diverged = nullptr;  // where; nullptr: it did not
  std::optional<double> gap{};      // of a validation series
  bool has_target = false;
  const Point* reached = nullptr;  // the first point at the target; nullptr: not reached
};

SeriesStatistics measure(const Run& run, const Series& series, const std::vector<Target>& targets);

struct Throughput {
  double median = 0;  // training steps per second
  double low = 0;     // 5 % of the intervals are slower
  double seconds = 0;
};

/// nullopt: the log does not say steps and times.
std::optional<Throughput> measure_throughput(const Run& run);

/// A threshold in the unit of a series: 97 % is 0.97 for fractions and 97 for percentages. nullopt:
/// the units do not go together.
std::optional<double> bound_for(const Series& series, double value, const std::string& unit);

/// Splits `97%`, `0.5`, `12 ms` into number and unit.
bool split_quantity(std::string_view text, double& value, std::string& unit);

}  // namespace lbann::plot
