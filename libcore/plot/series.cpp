// Reading runs into series: see series.hpp.
#include "plot/series.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/diagnostic.hpp"
#include "log/log_file.hpp"

namespace lbann::plot {

namespace fs = std::filesystem;

namespace {

const std::set<std::string> side_metrics = {"run time", "mini-batch time", "GPU memory", "learning rate"};

// Console lines have no clock: an epoch ends after all run times up to its own.
void add_console_times(Run& run) {
  std::map<int, std::vector<std::pair<std::int64_t, double>>> seconds;  // of a trainer: epoch, run time
  for (const Series& s : run.series)
    if (s.metric == "run time" && s.mode != "test" && !s.points.empty() && std::isnan(s.points.back().time))
      for (const Point& p : s.points)
        if (std::isfinite(p.value)) seconds[s.instance].emplace_back(p.epoch, p.value);
  for (auto& [instance, list] : seconds) {
    std::sort(list.begin(), list.end());
    double sum = 0;
    for (auto& [epoch, value] : list) value = sum += value;
  }
  for (Series& s : run.series) {
    const auto found = seconds.find(s.instance);
    if (found == seconds.end()) continue;
    // Both are in the order of epochs; the last entry of an epoch has the sum.
    const auto& list = found->second;
    std::size_t at = 0;
    for (Point& p : s.points) {
      while (at + 1 < list.size() && list[at + 1].first <= p.epoch) ++at;
      if (std::isnan(p.time) && list[at].first == p.epoch) p.time = list[at].second;
    }
  }
}

// Steps per epoch from points that say both: a point of an epoch stands at its end.
double guess_steps_per_epoch(const Run& run) {
  for (const Series& s : run.series) {
    if (s.per_step || s.points.empty()) continue;
    const Point& p = s.points.back();
    if (p.epoch >= 0 && p.step > 0) return static_cast<double>(p.step) / static_cast<double>(p.epoch + 1);
  }
  for (const Series& s : run.series)
    for (std::size_t i = 1; s.per_step && i < s.points.size(); ++i)
      if (s.points[i].epoch > s.points[i - 1].epoch && s.points[i - 1].epoch >= 0)
        return static_cast<double>(s.points[i - 1].step) / static_cast<double>(s.points[i - 1].epoch + 1);
  return 0;
}

void finish(Run& run, std::int64_t steps_per_epoch) {
  std::set<int> instances;
  for (Series& s : run.series) {
    if (s.instance >= 0) instances.insert(s.instance);
    if (steps_per_epoch > 0)
      for (Point& p : s.points)
        if (p.step < 0 && p.epoch >= 0 && p.epoch < (std::int64_t{1} << 40))
          p.step = (p.epoch + 1) * steps_per_epoch;
  }
  run.num_instances = static_cast<int>(std::max<std::size_t>(1, instances.size()));
  add_console_times(run);
  const double guess =
      steps_per_epoch > 0 ? static_cast<double>(steps_per_epoch) : guess_steps_per_epoch(run);
  for (Series& s : run.series) s.steps_per_epoch = guess;
}

// Parts of one path: event files of several attempts, train/ and validation/ beside each other.
std::string mode_of_folder(const fs::path& file) {
  const std::string folder = file.parent_path().filename().string();
  if (folder == "train" || folder == "training") return "training";
  if (folder == "validation" || folder == "val" || folder == "valid" || folder == "eval") return "validation";
  return folder == "test" ? "test" : "";
}

[[noreturn]] void refuse_empty(const std::string& name) {
  throw base::Error(base::ExitCode::data, fmt::format("'{}' holds no values of a run", name),
                    "expected log.jsonl, the console text of a training run, a CSV table or a TensorBoard "
                    "event file");
}

}  // namespace

std::optional<double> x_of(const Series& series, const Point& p, Axis axis) {
  if (axis == Axis::time) return std::isnan(p.time) ? std::nullopt : std::optional(p.time);
  if (axis == Axis::step) return p.step < 0 ? std::nullopt : std::optional(static_cast<double>(p.step));
  if (series.per_step && series.steps_per_epoch > 0 && p.step >= 0)
    return static_cast<double>(p.step) / series.steps_per_epoch;
  return p.epoch < 0 ? std::nullopt : std::optional(static_cast<double>(p.epoch));
}

std::vector<Run> make_runs(log::MetricLog log, const std::string& name) {
  std::vector<Run> runs;
  for (log::MetricSeries& s : log.series) {
    if (s.points.empty()) continue;
    const std::string run_name = s.run.empty() ? name : s.run;
    auto at = std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.name == run_name; });
    if (at == runs.end()) {
      runs.push_back({run_name, 1, {}, log.restarts, {}});
      at = runs.end() - 1;
    }
    Series out;
    out.instance = s.instance;
    out.per_step = s.per_step;
    out.mode = s.statistic.empty() ? s.mode : s.mode + " " + s.statistic;
    out.metric = std::move(s.metric);
    out.unit = std::move(s.unit);
    out.points = std::move(s.points);
    at->series.push_back(std::move(out));
  }
  for (Run& run : runs) finish(run, log.steps_per_epoch);
  if (!runs.empty() && log.num_skipped > 0)
    runs[0].warnings.push_back(fmt::format("{}: {} part{} of it skipped; {}", name, log.num_skipped,
                                           log.num_skipped == 1 ? "" : "s", fmt::join(log.notes, "; ")));
  return runs;
}

