// Panels and curves: see figure.hpp.
#include "plot/figure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace lbann::plot {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

int dash_of(const std::string& mode) {
  if (mode.rfind("validation", 0) == 0) return 1;
  if (mode.rfind("test", 0) == 0) return 2;
  return mode.rfind("tournament", 0) == 0 ? 3 : 0;
}

std::vector<XY> points_of(const Series& s, const FigureOptions& o) {
  std::vector<XY> points;
  points.reserve(s.points.size());
  bool sorted = true;
  for (const Point& p : s.points) {
    const auto x = x_of(s, p, o.axis);
    if (!x || !std::isfinite(*x) || (o.log_x && *x <= 0)) continue;
    const bool drawn = std::isfinite(p.value) && (!o.log_y || p.value > 0);
    sorted = sorted && (points.empty() || points.back().x <= *x);
    points.push_back({*x, drawn ? p.value : not_a_number});
  }
  if (!sorted)
    std::stable_sort(points.begin(), points.end(), [](const XY& a, const XY& b) { return a.x < b.x; });
  return points;
}

struct Drawn {
  std::string label;
  std::string who;  // run and trainer: what a colour stands for
  std::string mode;
  std::vector<std::vector<XY>> members;
};

// Mean over the members that have a value at each x, and the range.
void draw_group(const std::vector<std::vector<XY>>& members, Curve& curve) {
  struct Sum {
    double sum = 0;
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    int n = 0;
    bool broken = false;
  };
  std::map<double, Sum> at;
  for (const auto& points : members)
    for (const XY& p : points) {
      Sum& s = at[p.x];
      if (std::isnan(p.y)) {
        s.broken = true;
        continue;
      }
      s.sum += p.y;
      s.low = std::min(s.low, p.y);
      s.high = std::max(s.high, p.y);
      ++s.n;
    }
  for (const auto& [x, s] : at) {
    curve.points.push_back({x, s.n > 0 ? s.sum / s.n : not_a_number});
    if (s.n == 0) continue;
    curve.low.push_back({x, s.low});
    curve.high.push_back({x, s.high});
  }
}

Drawn& find_drawn(std::vector<Drawn>& all, const std::string& label) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const Drawn& d) { return d.label == label; });
  return at != all.end() ? *at : all.emplace_back(Drawn{label, {}, {}, {}});
}

std::vector<Drawn> collect(const std::vector<Run>& runs, const std::string& metric, const FigureOptions& o,
                           Panel& panel) {
  std::vector<Drawn> all;
  for (const Run& run : runs)
    for (const Series& s : run.series) {
      if (s.metric != metric) continue;
      if (panel.unit.empty()) panel.unit = s.unit;
      std::string label = series_label(run, s, runs.size() > 1);
      std::string who = run.name + '\0' + std::to_string(s.instance);
      if (o.group == Group::runs && s.instance >= 0) {
        label = s.mode;
        who.clear();
      } else if (o.group == Group::trainers && s.instance >= 0) {
        label = runs.size() > 1 ? run.name + ": " + s.mode : s.mode;
        who = run.name;
      }
      Drawn& d = find_drawn(all, label);
      d.who = who;
      d.mode = s.mode;
      d.members.push_back(points_of(s, o));
    }
  return all;
}

void take_points(Drawn& d, Curve& curve) {
  if (d.members.size() > 1)
    draw_group(d.members, curve);
  else
    curve.points = std::move(d.members.front());
  curve.num_not_finite = static_cast<std::size_t>(
      std::count_if(curve.points.begin(), curve.points.end(), [](const XY& p) { return std::isnan(p.y); }));
  curve.num_points = curve.points.size() - curve.num_not_finite;
}

void finish_panel(Panel& panel, const FigureOptions& o) {
  panel.spacing = 0;
  for (const Curve& c : panel.curves) {
    if (c.points.size() < 2) continue;
    const double spacing =
        (c.points.back().x - c.points.front().x) / static_cast<double>(c.points.size() - 1);
    if (spacing > 0 && (panel.spacing == 0 || spacing < panel.spacing)) panel.spacing = spacing;
  }
  if (panel.spacing == 0) panel.spacing = 1;
  for (Curve& c : panel.curves) {
    if (o.smooth > 0 && c.num_points > 2) {
      c.ghost = c.points;
      c.points = smooth(c.points, o.smooth, panel.spacing);
    }
    c.ghost = thin_out(c.ghost, o.columns);
    c.points = thin_out(c.points, o.columns);
  }
}

// Time in the unit that makes short numbers.
void scale_time(Figure& figure) {
  double longest = 0;
  const auto each = [&figure](auto&& take) {
    for (Panel& panel : figure.panels)
      for (Curve& c : panel.curves)
        for (auto* list : {&c.points, &c.ghost, &c.low, &c.high})
          for (XY& p : *list) take(p);
  };
  each([&longest](XY& p) { longest = std::max(longest, p.x); });
  const double unit = longest >= 3 * 3600 ? 3600 : longest >= 300 ? 60 : 1;
  figure.x_title = unit == 3600 ? "time [h]" : unit == 60 ? "time [min]" : "time [s]";
  each([unit](XY& p) { p.x /= unit; });
  for (Panel& panel : figure.panels) panel.spacing /= unit;
  for (double& x : figure.restarts) x /= unit;
}

}  // namespace

