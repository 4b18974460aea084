// One HTML page with everything in it: the figure, dygraphs (MIT licence) and the table.
//
// Panels zoom together, the legend beside each panel tells the values under the pointer, boxes switch
// curves on and off, and scale and smoothing can be changed. The page asks no network for anything.
#pragma once

#include <string>
#include <vector>

#include "plot/figure.hpp"
#include "plot/statistics.hpp"

namespace lbann::plot {

/// Throws Error(environment) when this build has no dygraphs.
std::string render_html(const Figure& figure, const FigureOptions& options, const std::vector<Run>& runs,
                        const std::vector<Target>& targets);

}  // namespace lbann::plot