std::vector<std::string> logs_of(const std::string& path) {
  std::error_code ignored;
  if (path == "-" || !fs::is_directory(path, ignored)) return {path};
  for (const char* name : {"log.jsonl", "out.log", "run.log"})
    if (fs::exists(fs::path(path) / name, ignored)) return {(fs::path(path) / name).string()};
  std::vector<std::string> found;
  for (auto at =
           fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, ignored);
       at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    if (ignored || at.depth() > 3) break;
    const std::string file = at->path().filename().string();
    if (file.find("tfevents") != std::string::npos) found.push_back(at->path().string());
  }
  std::sort(found.begin(), found.end());
  if (found.empty())
    throw base::Error(base::ExitCode::data, fmt::format("the folder '{}' holds no log", path),
                      "expected log.jsonl, out.log, run.log or events.out.tfevents* in it");
  return found;
}

std::vector<Run> load_runs(const std::string& path) {
  std::vector<std::string> files = logs_of(path);
  std::vector<Run> parts;
  for (const std::string& file : files) {
    std::vector<Run> runs = make_runs(log::load_log(file), files.size() == 1 ? path : file);
    if (files.size() == 1) {
      if (runs.empty()) refuse_empty(path);
      return runs;
    }
    const std::string mode = mode_of_folder(file);
    for (Run& run : runs) {
      for (Series& s : run.series)
        if (!mode.empty()) s.mode = mode;
      run.name = path;
      parts.push_back(std::move(run));
    }
  }
  if (parts.empty()) refuse_empty(path);
  std::vector<Run> runs;
  runs.push_back(stitch(std::move(parts)));
  return runs;
}

std::vector<Run> parse_runs(const std::string& name, std::string_view text) {
  std::vector<Run> runs = make_runs(log::read_log(text), name);
  if (runs.empty()) refuse_empty(name);
  return runs;
}

