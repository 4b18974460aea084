// Figures drawn by gnuplot, which is looked up in PATH when a figure is asked for.
//
// Small multiples: one panel per metric, up to three side by side, and one legend for all of them in a
// strip of its own below, where it covers no curve. A value that is no number breaks its curve; the
// start of a resumed attempt is a grey line. All names are quoted and taken literally.
#pragma once

#include <string>

#include "plot/figure.hpp"

namespace lbann::plot {

enum class ImageFormat { svg, png, pdf, eps };

/// The gnuplot script, data included; it draws on its standard output.
std::string render_gnuplot(const Figure& figure, const FigureOptions& options, ImageFormat format);
/// The image's bytes. Throws Error(environment) when gnuplot is missing or fails.
std::string draw_image(const Figure& figure, const FigureOptions& options, ImageFormat format);

}  // namespace lbann::plot
