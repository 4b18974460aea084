// lbann-convert's work. Export: the experiment is checked as for training, then lowered for evaluation and
// exported with the weights that training would start from, or saved ones. Import is in import.cpp, saved
// weights in other forms in arrays.cpp. Nothing is written
// unless all of it went well.
#include "lbann-convert/convert.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "base/files.hpp"
#include "checkpoint/array_values.hpp"
#include "checkpoint/source.hpp"
#include "common/version.hpp"
#include "lbann-convert/arrays.hpp"
#include "lbann-convert/import.hpp"
#include "model/settings.hpp"
#include "onnx/export.hpp"
#include "onnx/import.hpp"

namespace lbann::tools {
namespace {

/// The exported weights from a checkpoint or a file of arrays; what is missing or of another shape is refused
/// all together.
onnx::WeightValues load_values(const std::string& path, const model::LoweredModel& lowered,
                               const std::string& model_name) {
  const checkpoint::Source source = checkpoint::load_source(path, model_name);
  for (const std::string& note : source.notes) base::log().warning(note);
  onnx::WeightValues values;
  std::string problems;
  for (const model::LoweredWeight& weight : lowered.weights) {
    const auto found = source.arrays.find(weight.name);
    if (found == source.arrays.end()) {
      problems += fmt::format("; '{}' is missing", weight.name);
    } else if (found->second.shape != weight.shape) {
      problems += fmt::format("; '{}' is {} there, {} here", weight.name, found->second.shape.to_string(),
                              weight.shape.to_string());
    } else {
      values[weight.name] = checkpoint::values_of(found->second);
    }
  }
  if (!problems.empty()) {
    throw base::Error(base::ExitCode::checkpoint,
                      fmt::format("{}: not the weights of this experiment{}", source.place, problems),
                      "lbann-convert --inspect shows what it holds");
  }
  return values;
}

std::string convert(const ConvertOptions& o, base::Diagnostics& d) {
  const model::Experiment experiment =
      model::load_experiment(o.experiment.merge_order(), o.experiment.sets, d);
  model::check_complete(experiment, d);
  const model::LayerGraph graph = model::make_layer_graph(experiment, d);
  const model::TrainingSettings settings = model::bind_settings(experiment, graph, d);
  model::LowerOptions lower;
  lower.mode = layers::Mode::evaluate;
  lower.fields = model::make_data_fields(settings);
  const std::optional<model::LoweredModel> lowered = model::lower_model(experiment, graph, lower, d);
  if (!lowered) return {};
  const std::int64_t seed = o.seed.value_or(std::max<std::int64_t>(0, settings.random_seed));
  const onnx::WeightValues values =
      o.weights.empty() ? onnx::make_initial_values(*lowered, static_cast<std::uint64_t>(seed))
                        : load_values(o.weights, *lowered, graph.model_name);
  return onnx::export_model(experiment, graph, *lowered, values, {version()}, d);
}

int export_main(const ConvertOptions& options) {
  base::Diagnostics d;
  const std::string bytes = convert(options, d);
  if (!d.all().empty()) report_diagnostics(d, options.common);
  if (d.has_errors()) return static_cast<int>(d.exit_code());
  if (options.output == "-") {
    base::log().print(bytes);
    return 0;
  }
  base::atomic_write_file(options.output, bytes);
  base::log().info(fmt::format("wrote {} ({} bytes)", options.output, bytes.size()));
  return 0;
}

}  // namespace

int convert_main(ConvertOptions options) {
  if (options.list_ops) return list_ops(options);
  switch (options.action()) {
    case ConvertAction::inspect:
      return inspect_arrays(options);
    case ConvertAction::verify:
      return verify_arrays(options);
    case ConvertAction::diff:
      return diff_arrays(options);
    case ConvertAction::convert:
      break;
  }
  const std::vector<std::string> files = options.experiment.merge_order();
  if (files.front() != "-" && checkpoint::is_source(files.front())) return convert_arrays(options);
  bool imports = false;
  for (const std::string& file : files) imports = imports || (file != "-" && onnx::looks_like_onnx(file));
  if (options.output.empty()) {
    options.output =
        std::filesystem::path(files.front()).replace_extension(imports ? ".prototext" : ".onnx").string();
  }
  return imports ? import_main(options) : export_main(options);
}

}  // namespace lbann::tools
