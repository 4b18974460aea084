// Assertions about runs, for scripts: `validation accuracy >= 97% by epoch 10`.
//
//   MODE METRIC (>=|<=|>|<) NUMBER[UNIT] [by|at epoch|step N | within DURATION]
//   MODE METRIC is finite
//
// `by`: somewhere up to N; `at`: at N; `within 30 min`: in the time since the run began; nothing: at
// the last value. Epochs are numbered as the log does, from 0. The unit is turned into the series':
// 97% is 0.97 where fractions were logged. Every trainer of every run has to meet it; NaN meets
// nothing, and so does a value that is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

struct Assertion {
  enum class When { last, by, at, within };
  std::string text{};
  std::string mode{};
  std::string metric{};
  std::string comparison{};
  double bound = 0;
  std::string unit{};
  When when = When::last;
  bool in_steps = false;   // `place` counts steps instead of epochs
  std::int64_t place = 0;  // of by and at
  double seconds = 0;      // of within
};

/// nullopt, and what is wrong with the text in `why`.
std::optional<Assertion> try_parse_assertion(std::string_view text, std::string& why);

struct Verdict {
  bool met = false;
  std::string assertion{};
  std::string subject{};  // run and trainer
  std::string reason{};   // one line for the user, with run and value
};

/// One verdict per series concerned; one that is not met per run without such a series.
std::vector<Verdict> judge(const Assertion& assertion, const std::vector<Run>& runs);

}  // namespace lbann::plot
