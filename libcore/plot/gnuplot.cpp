// Scripts for gnuplot: see gnuplot.hpp.
#include "plot/gnuplot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/diagnostic.hpp"
#include "base/process.hpp"
#include "base/utf8.hpp"

namespace lbann::plot {

namespace {

// Single quotes keep everything literal; a quote is doubled.
std::string quoted(const std::string& text) {
  std::string q = "'";
  for (const char c : base::printable(text))
    q += c == '\'' ? std::string("''") : std::string(1, c == '\t' ? ' ' : c);
  return q + "'";
}

// A data block; a blank line breaks the curve.
std::string block_of(const std::vector<XY>& points) {
  std::string text;
  bool broken = false;
  for (const XY& p : points) {
    if (std::isnan(p.y)) {
      broken = true;
      continue;
    }
    if (broken && !text.empty()) text += "\n";
    broken = false;
    text += fmt::format("{} {}\n", p.x, p.y);
  }
  return text;
}

const char* dash_type(int dash) {
  constexpr const char* types[] = {"1", "(9,4)", "(2,3)", "(9,3,2,3)"};
  return types[dash];
}

struct Layout {
  int columns = 1;
  int rows = 1;
  int width = 0;
  int height = 0;
  int title = 0;    // pixels of the strip above
  int legend = 0;   // pixels of the strip below
  int entries = 1;  // legend entries side by side
};

Layout lay_out(const Figure& figure, const FigureOptions& o) {
  Layout l;
  const int num_panels = std::max<int>(1, static_cast<int>(figure.panels.size()));
  l.columns = num_panels == 1 ? 1 : num_panels <= 4 ? 2 : 3;
  l.rows = (num_panels + l.columns - 1) / l.columns;
  l.title = o.title.empty() ? 0 : 34;
  int longest = 1;
  const auto entries = figure.legend();
  for (const Curve* c : entries) longest = std::max(longest, base::count_code_points(c->label));
  l.width = o.width > 0 ? o.width : l.columns == 1 ? 760 : l.columns * 520;
  l.entries =
      std::clamp((l.width - 40) / (longest * 8 + 70), 1, std::max<int>(1, static_cast<int>(entries.size())));
  l.legend = static_cast<int>((entries.size() + static_cast<std::size_t>(l.entries) - 1) /
                              static_cast<std::size_t>(l.entries)) *
                 22 +
             14;
  l.height = o.height > 0 ? o.height : l.rows * (l.columns == 1 ? 440 : 330) + l.title + l.legend;
  return l;
}

std::string terminal(ImageFormat format, const Layout& l) {
  // The vector formats count in inches; 96 pixels are one.
  const double w = l.width / 96.0;
  const double h = l.height / 96.0;
  switch (format) {
    case ImageFormat::svg:
      return fmt::format("svg size {},{} dynamic background '#ffffff' font 'sans,13'", l.width, l.height);
    case ImageFormat::png:
      return fmt::format("pngcairo size {},{} background '#ffffff' font 'sans,10'", l.width, l.height);
    case ImageFormat::pdf:
      return fmt::format("pdfcairo size {:.4f}in,{:.4f}in font 'sans,10'", w, h);
    default:
      return fmt::format("epscairo size {:.4f}in,{:.4f}in font 'sans,10'", w, h);
  }
}

std::string line_style(const Curve& c, double width, bool faint) {
  const std::string& rgb = palette()[static_cast<std::size_t>(c.color)];
  // '#aarrggbb': the first byte is transparency.
  const std::string color = faint ? "#b0" + rgb.substr(1) : rgb;
  return fmt::format("lc rgb '{}' lw {} dt {}", color, width, faint ? "1" : dash_type(c.dash));
}

std::string legend_entries(const Figure& figure) {
  std::string plots;
  for (const Curve* c : figure.legend())
    plots += fmt::format("{}NaN with lines {} title {}", plots.empty() ? "" : ", ",
                         line_style(*c, 2.2, false), quoted(c->label));
  return plots;
}

// The data blocks of one panel into `data`, its plot command into the result.
std::string plot_panel(const Panel& panel, int& number, std::string& data) {
  std::string under;  // bands and ghosts, so that no curve is hidden
  std::string over;
  const auto add = [&](const std::string& block, std::string& list, const std::string& how) {
    if (block.empty()) return;
    data += fmt::format("$data{} << lbann_end_of_data\n{}lbann_end_of_data\n", number, block);
    list += fmt::format("{}$data{} {} notitle", list.empty() ? "" : ", ", number, how);
    ++number;
  };
  for (const Curve& c : panel.curves) {
    if (!c.low.empty()) {
      std::string band;
      for (std::size_t i = 0; i < c.low.size(); ++i)
        band += fmt::format("{} {} {}\n", c.low[i].x, c.low[i].y, c.high[i].y);
      add(band, under,
          fmt::format("using 1:2:3 with filledcurves fc rgb '#d0{}' fs solid noborder",
                      palette()[static_cast<std::size_t>(c.color)].substr(1)));
    }
    add(block_of(c.ghost), under, "using 1:2 with lines " + line_style(c, 1, true));
    const bool few = c.num_points <= 40;
    add(block_of(c.points), over,
        fmt::format("using 1:2 with {} {}{}", few ? "linespoints" : "lines", line_style(c, 1.8, false),
                    few ? " pt 7 ps 0.45" : ""));
  }
  return under.empty() || over.empty() ? under + over : under + ", " + over;
}

std::string place(double left, double right, double bottom, double top) {
  return fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n"
      "set bmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n",
      left, right, bottom, top);
}

}  // namespace