Run stitch(std::vector<Run> parts) {
  Run whole;
  whole.name = parts.front().name;
  log::MetricLog log;
  double elapsed = 0;
  for (Run& part : parts) {
    double last = 0;
    Point first;  // the earliest place of this part
    bool any = false;
    for (const Series& s : part.series)
      for (const Point& p : s.points) {
        if (!any || std::pair(p.epoch, p.step) < std::pair(first.epoch, first.step)) first = p;
        any = true;
        if (std::isfinite(p.time)) last = std::max(last, p.time);
      }
    for (const Series& s : part.series) {
      log::MetricSeries& target = log.find({{}, s.instance, s.per_step, s.mode, {}, s.metric}, s.unit);
      if (!target.points.empty()) {
        const auto lost = [&](const Point& p) {
          return std::pair(p.epoch, p.step) > std::pair(first.epoch, first.step);
        };
        target.points.erase(std::remove_if(target.points.begin(), target.points.end(), lost),
                            target.points.end());
      }
      for (Point p : s.points) {
        p.time += elapsed;
        log::MetricLog::append(target, p);
      }
    }
    if (&part != &parts.front() && any) {
      first.time = elapsed;
      log.restarts.push_back(first);
    }
    for (Point p : part.restarts) {
      p.time += elapsed;
      log.restarts.push_back(p);
    }
    whole.warnings.insert(whole.warnings.end(), part.warnings.begin(), part.warnings.end());
    elapsed += last;
  }
  log.settle();
  std::vector<Run> made = make_runs(std::move(log), whole.name);
  if (made.empty()) return whole;
  made[0].warnings = std::move(whole.warnings);
  return std::move(made[0]);
}

Axis default_axis(const std::vector<Run>& runs) {
  for (const Axis axis : {Axis::epoch, Axis::step}) {
    const bool all = std::all_of(runs.begin(), runs.end(), [axis](const Run& run) {
      return std::any_of(run.series.begin(), run.series.end(), [axis](const Series& s) {
        return !s.points.empty() && x_of(s, s.points.back(), axis);
      });
    });
    if (all) return axis;
  }
  return Axis::time;
}

void choose_level(std::vector<Run>& runs, Axis axis) {
  for (Run& run : runs) {
    std::set<std::tuple<int, std::string, std::string>> preferred;
    const bool steps = axis == Axis::step;
    for (const Series& s : run.series)
      if (s.per_step == steps) preferred.emplace(s.instance, s.mode, s.metric);
    std::erase_if(run.series, [&](const Series& s) {
      return s.per_step != steps && preferred.count({s.instance, s.mode, s.metric}) > 0;
    });
    const bool placed = std::any_of(run.series.begin(), run.series.end(), [axis](const Series& s) {
      return std::any_of(s.points.begin(), s.points.end(),
                         [&](const Point& p) { return x_of(s, p, axis).has_value(); });
    });
    if (placed) continue;
    const char* what = axis == Axis::time ? "time" : axis == Axis::step ? "step" : "epoch";
    throw base::Error(base::ExitCode::data,
                      fmt::format("'{}' does not say the {} of its values", run.name, what),
                      axis == Axis::epoch ? "use --x step" : "use --x epoch");
  }
}

void select_metrics(std::vector<Run>& runs, const std::vector<std::string>& names) {
  std::set<std::string> wanted;
  const std::vector<std::string> known = metric_names(runs);
  for (const std::string& given : names) {
    const std::string name = given == "objective" ? "objective function" : given;
    bool matched = false;
    for (const std::string& metric : known) {
      if (metric != name && ::fnmatch(name.c_str(), metric.c_str(), 0) != 0) continue;
      wanted.insert(metric);
      matched = true;
    }
    if (!matched)
      throw base::Error(base::ExitCode::usage, fmt::format("no run has a metric '{}'", name),
                        fmt::format("metrics: {}", fmt::join(known, ", ")));
  }
  const bool only_side = std::all_of(known.begin(), known.end(),
                                     [](const std::string& name) { return side_metrics.count(name) > 0; });
  for (Run& run : runs)
    std::erase_if(run.series, [&](const Series& s) {
      return wanted.empty() ? !only_side && side_metrics.count(s.metric) > 0 : wanted.count(s.metric) == 0;
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
  for (const char* word :
       {"accuracy", "precision", "recall", "auc", "f1", "r2", "correlation", "score", "acc"})
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
