// Curves as text: Braille dots in colours, or one mark per column and series where there is no colour.
//
// A Braille cell is two dots wide and four high, so a panel of 70 by 14 cells has 140 by 56 dots:
//   bit of dot (column, row): 0 1 2 6 | 3 4 5 7, U+2800 + bits
// A cell that several curves cross takes the colour of the last. A point that is no number leaves a
// gap. The legend stands below the panel, so it never covers a curve.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/utf8.hpp"
#include "plot/report.hpp"

namespace lbann::plot {

namespace {

constexpr int margin = 11;  // value labels and the axis

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

std::string utf8_of(unsigned code) {  // U+0800 to U+FFFF
  return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

// The palette's colours among xterm's 256.
int terminal_color(int color) {
  constexpr int codes[] = {33, 208, 36, 175, 214, 117, 250};
  return codes[color];
}

class Canvas {
public:
  Canvas(int columns, int rows, bool dots)
    : columns_(columns), rows_(rows), dots_(dots), cells_(static_cast<std::size_t>(columns * rows)) {}

  int width() const { return dots_ ? columns_ * 2 : columns_; }
  int height() const { return dots_ ? rows_ * 4 : rows_; }

  void draw(const std::vector<XY>& points, const Range& x, const Range& y, const std::string& mark,
            int color) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto [x0, y0] = points[i];
      if (!std::isfinite(y0)) continue;
      const int c0 = x.place(x0, width());
      const int r0 = y.place(y0, height());
      set(c0, r0, mark, color);
      if (i + 1 == points.size() || !std::isfinite(points[i + 1].y)) continue;
      const int c1 = x.place(points[i + 1].x, width());
      const int r1 = y.place(points[i + 1].y, height());
      // Marks: one per column. Dots: a closed line.
      const int n = dots_ ? std::max(c1 - c0, std::abs(r1 - r0)) : c1 - c0;
      for (int k = 1; k < n; ++k) {
        const double t = static_cast<double>(k) / n;
        const double value = y0 * (1 - t) + points[i + 1].y * t;
        set(c0 + static_cast<int>(std::round(t * (c1 - c0))), y.place(value, height()), mark, color);
      }
    }
  }

  std::string row(int r) const {
    std::string text;
    int color = -1;
    for (int c = 0; c < columns_; ++c) {
      const Cell& cell = cells_[static_cast<std::size_t>(r * columns_ + c)];
      const bool empty = dots_ ? cell.bits == 0 : cell.mark.empty();
      const int wanted = empty || !dots_ ? -1 : cell.color;
      if (wanted != color)
        text += wanted < 0 ? "\x1b[0m" : fmt::format("\x1b[38;5;{}m", terminal_color(wanted));
      color = wanted;
      text += empty ? " " : dots_ ? utf8_of(0x2800U + cell.bits) : cell.mark;
    }
    return color < 0 ? text : text + "\x1b[0m";
  }

private:
  struct Cell {
    std::string mark{};
    unsigned bits = 0;
    int color = 0;
  };
  void set(int column, int height_above, const std::string& mark, int color) {
    const int row = height() - 1 - height_above;
    Cell& cell =
        cells_[static_cast<std::size_t>((dots_ ? row / 4 : row) * columns_ + (dots_ ? column / 2 : column))];
    cell.color = color;
    cell.mark = mark;
    constexpr unsigned bit[2][4] = {{0, 1, 2, 6}, {3, 4, 5, 7}};
    if (dots_) cell.bits |= 1U << bit[column % 2][row % 4];
  }

  int columns_;
  int rows_;
  bool dots_;
  std::vector<Cell> cells_;
};

struct Marks {
  std::vector<std::string> list;
  std::string of(std::size_t i) const { return list[i % list.size()]; }
};

}  // namespace

std::string render_terminal(const Figure& figure, const TerminalOptions& o) {
  const int width = std::clamp(o.columns - margin - 2, 20, 160);
  const bool dots = o.color && !o.ascii;
  const int num_rows = dots ? 14 : 12;
  const Marks marks{o.ascii ? std::vector<std::string>{"*", "o", "+", "x", "#", "@"}
                            : std::vector<std::string>{"•", "○", "+", "×", "■", "□"}};
  std::string text;
  for (const Panel& panel : figure.panels) {
    Range x;
    Range y;
    for (const Curve& c : panel.curves)
      for (const XY& p : c.points) {
        x.add(p.x);
        if (std::isfinite(p.y)) y.add(p.y);
      }
    text += base::printable(panel.title()) + "\n";
    if (!(y.low <= y.high)) {
      text += "  no finite values\n\n";
      continue;
    }
    const Range labels = x;
    x.open();
    y.open();
    Canvas canvas(width, num_rows, dots);
    for (std::size_t i = 0; i < panel.curves.size(); ++i)
      canvas.draw(panel.curves[i].points, x, y, marks.of(i), panel.curves[i].color);
    for (int r = 0; r < num_rows; ++r) {
      const bool labelled = r == 0 || r == num_rows - 1 || r == num_rows / 2;
      const double value = y.low + (y.high - y.low) * (num_rows - 1 - r) / (num_rows - 1);
      std::string line = fmt::format("{:>{}} {}{}", labelled ? fmt::format("{:.4g}", value) : "", margin - 2,
                                     o.ascii ? "|" : "│", canvas.row(r));
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    std::string line;
    for (int i = 0; i < width; ++i) line += o.ascii ? "-" : "─";
    text += fmt::format("{:>{}} {}{}\n", "", margin - 2, o.ascii ? "+" : "└", line);
    const std::string left = fmt::format("{:.6g}", labels.low);
    const std::string right = fmt::format("{:.6g}", labels.high);
    text += fmt::format("{:>{}}{}{:^{}}{}\n", "", margin, left, figure.x_title,
                        width - static_cast<int>(left.size() + right.size()), right);
    std::string legend;
    for (std::size_t i = 0; i < panel.curves.size(); ++i) {
      const Curve& c = panel.curves[i];
      const std::string sign =
          dots ? fmt::format("\x1b[38;5;{}m{}\x1b[0m", terminal_color(c.color), "━━") : marks.of(i);
      legend += fmt::format("   {} {}", sign, base::printable(c.label));
    }
    text += fmt::format("{:>{}}{}\n\n", "", margin - 3, legend);
  }
  return text;
}

}  // namespace lbann::plot
