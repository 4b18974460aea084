// Assertions: see assertion.hpp.
#include "plot/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "plot/statistics.hpp"
#include "plot/units.hpp"

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

bool holds(const std::string& comparison, double value, double bound) {
  if (comparison == ">=") return value >= bound;
  if (comparison == "<=") return value <= bound;
  if (comparison == "finite") return std::isfinite(value);
  return comparison == ">" ? value > bound : value < bound;
}

const char* unit_of_place(const Assertion& a) { return a.in_steps ? "step" : "epoch"; }

std::string when_text(const Assertion& a) {
  if (a.when == Assertion::When::last) return a.in_steps ? "at the last step" : "in the last epoch";
  if (a.when == Assertion::When::within) return fmt::format("within {:.6g} s", a.seconds);
  return fmt::format("{} {} {}", a.when == Assertion::When::by ? "by" : "at", unit_of_place(a), a.place);
}

bool counts(const Assertion& a, const Series& s, std::size_t i) {
  const Point& p = s.points[i];
  if (a.when == Assertion::When::last) return i + 1 == s.points.size();
  if (a.when == Assertion::When::within) return p.time <= a.seconds;
  const std::int64_t place = a.in_steps ? p.step : p.epoch;
  return place >= 0 && (a.when == Assertion::When::by ? place <= a.place : place == a.place);
}

std::string place_text(const Point& p) {
  return p.epoch >= 0 ? fmt::format("epoch {}", p.epoch) : fmt::format("step {}", p.step);
}

Verdict judge_finite(const Assertion& a, const Series& s, const std::string& who) {
  for (const Point& p : s.points)
    if (!std::isfinite(p.value))
      return {false, a.text, {}, fmt::format("{}: {} at {}", who, p.value, place_text(p))};
  return {true, a.text, {}, fmt::format("{}: all {} values are finite", who, s.points.size())};
}

Verdict judge_series(const Assertion& a, const Run& run, const Series& s) {
  const std::string who = run.name + ": " + series_label(run, s, false) + " " + s.metric;
  if (a.comparison == "finite") return judge_finite(a, s, who);
  const auto bound = bound_for(s, a.bound, a.unit);
  if (!bound)
    return {false,
            a.text,
            {},
            fmt::format("{} is in {}, the assertion in {}", who,
                        s.unit.empty() ? "numbers without a unit" : s.unit, a.unit)};
  const Point* told = nullptr;  // the point that decides, or the closest one
  const bool upward = a.comparison[0] == '>';
  for (std::size_t i = 0; i < s.points.size(); ++i) {
    const Point& p = s.points[i];
    if (!counts(a, s, i)) continue;
    if (!told || std::isnan(told->value) || (upward ? p.value > told->value : p.value < told->value))
      told = &p;
  }
  if (!told) return {false, a.text, {}, fmt::format("{}: no value {}", who, when_text(a))};
  return {holds(a.comparison, told->value, *bound),
          a.text,
          {},
          fmt::format("{} is {:.6g}{} at {}; {} {:.6g} {} is asserted", who, told->value, s.unit,
                      place_text(*told), a.comparison, *bound, when_text(a))};
}

// What stands behind the number: `by epoch 3`, `within 30 min`.
bool parse_when(const std::vector<std::string>& words, std::size_t at, Assertion& a) {
  if (at == words.size()) return true;
  if (words[at] == "within") {
    std::string quantity;
    for (std::size_t i = at + 1; i < words.size(); ++i) quantity += words[i] + " ";
    double number = 0;
    std::string unit;
    if (!split_quantity(quantity, number, unit)) return false;
    const auto seconds = convert_unit(number, unit.empty() ? "s" : unit, "s");
    a.when = Assertion::When::within;
    a.seconds = seconds.value_or(0);
    return seconds && *seconds >= 0;
  }
  const bool by = words[at] == "by";
  if (words.size() != at + 3 || (!by && words[at] != "at")) return false;
  if (words[at + 1] != "epoch" && words[at + 1] != "step") return false;
  a.when = by ? Assertion::When::by : Assertion::When::at;
  a.in_steps = words[at + 1] == "step";
  return parse_number(words[at + 2], a.place) && a.place >= 0;
}

}  // namespace

