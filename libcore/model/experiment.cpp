// Loading and merging. The printer is in experiment_printer.cpp, --set in override.cpp.
#include "model/experiment.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "lbann.pb.h"
#include "model/bind_optim.hpp"
#include "model/binder.hpp"
#include "model/damage.hpp"

namespace lbann::model {

Experiment::Experiment() : proto(std::make_unique<lbann_data::LbannPB>()) {}
Experiment::~Experiment() = default;
Experiment::Experiment(Experiment&&) noexcept = default;
Experiment& Experiment::operator=(Experiment&&) noexcept = default;

namespace {

void merge_binary(const std::string& file, const std::string& bytes, Experiment& experiment,
                  base::Diagnostics& diagnostics) {
  lbann_data::LbannPB part;
  bool readable = part.ParseFromString(bytes);
  // Nearly any bytes parse as numbers that no field has; those would be lost in silence.
  const auto size = part.ByteSizeLong();
  part.DiscardUnknownFields();
  readable = readable && part.ByteSizeLong() == size;
  if (!readable)
    return diagnostics.error("not-protobuf", {file, 0, 0, 0, 0},
                             "this is no binary experiment (LbannPB) of today's schema",
                             "a name with 'protobin' in it means binary protobuf");
  experiment.proto->MergeFrom(part);
}

}  // namespace

void parse_experiment(std::string file, std::string text, Experiment& experiment,
                      base::Diagnostics& diagnostics) {
  const SyntaxTree tree = parse_syntax_tree(std::move(file), std::move(text), diagnostics);
  bind(tree, *experiment.proto, experiment.spans, diagnostics);
}

Experiment load_experiment(const std::vector<std::string>& files, const std::vector<std::string>& overrides,
                           base::Diagnostics& diagnostics) {
  Experiment experiment;
  for (const auto& file : files) {
    std::string text = base::read_file(file);
    if (file.find("protobin") != std::string::npos)
      merge_binary(file, text, experiment, diagnostics);
    else
      parse_experiment(file == "-" ? "<stdin>" : file, std::move(text), experiment, diagnostics);
  }
  for (const auto& assignment : overrides) apply_override(assignment, experiment, diagnostics);
  return experiment;
}

void check_complete(const Experiment& experiment, base::Diagnostics& diagnostics) {
  if (Damage(experiment.spans, diagnostics).of_structure()) return;
  const auto& proto = *experiment.proto;
  base::SourceSpan where;
  if (experiment.spans.num_sources() > 0) where.file = experiment.spans.source(0);
  if (!proto.has_model()) diagnostics.error("missing-model", where, "the experiment has no model");
  if (!proto.has_data_reader())
    diagnostics.error("missing-data-reader", where, "the experiment has no data_reader",
                      "add data_reader { reader { ... } }");
  if (!proto.has_optimizer())
    diagnostics.error("missing-optimizer", where, "the experiment has no optimizer",
                      "add optimizer { ... }; 'optimizer {}' trains nothing");
}

std::vector<std::string> list_sections(const Experiment& experiment) {
  const auto& proto = *experiment.proto;
  std::vector<std::string> names;
  if (proto.has_model()) names.emplace_back("model");
  if (proto.has_data_reader()) names.emplace_back("data_reader");
  if (proto.has_optimizer()) names.emplace_back("optimizer");
  if (proto.has_data_set_metadata()) names.emplace_back("data_set_metadata");
  if (proto.has_trainer()) names.emplace_back("trainer");
  return names;
}

int num_readers(const Experiment& experiment) { return experiment.proto->data_reader().reader_size(); }

void check_optimizer(const Experiment& experiment, base::Diagnostics& diagnostics) {
  bind_optimizer(experiment.proto->optimizer(), "optimizer", experiment.spans, diagnostics);
}

}  // namespace lbann::model