std::string render_gnuplot(const Figure& figure, const FigureOptions& o, ImageFormat format) {
  const Layout l = lay_out(figure, o);
  std::string text = fmt::format(
      "set encoding utf8\nset terminal {}\nset multiplot\n"
      "set grid lt 1 lw 1 lc rgb '#e4e4e4'\nset border 3 lc rgb '#555555'\nset tics nomirror\n"
      "set format '%.4g'\nunset key\n",
      terminal(format, l));
  if (!o.title.empty())
    text += fmt::format("set label 99 {} at screen 0.5,{:.5f} center font ',15' noenhanced front\n",
                        quoted(o.title), 1 - l.title * 0.55 / l.height);
  if (o.log_x) text += "set logscale x\n";
  if (o.log_y) text += "set logscale y\n";
  const double panel_height = static_cast<double>(l.height - l.title - l.legend) / l.rows;
  const double panel_width = static_cast<double>(l.width) / l.columns;
  int number = 0;
  int arrow = 1;
  for (const double x : figure.restarts)
    text += fmt::format(
        "set arrow {} from first {},graph 0 to first {},graph 1 nohead back lc rgb '#999999' dt (3,3)\n",
        arrow++, x, x);
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const Panel& panel = figure.panels[i];
    const auto row = static_cast<double>(i / static_cast<std::size_t>(l.columns));
    const auto column = static_cast<double>(i % static_cast<std::size_t>(l.columns));
    const double top = l.height - l.title - row * panel_height;
    text += place((column * panel_width + 78) / l.width, ((column + 1) * panel_width - 18) / l.width,
                  (top - panel_height + 52) / l.height, (top - 14) / l.height);
    text += fmt::format("set xlabel {}\nset ylabel {} noenhanced\n", quoted(figure.x_title),
                        quoted(panel.title()));
    std::string data;
    const std::string plots = plot_panel(panel, number, data);
    text += data;
    if (panel.empty() || plots.empty())
      text +=
          "set label 1 'no finite values' at graph 0.5,0.5 center\nunset logscale\nplot [0:1] [0:1] NaN "
          "notitle\n"
          "unset label 1\n" +
          std::string(o.log_x ? "set logscale x\n" : "") + (o.log_y ? "set logscale y\n" : "");
    else
      text += "plot " + plots + "\n";
    if (i == 0) text += "unset label 99\n";
  }
  const std::string entries = legend_entries(figure);
  if (!entries.empty())
    text += fmt::format(
        "unset logscale\nunset border\nunset tics\nunset grid\nunset xlabel\nunset ylabel\nunset arrow\n{}"
        "set key at screen 0.5,{:.5f} center center maxrows {} Left reverse noenhanced samplen 3 width 1\n"
        "plot [0:1] [0:1] {}\n",
        place(0.01, 0.99, 0.001, static_cast<double>(l.legend) / l.height), l.legend * 0.5 / l.height,
        (l.legend - 14) / 22, entries);
  return text + "unset multiplot\n";
}

std::string draw_image(const Figure& figure, const FigureOptions& o, ImageFormat format) {
  const auto program = base::try_find_program("gnuplot");
  if (!program)
    throw base::Error(base::ExitCode::environment,
                      "gnuplot, which draws svg, png, pdf and eps, is not in PATH",
                      "install it (Debian: gnuplot-nox), or ask for --format=html, csv, md, json or text");
  const base::ProcessResult result =
      base::run_process({*program, "--default-settings", "-"}, render_gnuplot(figure, o, format));
  if (result.exit_code != 0 || result.out.empty()) {
    std::string said = result.err.substr(0, result.err.find_last_not_of('\n') + 1);
    said = said.substr(said.rfind('\n') + 1);
    throw base::Error(base::ExitCode::environment,
                      fmt::format("gnuplot failed (exit code {}): {}", result.exit_code, said));
  }
  return result.out;
}

}  // namespace lbann::plot
