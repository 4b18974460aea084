// lbann-convert's work. Export: the experiment is checked as for training, then lowered for evaluation and
// exported with the weights that training would start from. Import is in import.cpp. Nothing is written
// unless all of it went well.
#include "lbann-convert/convert.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "base/files.hpp"
#include "common/version.hpp"
#include "lbann-convert/import.hpp"
#include "model/settings.hpp"
#include "onnx/export.hpp"
#include "onnx/import.hpp"

namespace lbann::tools {
namespace {

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
  return onnx::export_model(experiment, graph, *lowered,
                            onnx::make_initial_values(*lowered, static_cast<std::uint64_t>(seed)),
                            {version()}, d);
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
  const std::vector<std::string> files = options.experiment.merge_order();
  bool imports = false;
  for (const std::string& file : files) imports = imports || (file != "-" && onnx::looks_like_onnx(file));
  if (options.output.empty()) {
    options.output =
        std::filesystem::path(files.front()).replace_extension(imports ? ".prototext" : ".onnx").string();
  }
  return imports ? import_main(options) : export_main(options);
}

}  // namespace lbann::tools
