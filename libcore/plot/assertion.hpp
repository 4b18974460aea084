// Assertions about runs, for scripts: `validation accuracy >= 97% by epoch 10`.
//
//   <mode> <metric> (>=|<=|>|<) <number>[%] [by epoch N | at epoch N]
//
// `by`: in some epoch up to N; `at`: in epoch N; neither: in the last epoch. Epochs are numbered
// as the log does, from 0. Every trainer of every run has to meet it; NaN meets nothing, and so
// does a value that is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

struct Assertion {
  enum class When { last, by, at };
  std::string text{};
  std::string mode{};
  std::string metric{};
  std::string comparison{};
  double bound = 0;
  When when = When::last;
  std::int64_t epoch = 0;
};

/// nullopt, and what is wrong with the text in `why`.
std::optional<Assertion> try_parse_assertion(std::string_view text, std::string& why);

struct Verdict {
  bool met = false;
  std::string reason{};  // one line for the user, with run and value
};

/// One verdict per series concerned; one that is not met per run without such a series.
std::vector<Verdict> judge(const Assertion& assertion, const std::vector<Run>& runs);

}  // namespace lbann::plot
