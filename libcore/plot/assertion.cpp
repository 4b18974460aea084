// Assertions: see assertion.hpp.
#include "plot/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace lbann::plot {

namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool holds(const Assertion& a, double value) {
  if (a.comparison == ">=") return value >= a.bound;
  if (a.comparison == "<=") return value <= a.bound;
  return a.comparison == ">" ? value > a.bound : value < a.bound;
}

std::string when_text(const Assertion& a) {
  if (a.when == Assertion::When::last) return "in the last epoch";
  return fmt::format("{} epoch {}", a.when == Assertion::When::by ? "by" : "at", a.epoch);
}

Verdict judge_series(const Assertion& a, const Run& run, const Series& s) {
  const Point* told = nullptr;  // the point that decides, or the closest one
  const bool upward = a.comparison[0] == '>';
  for (std::size_t i = 0; i < s.points.size(); ++i) {
    const Point& p = s.points[i];
    const bool counts = a.when == Assertion::When::last ? i + 1 == s.points.size()
                        : a.when == Assertion::When::by ? p.epoch <= a.epoch
                                                        : p.epoch == a.epoch;
    if (!counts) continue;
    if (!told || std::isnan(told->value) || (upward ? p.value > told->value : p.value < told->value))
      told = &p;
  }
  const std::string who = run.name + ": " + series_label(run, s, false) + " " + s.metric;
  if (!told) return {false, fmt::format("{}: no value {}", who, when_text(a))};
  const double value = told->value;
  return {holds(a, value), fmt::format("{} is {:.6g}{} at epoch {}; {} {:.6g} {} is asserted", who, value,
                                       s.unit, told->epoch, a.comparison, a.bound, when_text(a))};
}

}  // namespace

std::optional<Assertion> try_parse_assertion(std::string_view text, std::string& why) {
  const std::vector<std::string> words = words_of(text);
  Assertion a;
  a.text = text;
  std::size_t at = 0;
  while (at < words.size() && words[at].find_first_of("<>=") == std::string::npos) ++at;
  if (at == words.size()) {
    why = "no comparison (>=, <=, >, <) between blanks";
    return std::nullopt;
  }
  a.comparison = words[at];
  if (a.comparison != ">=" && a.comparison != "<=" && a.comparison != ">" && a.comparison != "<") {
    why = fmt::format("'{}' is not one of >=, <=, >, <", a.comparison);
    return std::nullopt;
  }
  const std::vector<std::string> modes = {"training", "validation", "tournament", "test"};
  if (at < 2 || std::find(modes.begin(), modes.end(), words[0]) == modes.end()) {
    why = "it begins with training, validation, tournament or test, then the name of a metric";
    return std::nullopt;
  }
  a.mode = words[0];
  for (std::size_t i = 1; i < at; ++i) a.metric += (i > 1 ? " " : "") + words[i];
  if (a.metric == "objective") a.metric = "objective function";
  std::string number = at + 1 < words.size() ? words[at + 1] : "";
  if (!number.empty() && number.back() == '%') number.pop_back();
  if (!parse_number(number, a.bound) || !std::isfinite(a.bound)) {
    why = fmt::format("'{}' is no number", number);
    return std::nullopt;
  }
  if (at + 2 == words.size()) return a;
  const bool by = words[at + 2] == "by";
  const bool complete = words.size() == at + 5 && (by || words[at + 2] == "at") && words[at + 3] == "epoch";
  if (!complete || !parse_number(words[at + 4], a.epoch) || a.epoch < 0) {
    why = "after the number comes nothing, 'by epoch N' or 'at epoch N'";
    return std::nullopt;
  }
  a.when = by ? Assertion::When::by : Assertion::When::at;
  return a;
}

std::vector<Verdict> judge(const Assertion& assertion, const std::vector<Run>& runs) {
  std::vector<Verdict> verdicts;
  for (const Run& run : runs) {
    const std::size_t before = verdicts.size();
    for (const Series& s : run.series)
      if (s.mode == assertion.mode && s.metric == assertion.metric && s.instance >= 0)
        verdicts.push_back(judge_series(assertion, run, s));
    if (verdicts.size() == before) {
      std::vector<std::string> names;
      for (const Series& s : run.series) names.push_back(s.mode + " " + s.metric);
      verdicts.push_back({false, fmt::format("{}: no values of {} {}; it has {}", run.name, assertion.mode,
                                             assertion.metric, fmt::join(names, ", "))});
    }
  }
  return verdicts;
}

}  // namespace lbann::plot