bool Panel::empty() const {
  return std::all_of(curves.begin(), curves.end(), [](const Curve& c) { return c.num_points == 0; });
}

std::vector<const Curve*> Figure::legend() const {
  std::vector<const Curve*> entries;
  for (const Panel& panel : panels)
    for (const Curve& c : panel.curves)
      if (std::none_of(entries.begin(), entries.end(), [&](const Curve* e) { return e->label == c.label; }))
        entries.push_back(&c);
  return entries;
}

const std::vector<std::string>& palette() {
  static const std::vector<std::string> colors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#000000"};
  return colors;
}

std::vector<XY> smooth(const std::vector<XY>& points, double weight, double spacing) {
  std::vector<XY> smoothed;
  smoothed.reserve(points.size());
  double mean = 0;
  double norm = 0;
  double before = 0;
  for (const XY& p : points) {
    if (std::isnan(p.y)) {
      mean = norm = 0;
      smoothed.push_back(p);
      continue;
    }
    // Two points at one place are one point apart: no weight would be left for the second.
    const double distance = norm == 0 || p.x <= before ? 1 : (p.x - before) / spacing;
    const double a = std::pow(weight, distance);
    mean = a * mean + (1 - a) * p.y;
    norm = a * norm + (1 - a);
    before = p.x;
    smoothed.push_back({p.x, mean / norm});
  }
  return smoothed;
}

std::vector<XY> thin_out(const std::vector<XY>& points, std::size_t columns) {
  if (points.size() <= 4 * columns) return points;
  std::vector<XY> kept;
  kept.reserve(4 * columns);
  const double left = points.front().x;
  const double width = points.back().x - left;
  std::size_t begin = 0;
  while (begin < points.size()) {
    // A column ends where x leaves it or the curve breaks.
    const auto column = [&](const XY& p) {
      return width > 0
                 ? std::min(columns - 1,
                            static_cast<std::size_t>((p.x - left) / width * static_cast<double>(columns)))
                 : 0;
    };
    const std::size_t here = column(points[begin]);
    const bool broken = std::isnan(points[begin].y);
    std::size_t end = begin;
    std::size_t low = begin;
    std::size_t high = begin;
    while (end < points.size() && column(points[end]) == here && std::isnan(points[end].y) == broken) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
      ++end;
    }
    std::size_t picks[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    std::size_t last = points.size();
    for (const std::size_t i : picks) {
      if (broken && i != begin) break;
      if (i != last) kept.push_back(points[i]);
      last = i;
    }
    begin = end;
  }
  return kept;
}

std::string axis_title(Axis axis) {
  return axis == Axis::epoch ? "epoch" : axis == Axis::step ? "training steps" : "time [s]";
}

Figure make_figure(const std::vector<Run>& runs, const FigureOptions& o) {
  Figure figure;
  figure.x_title = axis_title(o.axis);
  std::vector<std::string> people;  // whom colours stand for, over all panels
  std::vector<std::string> modes;
  std::vector<std::vector<Drawn>> drawn;
  const auto index_in = [](std::vector<std::string>& list, const std::string& word) {
    const auto at = std::find(list.begin(), list.end(), word);
    if (at != list.end()) return static_cast<int>(at - list.begin());
    list.push_back(word);
    return static_cast<int>(list.size()) - 1;
  };
  for (const std::string& metric : metric_names(runs)) {
    Panel panel;
    panel.metric = metric;
    drawn.push_back(collect(runs, metric, o, panel));
    for (const Drawn& d : drawn.back()) {
      index_in(people, d.who);
      index_in(modes, d.mode);
    }
    figure.panels.push_back(std::move(panel));
  }
  const int num_colors = static_cast<int>(palette().size());
  for (std::size_t i = 0; i < drawn.size(); ++i)
    for (Drawn& d : drawn[i]) {
      Curve curve;
      curve.label = d.label;
      curve.color =
          index_in(people.size() > 1 ? people : modes, people.size() > 1 ? d.who : d.mode) % num_colors;
      curve.dash = dash_of(d.mode);
      take_points(d, curve);
      figure.panels[i].curves.push_back(std::move(curve));
    }
  for (Panel& panel : figure.panels) finish_panel(panel, o);
  if (runs.size() == 1 && !runs[0].series.empty())
    for (const Point& p : runs[0].restarts)
      if (const auto x = x_of(runs[0].series[0], p, o.axis); x && *x > 0) figure.restarts.push_back(*x);
  if (o.axis == Axis::time) scale_time(figure);
  return figure;
}

}  // namespace lbann::plot
