// Units: see units.hpp.
#include "plot/units.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace lbann::plot {

namespace {

struct Unit {
  std::string_view name;
  char family;
  double factor;
};

const Unit* find_unit(std::string_view name) {
  static constexpr double kilo = 1e3;
  static constexpr double kibi = 1024;
  static constexpr Unit units[] = {{"ns", 't', 1e-9},
                                   {"us", 't', 1e-6},
                                   {"ms", 't', 1e-3},
                                   {"s", 't', 1},
                                   {"min", 't', 60},
                                   {"h", 't', 3600},
                                   {"d", 't', 86400},
                                   {"%", 'f', 0.01},
                                   {"B", 'm', 1},
                                   {"kB", 'm', kilo},
                                   {"MB", 'm', kilo * kilo},
                                   {"GB", 'm', kilo * kilo * kilo},
                                   {"TB", 'm', kilo * kilo * kilo * kilo},
                                   {"KiB", 'm', kibi},
                                   {"MiB", 'm', kibi * kibi},
                                   {"GiB", 'm', kibi * kibi * kibi},
                                   {"TiB", 'm', kibi * kibi * kibi * kibi}};
  const auto at =
      std::find_if(std::begin(units), std::end(units), [name](const Unit& u) { return u.name == name; });
  return at == std::end(units) ? nullptr : at;
}

}  // namespace

std::optional<double> convert_unit(double value, std::string_view from, std::string_view to) {
  if (from == to) return value;
  const Unit* a = find_unit(from);
  const Unit* b = find_unit(to);
  if (!a || !b || a->family != b->family) return std::nullopt;
  // A quotient of factors first: 1 ms is 0.001 s and not 0.0010000000000000002.
  return a->factor >= b->factor ? value * (a->factor / b->factor) : value / (b->factor / a->factor);
}

bool holds_fractions(const Series& series) {
  return series.unit.empty() && std::all_of(series.points.begin(), series.points.end(), [](const Point& p) {
           return !std::isfinite(p.value) || (p.value >= 0 && p.value <= 1);
         });
}

void unify_units(std::vector<Run>& runs) {
  std::map<std::string, std::string> unit_of;
  for (const Run& run : runs)
    for (const Series& s : run.series)
      if (!s.unit.empty()) unit_of.emplace(s.metric, s.unit);
  for (Run& run : runs)
    for (Series& s : run.series) {
      const auto found = unit_of.find(s.metric);
      if (found == unit_of.end() || found->second == s.unit) continue;
      if (s.unit.empty()) {
        if (found->second != "%") continue;
        if (holds_fractions(s))
          for (Point& p : s.points) p.value *= 100;
      } else {
        if (!convert_unit(1, s.unit, found->second)) continue;
        for (Point& p : s.points) p.value = *convert_unit(p.value, s.unit, found->second);
      }
      s.unit = found->second;
    }
}

}  // namespace lbann::plot
