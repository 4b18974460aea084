// Scripts for gnuplot: see gnuplot.hpp.
#include "plot/gnuplot.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/diagnostic.hpp"
#include "base/process.hpp"
#include "base/utf8.hpp"
#include "plot/report.hpp"

namespace lbann::plot {

namespace {

// Single quotes keep everything literal; a quote is doubled.
std::string quoted(const std::string& text) {
  std::string q = "'";
  for (const char c : base::printable(text))
    q += c == '\'' ? std::string("''") : std::string(1, c == '\t' ? ' ' : c);
  return q + "'";
}

// A data block; a blank line breaks the curve. Empty when nothing can be drawn.
std::string block_of(const Series& s, Axis axis) {
  std::string text;
  bool broken = false;
  for (const Point& p : s.points) {
    const auto x = p.x(axis);
    if (!x) continue;
    if (!std::isfinite(p.value)) {
      broken = true;
      continue;
    }
    if (broken && !text.empty()) text += "\n";
    broken = false;
    text += fmt::format("{} {}\n", *x, p.value);
  }
  return text;
}

}  // namespace

std::string render_gnuplot(const std::vector<Run>& runs, Axis axis, ImageFormat format) {
  const std::vector<std::string> metrics = metric_names(runs);
  const std::size_t columns = metrics.size() > 1 ? 2 : 1;
  const std::size_t rows = (metrics.size() + columns - 1) / columns;
  const std::size_t width = columns * 560;
  const std::size_t height = rows * 400;
  std::string text = fmt::format(
      "set encoding utf8\nset terminal {} size {},{} {} font 'sans,11'\n"
      "set multiplot layout {},{}\nset grid lt 1 lw 1 lc rgb '#dddddd'\nset border 3\nset tics nomirror\n"
      "set key outside below center maxcols 2 Left reverse noenhanced\n",
      format == ImageFormat::svg ? "svg" : "pngcairo", width, height,
      format == ImageFormat::svg ? "dynamic background '#ffffff'" : "background '#ffffff'", rows, columns);
  const std::vector<const char*> colors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
  int number = 0;
  for (const std::string& metric : metrics) {
    std::string plots;
    std::size_t in_panel = 0;
    std::string unit;
    for (const Run& run : runs)
      for (const Series& s : run.series) {
        if (s.metric != metric) continue;
        if (!s.unit.empty()) unit = s.unit;
        const std::string block = block_of(s, axis);
        if (block.empty()) continue;
        text += fmt::format("$data{} << lbann_end_of_data\n{}lbann_end_of_data\n", number, block);
        const char* color = colors[in_panel++ % colors.size()];
        const bool many = s.points.size() > 100;
        plots += fmt::format("{}$data{} using 1:2 with {} lc rgb '{}'{} title {}", plots.empty() ? "" : ", ",
                             number, many ? "lines" : "linespoints", color, many ? "" : " pt 7 ps 0.5",
                             quoted(series_label(run, s, runs.size() > 1)));
        ++number;
      }
    const std::string label = unit.empty() ? metric : metric + " [" + unit + "]";
    text += fmt::format("set xlabel {}\nset ylabel {} noenhanced\n", quoted(axis_title(axis)), quoted(label));
    if (plots.empty())
      text +=
          "set label 1 'no finite values' at graph 0.5,0.5 center\nplot [0:1] [0:1] NaN notitle\nunset label "
          "1\n";
    else
      text += "plot " + plots + "\n";
  }
  return text + "unset multiplot\n";
}

std::string draw_image(const std::vector<Run>& runs, Axis axis, ImageFormat format) {
  const auto program = base::try_find_program("gnuplot");
  if (!program)
    throw base::Error(base::ExitCode::environment, "gnuplot, which draws svg and png, is not in PATH",
                      "install it (Debian: gnuplot-nox), or ask for --format=csv, md, json or text");
  const base::ProcessResult result =
      base::run_process({*program, "--default-settings", "-"}, render_gnuplot(runs, axis, format));
  if (result.exit_code != 0 || result.out.empty()) {
    std::string said = result.err.substr(0, result.err.find_last_not_of('\n') + 1);
    said = said.substr(said.rfind('\n') + 1);
    throw base::Error(base::ExitCode::environment,
                      fmt::format("gnuplot failed (exit code {}): {}", result.exit_code, said));
  }
  return result.out;
}

}  // namespace lbann::plot
