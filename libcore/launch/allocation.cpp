// Times and sizes: see allocation.hpp.
#include "launch/allocation.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <vector>

namespace lbann::launch {

namespace {

std::optional<std::int64_t> try_digits(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || text.size() > 9) return std::nullopt;
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// Digits with at most one point: `1.5`.
std::optional<double> try_decimal(std::string_view text) {
  if (text.empty() || text.size() > 15 || text[0] == '.' || text.back() == '.' ||
      text.find_first_not_of("0123456789.") != std::string_view::npos)
    return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> try_with_unit(std::string_view text) {
  constexpr std::pair<char, int> units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  for (const auto& [letter, seconds] : units) {
    if (text.empty() || text.back() != letter) continue;
    const auto value = try_decimal(text.substr(0, text.size() - 1));
    if (!value || *value * seconds > 1e9) return std::nullopt;
    return std::llround(*value * seconds);
  }
  return std::nullopt;
}

std::optional<std::int64_t> try_with_colons(std::string_view text) {
  std::int64_t seconds = 0;
  const std::size_t dash = text.find('-');
  const bool has_days = dash != std::string_view::npos;
  if (has_days) {
    const auto days = try_digits(text.substr(0, dash));
    if (!days) return std::nullopt;
    seconds = *days * 86400;
    text.remove_prefix(dash + 1);
  }
  std::vector<std::int64_t> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    const auto part = try_digits(text.substr(0, colon));
    if (!part || (!parts.empty() && *part > 59)) return std::nullopt;
    parts.push_back(*part);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  if (!has_days && parts.size() == 1) return parts[0] * 60;
  if (parts.size() > 3 || (!has_days && parts.size() != 3)) return std::nullopt;
  parts.resize(3, 0);
  return seconds + parts[0] * 3600 + parts[1] * 60 + parts[2];
}

}  // namespace

std::optional<std::int64_t> try_parse_time_limit(std::string_view text) {
  const auto plain = try_with_colons(text);
  const auto seconds = plain ? plain : try_with_unit(text);
  if (!seconds || *seconds <= 0) return std::nullopt;
  return seconds;
}

std::string time_limit_text(std::int64_t seconds) {
  return fmt::format("{}-{:02}:{:02}:{:02}", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60,
                     seconds % 60);
}

std::optional<std::int64_t> try_parse_size(std::string_view text) {
  for (const std::string_view end : {"iB", "B"})
    if (text.size() > end.size() && text.substr(text.size() - end.size()) == end) {
      text.remove_suffix(end.size());
      break;
    }
  double unit = 1048576;
  constexpr std::string_view letters = "KMGTP";
  const std::size_t place = text.empty() ? std::string_view::npos : letters.find(text.back());
  if (place != std::string_view::npos) {
    unit = std::pow(1024.0, static_cast<double>(place + 1));
    text.remove_suffix(1);
  }
  const auto value = try_decimal(text);
  if (!value || *value * unit < 1 || *value * unit > 9e18) return std::nullopt;
  return static_cast<std::int64_t>(*value * unit);
}

std::string size_text(std::int64_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  int i = 0;
  for (; value >= 1024 && i < 5; ++i) value /= 1024;
  return value == std::floor(value) ? fmt::format("{:.0f} {}", value, units[i])
                                    : fmt::format("{:.1f} {}", value, units[i]);
}

}  // namespace lbann::launch