std::optional<Assertion> try_parse_assertion(std::string_view text, std::string& why) {
  const std::vector<std::string> words = words_of(text);
  Assertion a;
  a.text = text;
  std::size_t at = 0;
  while (at < words.size() && words[at].find_first_of("<>=") == std::string::npos) ++at;
  const bool finite = at == words.size() && at >= 4 && words[at - 2] == "is" && words[at - 1] == "finite";
  if (finite) at -= 2;
  if (at == words.size()) {
    why = "no comparison (>=, <=, >, <) between blanks";
    return std::nullopt;
  }
  a.comparison = finite ? "finite" : words[at];
  if (!finite && a.comparison != ">=" && a.comparison != "<=" && a.comparison != ">" && a.comparison != "<") {
    why = fmt::format("'{}' is not one of >=, <=, >, <", a.comparison);
    return std::nullopt;
  }
  const std::vector<std::pair<std::string, std::string>> modes = {
      {"training", "training"}, {"train", "training"}, {"validation", "validation"},
      {"val", "validation"},    {"test", "test"},      {"tournament", "tournament"}};
  const auto mode =
      std::find_if(modes.begin(), modes.end(), [&](const auto& m) { return at >= 2 && m.first == words[0]; });
  if (mode == modes.end()) {
    why = "it begins with training, validation, tournament or test, then the name of a metric";
    return std::nullopt;
  }
  a.mode = mode->second;
  for (std::size_t i = 1; i < at; ++i) a.metric += (i > 1 ? " " : "") + words[i];
  if (a.metric == "objective") a.metric = "objective function";
  if (finite) return a;
  // The unit is attached to the number or the next word.
  std::string number = at + 1 < words.size() ? words[at + 1] : "";
  std::size_t next = at + 2;
  if (next < words.size() && words[next] != "by" && words[next] != "at" && words[next] != "within") {
    double value = 0;
    std::string unit;
    if (split_quantity(number + words[next], value, unit) && !unit.empty()) number += words[next++];
  }
  if (!split_quantity(number, a.bound, a.unit)) {
    why = fmt::format("'{}' is no number", number);
    return std::nullopt;
  }
  if (!parse_when(words, std::min(next, words.size()), a)) {
    why = "after the number comes nothing, 'by epoch N', 'at epoch N' (or step N) or 'within 30 min'";
    return std::nullopt;
  }
  return a;
}

std::vector<Verdict> judge(const Assertion& assertion, const std::vector<Run>& runs) {
  std::vector<Verdict> verdicts;
  for (const Run& run : runs) {
    const std::size_t before = verdicts.size();
    const auto is_meant = [&](const Series& s) {
      return s.mode == assertion.mode && s.metric == assertion.metric && s.instance >= 0;
    };
    // Means over epochs are judged, not single steps, unless steps are all there is or are asked for.
    const bool has_epochs = std::any_of(run.series.begin(), run.series.end(),
                                        [&](const Series& s) { return is_meant(s) && !s.per_step; });
    const bool has_steps = std::any_of(run.series.begin(), run.series.end(),
                                       [&](const Series& s) { return is_meant(s) && s.per_step; });
    const bool steps = has_steps && (!has_epochs || assertion.in_steps);
    for (const Series& s : run.series) {
      if (!is_meant(s) || s.per_step != steps) continue;
      verdicts.push_back(judge_series(assertion, run, s));
      verdicts.back().subject =
          run.num_instances > 1 ? fmt::format("{} (trainer {})", run.name, s.instance) : run.name;
    }
    if (verdicts.size() == before) {
      std::vector<std::string> names;
      for (const Series& s : run.series) {
        const std::string name = s.mode + " " + s.metric;
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
      verdicts.push_back({false, assertion.text, run.name,
                          fmt::format("{}: no values of {} {}; it has {}", run.name, assertion.mode,
                                      assertion.metric, fmt::join(names, ", "))});
    }
  }
  return verdicts;
}

}  // namespace lbann::plot
