// Figures drawn by gnuplot, which is looked up in PATH when a figure is asked for.
//
// One panel per metric, in two columns when there are several; the legend stands below each panel,
// outside of the curves. A value that is no number breaks its curve. All names are quoted and taken
// literally.
#pragma once

#include <string>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

enum class ImageFormat { svg, png };

/// The gnuplot script, data included; it draws on its standard output.
std::string render_gnuplot(const std::vector<Run>& runs, Axis axis, ImageFormat format);
/// The image's bytes. Throws Error(environment) when gnuplot is missing or fails.
std::string draw_image(const std::vector<Run>& runs, Axis axis, ImageFormat format);

}  // namespace lbann::plot
