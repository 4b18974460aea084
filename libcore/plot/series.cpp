// Reading runs into series: see series.hpp.
#include "plot/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "log/console_reader.hpp"
#include "log/run_record.hpp"

namespace lbann::plot {

namespace {

const std::set<std::string> side_metrics = {"run time", "mini-batch time", "GPU memory", "learning rate"};

Series& series_of(Run& run, int instance, const std::string& mode, const std::string& metric,
                  const std::string& unit) {
  for (Series& s : run.series)
    if (s.instance == instance && s.mode == mode && s.metric == metric) return s;
  return run.series.emplace_back(Series{instance, mode, metric, unit, {}});
}

// Points in the order of epoch and step; a repeated one replaces the earlier.
void put(Series& series, const Point& point) {
  const auto before = [](const Point& a, const Point& b) {
    return std::pair(a.epoch, a.step.value_or(0)) < std::pair(b.epoch, b.step.value_or(0));
  };
  const auto at = std::lower_bound(series.points.begin(), series.points.end(), point, before);
  if (at != series.points.end() && !before(point, *at))
    *at = point;
  else
    series.points.insert(at, point);
}

void add_records(Run& run, const log::RunLog& text, Axis axis) {
  const bool wants_steps = axis == Axis::step;
  const bool has_steps = std::any_of(text.records.begin(), text.records.end(),
                                     [](const log::RunRecord& r) { return r.kind == "step"; });
  double began = 0;
  std::int64_t attempt = -1;
  double before = 0;  // seconds of earlier attempts
  double last = 0;
  for (const log::RunRecord& r : text.records) {
    if (r.attempt != attempt) {
      before = last;
      began = r.wall;
      attempt = r.attempt;
    }
    last = before + r.wall - began;
    const bool by_step = wants_steps && has_steps && r.mode == "training";
    if ((r.kind == "step") != by_step) continue;
    for (const auto& [metric, value] : r.metrics)
      put(series_of(run, 0, r.mode, metric, {}), {r.epoch, r.step, last, value});
  }
  if (!text.bad_lines.empty())
    run.warnings.push_back(fmt::format("{}:{}: {} of its lines are no records; the first: {}", run.name,
                                       text.bad_lines[0].line, text.bad_lines.size(),
                                       text.bad_lines[0].reason));
}

// Console lines have no clock: an epoch ends after all run times up to its own.
void add_console_times(Run& run) {
  std::map<int, std::map<std::int64_t, double>> seconds;
  for (const Series& s : run.series)
    if (s.metric == "run time" && s.mode != "test")
      for (const Point& p : s.points)
        if (std::isfinite(p.value)) seconds[s.instance][p.epoch] += p.value;
  for (auto& [instance, by_epoch] : seconds) {
    double sum = 0;
    for (auto& [epoch, value] : by_epoch) value = sum += value;
  }
  for (Series& s : run.series) {
    const auto found = seconds.find(s.instance);
    if (found == seconds.end()) continue;
    for (Point& p : s.points) {
      const auto at = found->second.find(p.epoch);
      if (at != found->second.end()) p.time = at->second;
    }
  }
}

void add_console(Run& run, const log::ConsoleLog& text) {
  std::set<int> instances;
  for (const log::ConsoleValue& v : text.values) {
    const std::string mode = v.statistic.empty() ? v.mode : v.mode + " " + v.statistic;
    Point p{v.epoch, std::nullopt, std::nullopt, v.value};
    if (text.steps_per_epoch > 0) p.step = (v.epoch + 1) * text.steps_per_epoch;
    put(series_of(run, v.instance, mode, v.metric, v.unit), p);
    if (v.instance >= 0) instances.insert(v.instance);
  }
  run.num_instances = static_cast<int>(std::max<std::size_t>(1, instances.size()));
  add_console_times(run);
  if (text.num_fragments > 0)
    run.warnings.push_back(fmt::format("{}: {} torn lines skipped", run.name, text.num_fragments));
}

}  // namespace

std::optional<double> Point::x(Axis axis) const {
  if (axis == Axis::epoch) return static_cast<double>(epoch);
  if (axis == Axis::time) return time;
  if (step) return static_cast<double>(*step);
  return std::nullopt;
}

Run parse_run(const std::string& name, std::string_view text, Axis axis) {
  Run run;
  run.name = name;
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '{')
    add_records(run, log::parse_records(text), axis);
  else
    add_console(run, log::parse_console(text));
  if (run.series.empty())
    throw base::Error(base::ExitCode::data, fmt::format("'{}' holds no values of a run", name),
                      "expected log.jsonl or the console text of a training run");
  const bool placed = std::any_of(run.series.begin(), run.series.end(), [axis](const Series& s) {
    return std::any_of(s.points.begin(), s.points.end(), [axis](const Point& p) { return p.x(axis); });
  });
  if (!placed)
    throw base::Error(
        base::ExitCode::data,
        fmt::format("'{}' does not say the {} of its values", name, axis == Axis::time ? "time" : "step"),
        "use --x epoch");
  return run;
}

Run load_run(const std::string& path, Axis axis) {
  std::error_code ignored;
  const std::filesystem::path records = std::filesystem::path(path) / "log.jsonl";
  if (path != "-" && std::filesystem::exists(records, ignored))
    return parse_run(path, base::read_file(records), axis);
  return parse_run(path, base::read_file(path), axis);
}

void select_metrics(std::vector<Run>& runs, const std::vector<std::string>& names) {
  std::set<std::string> wanted;
  const std::vector<std::string> known = metric_names(runs);
  for (const std::string& given : names) {
    const std::string name = given == "objective" ? "objective function" : given;
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw base::Error(base::ExitCode::usage, fmt::format("no run has a metric '{}'", name),
                        fmt::format("metrics: {}", fmt::join(known, ", ")));
    wanted.insert(name);
  }
  for (Run& run : runs)
    std::erase_if(run.series, [&](const Series& s) {
      return wanted.empty() ? side_metrics.count(s.metric) > 0 : wanted.count(s.metric) == 0;
    });
}

std::vector<std::string> metric_names(const std::vector<Run>& runs) {
  std::vector<std::string> names;
  for (const Run& run : runs)
    for (const Series& s : run.series)
      if (std::find(names.begin(), names.end(), s.metric) == names.end()) names.push_back(s.metric);
  return names;
}

std::string series_label(const Run& run, const Series& series, bool several_runs) {
  std::string label = series.mode;
  if (run.num_instances > 1 && series.instance >= 0) label += fmt::format(" (trainer {})", series.instance);
  return several_runs ? run.name + ": " + label : label;
}

bool larger_is_better(std::string_view metric) {
  for (const char* word : {"accuracy", "precision", "recall", "auc", "f1", "r2", "correlation", "score"})
    if (metric.find(word) != std::string_view::npos) return true;
  return false;
}

const Point* best_point(const Series& series) {
  const bool larger = larger_is_better(series.metric);
  const Point* best = nullptr;
  for (const Point& p : series.points) {
    if (!std::isfinite(p.value)) continue;
    if (!best || (larger ? p.value > best->value : p.value < best->value)) best = &p;
  }
  return best;
}

}  // namespace lbann::plot
