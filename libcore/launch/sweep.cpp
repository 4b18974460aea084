// Axes and their product: see sweep.hpp.
#include "launch/sweep.hpp"

#include <algorithm>
#include <charconv>

namespace lbann::launch {

namespace {

std::optional<long> try_whole(std::string_view text) {
  long value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

}  // namespace

std::optional<SweepAxis> try_parse_sweep(std::string_view text) {
  constexpr long most = 100000;
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  SweepAxis axis;
  axis.path = text.substr(0, equals);
  const std::string_view list = text.substr(equals + 1);
  const std::size_t dots = list.find("..");
  if (dots != std::string_view::npos) {
    const auto first = try_whole(list.substr(0, dots));
    const auto last = try_whole(list.substr(dots + 2));
    if (!first || !last || *last < *first || *last - *first >= most) return std::nullopt;
    for (long i = *first; i <= *last; ++i) axis.values.push_back(std::to_string(i));
    return axis;
  }
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end == begin) return std::nullopt;
    axis.values.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  if (axis.values.empty()) return std::nullopt;
  return axis;
}

std::vector<std::vector<std::string>> sweep_points(const std::vector<SweepAxis>& axes) {
  std::vector<std::vector<std::string>> points;
  if (axes.empty()) return points;
  points.emplace_back();
  for (const SweepAxis& axis : axes) {
    std::vector<std::vector<std::string>> longer;
    for (const auto& point : points)
      for (const std::string& value : axis.values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    points = std::move(longer);
  }
  return points;
}

}  // namespace lbann::launch
