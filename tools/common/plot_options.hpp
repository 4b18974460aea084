// The command line of lbann-plot as a plain struct.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/tool.hpp"
#include "plot/assertion.hpp"
#include "plot/series.hpp"

namespace lbann::tools {

enum class PlotFormat { automatic, csv, md, json, svg, png, text };

struct PlotOptions {
  CommonOptions common{};
  std::vector<std::string> files{};
  std::vector<std::string> metrics{};
  plot::Axis axis = plot::Axis::epoch;
  PlotFormat format = PlotFormat::automatic;  // resolved by parsing, unless nothing is to be written
  std::string output = "-";
  std::vector<plot::Assertion> assertions{};
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_plot_options(int argc, const char* const* argv, PlotOptions& options);

}  // namespace lbann::tools
