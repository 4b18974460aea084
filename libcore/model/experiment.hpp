// An experiment: one message, merged from files and options, and where each part comes from.
//
//   files, left to right  ->  --set path.to.field=value, in order  ->  LbannPB + SpanTable
//
// Merging: repeated fields append, blocks merge, scalars of later files win (with a note).
// --set replaces. Bad input goes to the diagnostics; only unreadable files throw.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/span_table.hpp"

namespace lbann_data {
class LbannPB;
}

namespace lbann::model {

struct Experiment {
  std::unique_ptr<lbann_data::LbannPB> proto;
  SpanTable spans;

  Experiment();
  ~Experiment();
  Experiment(Experiment&&) noexcept;
  Experiment& operator=(Experiment&&) noexcept;
};

/// Reads and merges files ("-": standard input; a name with "protobin" in it: binary protobuf),
/// then applies the overrides. Throws Error(data) when a file cannot be read.
Experiment load_experiment(const std::vector<std::string>& files, const std::vector<std::string>& overrides,
                           base::Diagnostics& diagnostics);

/// Merges one text into an experiment.
void parse_experiment(std::string file, std::string text, Experiment& experiment,
                      base::Diagnostics& diagnostics);

/// `assignment` is "model.layer[conv1].convolution.out_channels=32". A part of the path that is
/// repeated takes an index or, where its elements have names, a name. The value is prototext;
/// a text needs no quotes. A repeated field without index is replaced as a whole: "[1, 2]".
void apply_override(std::string_view assignment, Experiment& experiment, base::Diagnostics& diagnostics);

/// The sections that are there: "model", "data_reader", "optimizer", "data_set_metadata", "trainer".
std::vector<std::string> list_sections(const Experiment& experiment);

int num_readers(const Experiment& experiment);

/// Checks the default optimizer of an experiment that has no model to train.
void check_optimizer(const Experiment& experiment, base::Diagnostics& diagnostics);

/// Reports the sections that training cannot do without: model, data_reader, optimizer. Not where
/// earlier errors are such that a section may be there but could not be read.
void check_complete(const Experiment& experiment, base::Diagnostics& diagnostics);

/// The experiment as prototext in today's spelling; each line ends in a comment that tells its
/// origin: "exp.prototext:12", "--set" or "default".
std::string print_resolved(const Experiment& experiment);

}  // namespace lbann::model
