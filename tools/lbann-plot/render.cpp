// See render.hpp.
#include "lbann-plot/render.hpp"

#include <unistd.h>

#include "base/files.hpp"
#include "base/utf8.hpp"
#include "plot/gnuplot.hpp"
#include "plot/html.hpp"
#include "plot/report.hpp"
#include "plot/units.hpp"

namespace lbann::tools {

namespace {

plot::Axis axis_of(const std::vector<plot::Run>& runs, AxisChoice choice) {
  switch (choice) {
    case AxisChoice::epoch:
      return plot::Axis::epoch;
    case AxisChoice::step:
      return plot::Axis::step;
    case AxisChoice::time:
      return plot::Axis::time;
    default:
      return plot::default_axis(runs);
  }
}

std::string terminal_view(const plot::Figure& figure, const std::vector<plot::Table>& tables,
                          const PlotOptions& o) {
  plot::TerminalOptions t;
  t.columns = base::terminal_columns(STDOUT_FILENO, 80);
  t.ascii = o.common.ascii || !base::locale_is_utf8();
  t.color = o.output == "-" && base::use_color(o.common.color, STDOUT_FILENO);
  return plot::render_terminal(figure, t) + plot::render_text(tables);
}

}  // namespace

bool judge_all(const std::vector<plot::Run>& runs, const PlotOptions& o, bool silent) {
  bool met = true;
  std::vector<plot::Verdict> verdicts;
  for (const plot::Assertion& assertion : o.assertions)
    for (plot::Verdict& verdict : plot::judge(assertion, runs)) {
      met = met && verdict.met;
      if (!silent && verdict.met) base::log().info("met: " + base::printable(verdict.reason));
      if (!silent && !verdict.met) base::log().error("not met: " + base::printable(verdict.reason));
      verdicts.push_back(std::move(verdict));
    }
  if (!silent && !o.junit.empty()) base::atomic_write_file(o.junit, plot::render_junit(verdicts));
  return met;
}

std::string render_view(std::vector<plot::Run> runs, const PlotOptions& o) {
  plot::FigureOptions options = o.figure;
  options.axis = axis_of(runs, o.axis);
  plot::choose_level(runs, options.axis);
  plot::select_metrics(runs, o.metrics);
  switch (o.format) {
    case PlotFormat::csv:
      return plot::render_csv(runs);
    case PlotFormat::tsv:
      return plot::render_csv(runs, '\t');
    case PlotFormat::json:
      return plot::render_json(runs, o.targets);
    default:
      break;
  }
  plot::unify_units(runs);
  if (o.format == PlotFormat::md) return plot::render_markdown(plot::make_tables(runs, o.targets));
  if (o.format == PlotFormat::tex) return plot::render_latex(plot::make_tables(runs, o.targets));
  if (o.format == PlotFormat::html) options.columns = 4000;
  const plot::Figure figure = plot::make_figure(runs, options);
  switch (o.format) {
    case PlotFormat::svg:
      return plot::draw_image(figure, options, plot::ImageFormat::svg);
    case PlotFormat::png:
      return plot::draw_image(figure, options, plot::ImageFormat::png);
    case PlotFormat::pdf:
      return plot::draw_image(figure, options, plot::ImageFormat::pdf);
    case PlotFormat::eps:
      return plot::draw_image(figure, options, plot::ImageFormat::eps);
    case PlotFormat::gnuplot:
      return plot::render_gnuplot(figure, options, plot::ImageFormat::svg);
    case PlotFormat::html:
      return plot::render_html(figure, options, runs, o.targets);
    default:
      return terminal_view(figure, plot::make_tables(runs, o.targets), o);
  }
}

}  // namespace lbann::tools
