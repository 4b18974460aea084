// Statistics: see statistics.hpp.
#include "plot/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "plot/units.hpp"

namespace lbann::plot {

namespace {

const Point* first_divergence(const Series& s, const Point* best) {
  for (const Point& p : s.points)
    if (!std::isfinite(p.value)) return &p;
  if (!best || s.points.size() < 3) return nullptr;
  const bool larger = larger_is_better(s.metric);
  const double first = s.points.front().value;
  const Point* since = nullptr;
  for (const Point* p = &s.points.back(); p > best; --p) {
    if (!(larger ? p->value < first : p->value > first)) break;
    since = p;
  }
  // A few bad points at the end are noise.
  const std::ptrdiff_t least = std::max<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(s.points.size() / 20));
  return since && &s.points.back() - since + 1 >= least ? since : nullptr;
}

std::optional<double> gap_to_training(const Run& run, const Series& validation) {
  for (const Series& t : run.series) {
    if (t.mode != "training" || t.metric != validation.metric || t.instance != validation.instance) continue;
    const auto place = [](const Point& p) { return p.epoch >= 0 ? p.epoch : p.step; };
    for (auto v = validation.points.rbegin(); v != validation.points.rend(); ++v) {
      const auto at = std::find_if(t.points.rbegin(), t.points.rend(),
                                   [&](const Point& p) { return place(p) <= place(*v); });
      if (at == t.points.rend()) return std::nullopt;
      if (place(*at) != place(*v)) continue;
      const double gap = v->value - at->value;
      return larger_is_better(validation.metric) ? 0 - gap : gap;
    }
  }
  return std::nullopt;
}

}  // namespace

bool split_quantity(std::string_view text, double& value, std::string& unit) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return false;
  std::string_view rest = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
  while (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  unit = rest;
  const bool known = unit.empty() || unit == "%" || convert_unit(1, unit, "s") || convert_unit(1, unit, "B");
  return known && std::isfinite(value);
}

std::optional<double> bound_for(const Series& series, double value, const std::string& unit) {
  if (unit.empty() || unit == series.unit) return value;
  if (unit == "%" && series.unit.empty()) return holds_fractions(series) ? value / 100 : value;
  if (series.unit.empty()) return std::nullopt;
  return convert_unit(value, unit, series.unit);
}

std::optional<Target> try_parse_target(std::string_view text, std::string& why) {
  Target t;
  t.text = text;
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos) {
    why = "no '=' in it";
    return std::nullopt;
  }
  if (!split_quantity(text.substr(equals + 1), t.value, t.unit)) {
    why = fmt::format("'{}' is no number", text.substr(equals + 1));
    return std::nullopt;
  }
  std::string name(text.substr(0, equals));
  for (const char* mode : {"training ", "validation ", "test ", "tournament "})
    if (name.rfind(mode, 0) == 0) {
      t.mode = std::string(mode, std::string_view(mode).size() - 1);
      name.erase(0, t.mode.size() + 1);
    }
  if (name.empty()) {
    why = "no metric before the '='";
    return std::nullopt;
  }
  t.metric = name == "objective" ? "objective function" : name;
  return t;
}

SeriesStatistics measure(const Run& run, const Series& s, const std::vector<Target>& targets) {
  SeriesStatistics m;
  m.num_points = static_cast<std::int64_t>(s.points.size());
  m.num_not_finite =
      std::count_if(s.points.begin(), s.points.end(), [](const Point& p) { return !std::isfinite(p.value); });
  m.best = best_point(s);
  m.last = s.points.empty() ? nullptr : &s.points.back();
  m.diverged = first_divergence(s, m.best);
  if (s.mode == "validation") m.gap = gap_to_training(run, s);
  for (const Target& t : targets) {
    if (t.metric != s.metric || (!t.mode.empty() && t.mode != s.mode)) continue;
    m.has_target = true;
    const auto bound = bound_for(s, t.value, t.unit);
    if (!bound) continue;
    const bool larger = larger_is_better(s.metric);
    const auto at = std::find_if(s.points.begin(), s.points.end(), [&](const Point& p) {
      return larger ? p.value >= *bound : p.value <= *bound;
    });
    if (at != s.points.end()) m.reached = &*at;
  }
  return m;
}

std::optional<Throughput> measure_throughput(const Run& run) {
  for (const Series& s : run.series) {
    if (s.mode != "training") continue;
    std::vector<double> rates;
    double seconds = 0;
    for (std::size_t i = 1; i < s.points.size(); ++i) {
      const Point& a = s.points[i - 1];
      const Point& b = s.points[i];
      if (a.step < 0 || b.step <= a.step || !(b.time > a.time)) continue;
      rates.push_back(static_cast<double>(b.step - a.step) / (b.time - a.time));
      seconds += b.time - a.time;
    }
    if (rates.empty()) continue;
    std::sort(rates.begin(), rates.end());
    return Throughput{rates[rates.size() / 2], rates[rates.size() / 20], seconds};
  }
  return std::nullopt;
}

}  // namespace lbann::plot
