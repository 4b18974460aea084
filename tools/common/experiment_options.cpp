// The options that name an experiment: see experiment_options.hpp.
#include "common/experiment_options.hpp"

#include <algorithm>

namespace lbann::tools {

std::vector<std::string> ExperimentFiles::merge_order() const {
  std::vector<std::string> order{prototext, model};
  order.insert(order.end(), files.begin(), files.end());
  order.insert(order.end(), {reader, metadata, optimizer});
  std::erase(order, std::string());
  return order;
}

void add_experiment_options(OptionTable& table, ExperimentFiles& files) {
  table.set_positional(files.files);
  table.add_file("prototext", "FILE", files.prototext,
                 "The whole experiment in one file; the same as FILE alone.");
  table.add_file("model", "FILE", files.model, "The model, when the experiment is split over files.");
  table.add_file("reader", "FILE", files.reader, "The data readers of a split experiment.");
  table.add_file("optimizer", "FILE", files.optimizer, "The default optimizer of a split experiment.");
  table.add_file("metadata", "FILE", files.metadata, "The data set's metadata of a split experiment.");
  table.add_list("set", "PATH=VALUE", files.sets,
                 "Override a field, for instance model.num_epochs=3. Repeatable; the last one counts.");
}

void check_experiment_files(const ExperimentFiles& files, std::vector<UsageProblem>& problems,
                            ExperimentForm form) {
  const std::vector<std::string> order = files.merge_order();
  const bool whole = !files.prototext.empty() || !files.files.empty();
  if (!files.prototext.empty() && !files.model.empty())
    problems.push_back({"--prototext and --model cannot be combined",
                        "--prototext names a whole experiment, --model one part of it"});
  if (problems.empty() && (order.empty() || (!whole && files.model.empty() && form == ExperimentForm::whole)))
    problems.push_back({"Failed to load any prototext files: no experiment is given",
                        "name a file, or --model, --reader and --optimizer"});
  if (!whole && !files.model.empty() && form == ExperimentForm::whole) {
    for (const auto& [part, name] :
         {std::pair{&files.optimizer, "optimizer"}, std::pair{&files.reader, "reader"}})
      if (part->empty())
        problems.push_back({"you specified 1 model filenames, and 0 " + std::string(name) +
                            " filenames; you must specify 1 " + name + " filenames"});
  }
  if (std::count(order.begin(), order.end(), "-") > 1)
    problems.push_back({"standard input ('-') is given more than once"});
  for (const std::string& set : files.sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0)
      problems.push_back({"option '--set': '" + set + "' is not of the form path.to.field=value"});
  }
}

}  // namespace lbann::tools
