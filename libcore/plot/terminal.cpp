// Curves as text: one mark per column and series, lines interpolated between neighbouring points.
//
// The axis of values covers the finite values of the panel; a point that is no number leaves a gap.
// The legend stands below the panel, so it never covers a curve.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/utf8.hpp"
#include "plot/report.hpp"

namespace lbann::plot {

namespace {

constexpr int num_rows = 12;
constexpr int margin = 11;  // value labels and the axis

struct Curve {
  std::string label;
  std::string mark;
  std::vector<std::pair<double, double>> points;  // x, value; value may be no number
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void open() {
    if (low < high) return;
    const double width = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= width / 2;
    high = low + width;
  }
  int place(double value, int cells) const {
    const double at = std::round((value / 2 - low / 2) / (high / 2 - low / 2) * (cells - 1));
    return std::clamp(static_cast<int>(at), 0, cells - 1);
  }
};

class Panel {
public:
  Panel(int columns) : width_(columns), cells_(num_rows, std::vector<std::string>(columns, " ")) {}

  void draw(const Curve& curve, const Range& x, const Range& y) {
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      const auto [x0, y0] = curve.points[i];
      if (!std::isfinite(y0)) continue;
      const int c0 = x.place(x0, width_);
      set(c0, y.place(y0, num_rows), curve.mark);
      if (i + 1 == curve.points.size() || !std::isfinite(curve.points[i + 1].second)) continue;
      const auto [x1, y1] = curve.points[i + 1];
      const int c1 = x.place(x1, width_);
      for (int c = c0 + 1; c < c1; ++c) {
        const double t = static_cast<double>(c - c0) / (c1 - c0);
        set(c, y.place(y0 * (1 - t) + y1 * t, num_rows), curve.mark);
      }
    }
  }

  std::string row(int r) const {
    std::string text;
    for (const std::string& c : cells_[r]) text += c;
    return text;
  }

private:
  void set(int column, int height, const std::string& mark) { cells_[num_rows - 1 - height][column] = mark; }
  int width_;
  std::vector<std::vector<std::string>> cells_;
};

std::vector<Curve> curves_of(const std::vector<Run>& runs, const std::string& metric, Axis axis, bool ascii) {
  const std::vector<std::string> marks = ascii ? std::vector<std::string>{"*", "o", "+", "x", "#", "@"}
                                               : std::vector<std::string>{"•", "○", "+", "×", "■", "□"};
  std::vector<Curve> curves;
  for (const Run& run : runs)
    for (const Series& s : run.series) {
      if (s.metric != metric) continue;
      Curve c{series_label(run, s, runs.size() > 1), marks[curves.size() % marks.size()], {}};
      for (const Point& p : s.points)
        if (const auto x = p.x(axis)) c.points.emplace_back(*x, p.value);
      curves.push_back(std::move(c));
    }
  return curves;
}

}  // namespace

std::string render_terminal(const std::vector<Run>& runs, Axis axis, int columns, bool ascii) {
  const int width = std::clamp(columns - margin - 2, 20, 160);
  std::string text;
  for (const std::string& metric : metric_names(runs)) {
    const std::vector<Curve> curves = curves_of(runs, metric, axis, ascii);
    Range x;
    Range y;
    for (const Curve& c : curves)
      for (const auto& [at, value] : c.points) {
        x.add(at);
        if (std::isfinite(value)) y.add(value);
      }
    text += base::printable(metric) + "\n";
    if (!(y.low <= y.high)) {
      text += "  no finite values\n\n";
      continue;
    }
    const Range labels = x;
    x.open();
    y.open();
    Panel panel(width);
    for (const Curve& c : curves) panel.draw(c, x, y);
    for (int r = 0; r < num_rows; ++r) {
      const bool labelled = r == 0 || r == num_rows - 1 || r == num_rows / 2;
      const double value = y.low + (y.high - y.low) * (num_rows - 1 - r) / (num_rows - 1);
      std::string line = fmt::format("{:>{}} {}{}", labelled ? fmt::format("{:.4g}", value) : "", margin - 2,
                                     ascii ? "|" : "│", panel.row(r));
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    std::string line;
    for (int i = 0; i < width; ++i) line += ascii ? "-" : "─";
    text += fmt::format("{:>{}} {}{}\n", "", margin - 2, ascii ? "+" : "└", line);
    const std::string left = fmt::format("{:.6g}", labels.low);
    const std::string right = fmt::format("{:.6g}", labels.high);
    text += fmt::format("{:>{}}{}{:^{}}{}\n", "", margin, left, axis_title(axis),
                        width - static_cast<int>(left.size() + right.size()), right);
    std::string legend;
    for (const Curve& c : curves) legend += fmt::format("   {} {}", c.mark, base::printable(c.label));
    text += fmt::format("{:>{}}{}\n\n", "", margin - 3, legend);
  }
  return text + render_markdown(runs);
}

}  // namespace lbann::plot
