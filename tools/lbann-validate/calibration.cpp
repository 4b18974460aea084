// See calibration.hpp. Without --calibration the file lies in the user's cache folder (XDG_CACHE_HOME).
#include "lbann-validate/calibration.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "lbann-validate/calibration_networks.hpp"
#include "lbann-validate/planner.hpp"
#include "model/settings.hpp"
#include "model/step_plan.hpp"
#include "passes/passes.hpp"

namespace lbann::tools {
namespace {

namespace fs = std::filesystem;

fs::path calibration_path(const ValidateOptions& o) {
  if (!o.calibration.empty()) return o.calibration;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache == '/') return fs::path(cache) / "lbann/calibration.json";
  return home == nullptr ? fs::path() : fs::path(home) / ".cache/lbann/calibration.json";
}

passes::Calibration measure(int threads) {
  const Planner planner = open_planner({.threads = threads});
  std::vector<passes::KernelTime> times;
  for (const std::string& text : calibration_networks()) {
    base::Diagnostics d;
    model::Experiment experiment;
    model::parse_experiment("calibration", text, experiment, d);
    const model::LayerGraph graph = model::make_layer_graph(experiment, d);
    const model::TrainingSettings settings = model::bind_settings(experiment, graph, d);
    model::LowerOptions options;
    options.batch = settings.mini_batch_size;
    options.fields = model::make_data_fields(settings);
    std::optional<model::LoweredModel> lowered = model::lower_model(experiment, graph, options, d);
    if (!lowered || d.has_errors()) throw base::Error(base::ExitCode::internal, "calibration: " + d.render());
    passes::Compilation compiled =
        model::make_compilation(std::move(lowered->graph), *lowered, {}, *planner.catalogue);
    passes::compile(compiled);
    const std::vector<passes::KernelTime> more = time_kernels(compiled);
    times.insert(times.end(), more.begin(), more.end());
  }
  return passes::make_calibration(planner.catalogue->machine(), times);
}

}  // namespace

int calibrate(const ValidateOptions& options) {
  const fs::path path = calibration_path(options);
  if (path.empty()) {
    throw base::Error(base::ExitCode::environment, "neither XDG_CACHE_HOME nor HOME is set",
                      "name the file with --calibration=FILE");
  }
  const passes::Calibration made = measure(threads_of(options));
  std::error_code failed;
  if (options.calibration.empty()) fs::create_directories(path.parent_path(), failed);
  if (failed) {
    throw base::Error(base::ExitCode::storage, fmt::format("cannot make the folder '{}': {}",
                                                           path.parent_path().string(), failed.message()));
  }
  base::atomic_write_file(path.string(), passes::print_calibration(made));
  base::log().data(
      fmt::format("{}: {} with {} threads, {}: {:.0f} GFLOP/s, {:.0f} GB/s in caches, {:.0f} GB/s in memory, "
                  "{} kernels\n",
                  path.string(), made.machine.isa, made.machine.threads, made.machine.library,
                  made.peak_gflops, made.cache_gbs, made.memory_gbs, made.kernels.size()));
  return 0;
}

Prediction predict(const ValidateOptions& options, const passes::Compilation& compiled) {
  const fs::path path = calibration_path(options);
  std::error_code ignored;
  if (path.empty() || (options.calibration.empty() && !fs::exists(path, ignored)))
    return {std::nullopt, "lbann-validate --calibrate has not measured this machine"};
  std::string why;
  const auto calibration = passes::try_parse_calibration(base::read_file(path.string()), &why);
  if (!calibration) {
    throw base::Error(base::ExitCode::config, fmt::format("'{}' is no calibration: {}", path.string(), why),
                      "make one with lbann-validate --calibrate");
  }
  const passes::Machine& here = compiled.catalogue->machine();
  if (!passes::is_for(*calibration, here)) {
    return {std::nullopt,
            fmt::format("the calibration is for {} with {} threads and {}, the plan for {} with {} and {}",
                        calibration->machine.isa, calibration->machine.threads, calibration->machine.library,
                        here.isa, here.threads, here.library)};
  }
  return {passes::predict_ms(compiled, *calibration), ""};
}

}  // namespace lbann::tools
