// See kernel_choice.hpp.
#include "lbann-train/kernel_choice.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/log.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "model/step_plan.hpp"
#include "passes/passes.hpp"
#include "runtime/autotune.hpp"

namespace lbann::tools {
namespace {

namespace fs = std::filesystem;

/// The training plan's graph; which convolutions are in it does not depend on their kernels.
graph::Graph training_graph(const train::TrainerConfig& config, const passes::CatalogueOptions& kernels) {
  const auto training = config.data.find(train::DataMode::training);
  const std::int64_t samples =
      training == config.data.end() ? 0 : static_cast<std::int64_t>(training->second.samples.size());
  const std::int64_t batch = samples > 0 ? std::min(config.mini_batch_size, samples) : config.mini_batch_size;
  model::LoweredModel lowered = config.lower(layers::Mode::train, batch, tensor::DataType::f32);
  model::StepOptions options;
  options.training = true;
  options.commit = config.commit;
  options.disabled = config.disabled_passes;
  const auto catalogue = kernels::cpu::make_cpu_catalogue(kernels);
  passes::Compilation c = model::make_compilation(std::move(lowered.graph), lowered, options, *catalogue);
  passes::compile(c);
  return std::move(c.graph);
}

passes::KernelTable read_table(const std::string& path) {
  return passes::KernelTable::parse(base::read_file(path), path);
}

void write_table(const std::string& path, const passes::KernelTable& table) {
  std::error_code failed;
  fs::create_directories(fs::path(base::folder_of(path)), failed);
  if (failed) {
    throw base::Error(base::ExitCode::storage, fmt::format("cannot make the folder '{}': {}",
                                                           base::folder_of(path), failed.message()));
  }
  base::atomic_write_file(path, table.print());
}

}  // namespace

passes::CatalogueOptions choose_kernels(const TrainOptions& o, int threads,
                                        const train::TrainerConfig& config) {
  passes::CatalogueOptions result = make_catalogue_options(o.kernels, threads);
  if (config.oracle || (result.table == nullptr && !o.kernels.autotune)) return result;
  passes::KernelTable table = result.table != nullptr ? *result.table : passes::KernelTable();
  result.table = nullptr;
  const graph::Graph g = training_graph(config, result);
  if (o.kernels.autotune) {
    const std::string path = autotune_path(o.kernels);
    std::error_code ignored;
    passes::KernelTable file = fs::exists(path, ignored) ? read_table(path) : passes::KernelTable();
    table.merge(file);
    const passes::KernelTable measured = runtime::autotune(
        g, table, {result, [](const std::string& conv) { base::log().info("measuring " + conv); }});
    if (measured.num_times() > 0) {
      table.merge(measured);
      file.merge(measured);
      write_table(path, file);
    }
    base::log().info(
        fmt::format("{}: {} times, {} of them new", path, file.num_times(), measured.num_times()));
  }
  result.table = std::make_shared<const passes::KernelTable>(table.select(g));
  base::log().info(fmt::format("kernel table {}: {} times of this experiment's convolutions",
                               result.table->digest(), result.table->num_times()));
  return result;
}

}  // namespace lbann::tools
