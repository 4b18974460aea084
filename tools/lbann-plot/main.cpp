// lbann-plot: reads runs, writes one figure or table, judges assertions.
#include <fmt/format.h>
#include <unistd.h>

#include "base/files.hpp"
#include "base/utf8.hpp"
#include "common/plot_options.hpp"
#include "plot/gnuplot.hpp"
#include "plot/report.hpp"

namespace {

using namespace lbann;
using tools::PlotFormat;
using tools::PlotOptions;

std::string render(const std::vector<plot::Run>& runs, const PlotOptions& o) {
  switch (o.format) {
    case PlotFormat::csv:
      return plot::render_csv(runs);
    case PlotFormat::json:
      return plot::render_json(runs);
    case PlotFormat::svg:
      return plot::draw_image(runs, o.axis, plot::ImageFormat::svg);
    case PlotFormat::png:
      return plot::draw_image(runs, o.axis, plot::ImageFormat::png);
    case PlotFormat::text:
      return plot::render_terminal(runs, o.axis, base::terminal_columns(STDOUT_FILENO, 80),
                                   o.common.ascii || !base::locale_is_utf8());
    default:
      return plot::render_markdown(runs);
  }
}

// Judged before metrics are selected: an assertion may be about one that is not drawn.
bool all_met(const std::vector<plot::Run>& runs, const PlotOptions& o) {
  bool met = true;
  for (const plot::Assertion& assertion : o.assertions)
    for (const plot::Verdict& verdict : plot::judge(assertion, runs)) {
      if (verdict.met)
        base::log().info("met: " + base::printable(verdict.reason));
      else
        base::log().error("not met: " + base::printable(verdict.reason));
      met = met && verdict.met;
    }
  return met;
}

int plot_main(const PlotOptions& o) {
  std::vector<plot::Run> runs;
  for (const std::string& file : o.files) {
    runs.push_back(plot::load_run(file, o.axis));
    for (const std::string& warning : runs.back().warnings) base::log().warning(base::printable(warning));
  }
  const bool met = all_met(runs, o);
  if (o.format != PlotFormat::automatic) {
    plot::select_metrics(runs, o.metrics);
    const std::string text = render(runs, o);
    if (o.output == "-")
      base::log().print(text);
    else
      base::atomic_write_file(o.output, text);
  }
  return static_cast<int>(met ? base::ExitCode::ok : base::ExitCode::check_failed);
}

}  // namespace

int main(int argc, char** argv) {
  return tools::run_tool(argc, argv, [](int count, char** words) {
    PlotOptions options;
    if (const auto done = tools::parse_plot_options(count, words, options)) return *done;
    return plot_main(options);
  });
}
