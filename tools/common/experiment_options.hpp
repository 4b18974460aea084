// The options that name an experiment: its files, in LBANN's forms, and overrides of its fields.
//
// One file (positional or --prototext), or LBANN's split form --model --reader --optimizer
// [--metadata]; several are merged in the order of `merge_order`.
#pragma once

#include <string>
#include <vector>

#include "common/option_table.hpp"

namespace lbann::tools {

struct ExperimentFiles {
  std::vector<std::string> files{};  // positional
  std::string prototext{};
  std::string model{};
  std::string reader{};
  std::string metadata{};
  std::string optimizer{};
  std::vector<std::string> sets{};  // --set path.to.field=value, applied last, in this order

  /// prototext or model, positional files, reader, metadata, optimizer: LBANN's order of merging.
  std::vector<std::string> merge_order() const;
};

void add_experiment_options(OptionTable& table, ExperimentFiles& files);

/// What a tool can do with the model, reader or optimizer file of a split experiment alone.
enum class ExperimentForm { whole, whole_or_part };

/// Adds what is missing or contradictory; the texts that LBANN's scripts match are kept. A missing
/// file is not reported beside other problems, which may be its cause.
void check_experiment_files(const ExperimentFiles& files, std::vector<UsageProblem>& problems,
                            ExperimentForm form = ExperimentForm::whole);

}  // namespace lbann::tools
