// The command line of lbann-plot as a plain struct.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/tool.hpp"
#include "plot/assertion.hpp"
#include "plot/figure.hpp"
#include "plot/statistics.hpp"

namespace lbann::tools {

enum class PlotFormat { automatic, csv, tsv, json, md, tex, text, svg, png, pdf, eps, gnuplot, html };

enum class AxisChoice { automatic, epoch, step, time };

struct PlotOptions {
  CommonOptions common{};
  std::vector<std::string> files{};
  std::vector<std::string> metrics{};
  std::vector<std::string> labels{};  // names of the runs instead of their files'
  bool stitch = false;                // all files are parts of one run
  AxisChoice axis = AxisChoice::automatic;
  plot::FigureOptions figure{};
  std::vector<plot::Target> targets{};
  PlotFormat format = PlotFormat::automatic;  // resolved by parsing, unless nothing is to be written
  std::string output = "-";
  std::vector<plot::Assertion> assertions{};
  std::string junit{};             // file; empty: none
  std::optional<double> follow{};  // seconds between two looks
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_plot_options(int argc, const char* const* argv, PlotOptions& options);

}  // namespace lbann::tools
