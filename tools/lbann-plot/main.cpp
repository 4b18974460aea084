// lbann-plot: reads runs, writes one figure or table, judges assertions.
#include "base/files.hpp"
#include "base/utf8.hpp"
#include "lbann-plot/follow.hpp"
#include "lbann-plot/render.hpp"

namespace {

using namespace lbann;
using tools::PlotFormat;
using tools::PlotOptions;

int plot_main(const PlotOptions& o) {
  if (o.follow) return tools::follow_runs(o);
  std::vector<plot::Run> runs;
  for (const std::string& file : o.files)
    for (plot::Run& run : plot::load_runs(file)) runs.push_back(std::move(run));
  if (o.stitch && runs.size() > 1) {
    plot::Run whole = plot::stitch(std::move(runs));
    runs.clear();
    runs.push_back(std::move(whole));
  }
  for (const plot::Run& run : runs)
    for (const std::string& warning : run.warnings) base::log().warning(base::printable(warning));
  tools::name_runs(runs, o);
  // Judged before metrics are selected: an assertion may be about one that is not drawn.
  const bool met = tools::judge_all(runs, o, false);
  if (o.format != PlotFormat::automatic) {
    const std::string text = tools::render_view(std::move(runs), o);
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
