// See intervals.hpp.
#include "common/intervals.hpp"

#include <array>
#include <csignal>

#include "common/option_table.hpp"

namespace lbann::tools {
namespace {

struct SignalName {
  int number;
  std::string_view name;
};
constexpr std::array<SignalName, 9> signal_names{{{SIGINT, "SIGINT"},
                                                  {SIGTERM, "SIGTERM"},
                                                  {SIGXCPU, "SIGXCPU"},
                                                  {SIGUSR1, "SIGUSR1"},
                                                  {SIGUSR2, "SIGUSR2"},
                                                  {SIGHUP, "SIGHUP"},
                                                  {SIGQUIT, "SIGQUIT"},
                                                  {SIGALRM, "SIGALRM"},
                                                  {SIGCONT, "SIGCONT"}}};

/// "1-00:00:00", "1:30:00", "15:00"
std::optional<double> try_parse_clock(std::string_view text) {
  double days = 0;
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    const auto n = try_parse_integer(text.substr(0, dash));
    if (!n || *n < 0) return std::nullopt;
    days = static_cast<double>(*n);
    text.remove_prefix(dash + 1);
  }
  double seconds = 0;
  int parts = 0;
  for (bool more = true; more; ++parts) {
    const std::size_t colon = text.find(':');
    more = colon != std::string_view::npos;
    const auto n = try_parse_integer(text.substr(0, colon));
    if (!n || *n < 0 || (parts > 0 && *n > 59)) return std::nullopt;
    seconds = seconds * 60 + static_cast<double>(*n);
    if (more) text.remove_prefix(colon + 1);
  }
  if (parts < 2 || parts > 3 || (days > 0 && parts != 3)) return std::nullopt;
  return days * 86400 + seconds;
}

}  // namespace

std::optional<double> try_parse_duration(std::string_view text) {
  std::optional<double> seconds;
  if (text.find(':') != std::string_view::npos) {
    seconds = try_parse_clock(text);
  } else if (!text.empty()) {
    double unit = 1;
    const char last = text.back();
    if (last == 's' || last == 'm' || last == 'h') {
      unit = last == 'h' ? 3600 : last == 'm' ? 60 : 1;
      text.remove_suffix(1);
    }
    if (const auto n = try_parse_integer(text)) seconds = static_cast<double>(*n) * unit;
  }
  return seconds && *seconds > 0 ? seconds : std::nullopt;
}

bool try_parse_interval(std::string_view text, CheckpointEvery& every) {
  every.given = true;
  if (text == "never") return true;
  const auto count_of = [&](std::string_view unit) -> std::optional<std::int64_t> {
    std::string_view number = text;
    if (number.ends_with("s")) number.remove_suffix(1);
    if (!number.ends_with(unit)) return std::nullopt;
    number.remove_suffix(unit.size());
    const auto n = try_parse_integer(number);
    return n && *n > 0 ? n : std::nullopt;
  };
  if (const auto steps = count_of("step")) {
    every.steps = *steps;
  } else if (const auto epochs = count_of("epoch")) {
    every.epochs = *epochs;
  } else if (try_parse_integer(text)) {
    return false;  // of what?
  } else if (const auto seconds = try_parse_duration(text)) {
    every.seconds = *seconds;
  } else {
    return false;
  }
  return true;
}

std::optional<int> try_parse_signal(std::string_view text) {
  if (text == "none") return 0;
  for (const SignalName& s : signal_names) {
    if (text == s.name || text == s.name.substr(3)) return s.number;
  }
  const auto number = try_parse_integer(text);
  if (!number || *number < 1 || *number >= NSIG || *number == SIGKILL || *number == SIGSTOP)
    return std::nullopt;
  return static_cast<int>(*number);
}

std::string signal_name(int number) {
  for (const SignalName& s : signal_names) {
    if (s.number == number) return std::string(s.name);
  }
  return "signal " + std::to_string(number);
}

}  // namespace lbann::tools
