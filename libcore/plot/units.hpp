// Units of metrics: which belong together, and how one is turned into another.
//
//   time    ns us ms s min h d            fraction   "" (0..1) and %
//   memory  B kB MB GB TB KiB MiB GiB TiB
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

/// `value` in unit `from` as a value in unit `to`; nullopt if they measure different things.
std::optional<double> convert_unit(double value, std::string_view from, std::string_view to);

/// Brings the series of each metric to one unit, the first that is named. Fractions (no unit, all
/// values in 0..1) become percentages where others of the metric are.
void unify_units(std::vector<Run>& runs);

/// Whether a series without a unit holds fractions: all its finite values are in 0..1.
bool holds_fractions(const Series& series);

}  // namespace lbann::plot
