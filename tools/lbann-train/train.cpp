// lbann-train's work: experiment in, trained model and its record out.
#include "lbann-train/train.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "common/version.hpp"
#include "device/module.hpp"
#include "log/run_record.hpp"
#include "model/reader_sizes.hpp"
#include "model/settings.hpp"
#include "passes/describe.hpp"
#include "train/bench.hpp"
#include "train/callbacks/callbacks.hpp"
#include "train/open_data.hpp"
#include "train/save.hpp"

namespace lbann::tools {
namespace {

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Stops the run when there are errors; warnings have been shown.
void report(const base::Diagnostics& d, const TrainOptions& options) {
  if (!d.all().empty()) report_diagnostics(d, options.common);
}

struct Loaded {
  model::Experiment experiment;
  model::LayerGraph graph;
  model::TrainingSettings settings;
};

void apply_command_line(const TrainOptions& o, model::Experiment& e, base::Diagnostics& d) {
  const auto set = [&](const std::string& path, std::optional<std::int64_t> value) {
    if (value) model::apply_override(fmt::format("{}={}", path, *value), e, d);
  };
  set("model.num_epochs", o.num_epochs);
  set("trainer.mini_batch_size", o.mini_batch_size);
}

void apply_data_paths(const TrainOptions& o, model::TrainingSettings& s) {
  for (model::ReaderSettings& r : s.readers) {
    const DataPaths& own = r.role == "train"  ? o.data_train
                           : r.role == "test" ? o.data_test
                                              : o.data_validate;
    const auto pick = [](const std::string& special, const std::string& general, std::string& target) {
      if (!special.empty()) {
        target = special;
      } else if (!general.empty()) {
        target = general;
      }
    };
    pick(own.filedir, o.data.filedir, r.directory);
    pick(own.filename, o.data.filename, r.image_file);
    pick(own.label_filename, o.data.label_filename, r.label_file);
  }
}

/// Everything that can be checked without data. Returns nothing when errors were reported.
std::optional<Loaded> load(const TrainOptions& options, base::ExitCode& code) {
  base::Diagnostics d;
  Loaded l;
  l.experiment = model::load_experiment(options.experiment.merge_order(), options.experiment.sets, d);
  apply_command_line(options, l.experiment, d);
  model::check_complete(l.experiment, d);
  l.graph = model::make_layer_graph(l.experiment, d);
  l.settings = model::bind_settings(l.experiment, l.graph, d);
  apply_data_paths(options, l.settings);
  model::apply_reader_sizes(l.experiment, model::make_data_fields(l.settings), d);
  if (!d.has_errors() && model::knows_data_fields(l.settings)) {
    model::LowerOptions lower;
    lower.batch = l.settings.mini_batch_size;
    lower.fields = model::make_data_fields(l.settings);
    model::lower_model(l.experiment, l.graph, lower, d);
  }
  report(d, options);
  code = d.exit_code();
  if (d.has_errors()) return std::nullopt;
  return l;
}

std::uint64_t choose_seed(const TrainOptions& o, const model::TrainingSettings& s) {
  if (o.seed) return static_cast<std::uint64_t>(*o.seed);
  if (s.random_seed >= 0) return static_cast<std::uint64_t>(s.random_seed);
  return std::random_device{}() & 0x7fffffffu;
}

int choose_threads(const TrainOptions& o) {
  return o.threads ? static_cast<int>(*o.threads) : std::max(1, omp_get_max_threads());
}

void check_device(const TrainOptions& o) {
  if (o.device != DeviceChoice::gpu) return;
  const device::ModuleStatus cuda = device::probe_module("cuda");
  throw base::Error(base::ExitCode::environment,
                    fmt::format("no GPU can be used: {}",
                                cuda.available ? "the CUDA module offers no kernels yet" : cuda.reason),
                    "use --device=cpu");
}

std::vector<train::LearningRate> make_schedules(const Loaded& l, std::int64_t steps_per_epoch,
                                                base::Diagnostics& d) {
  std::vector<train::LearningRate> result;
  for (int index : l.settings.schedules) {
    const model::CallbackNode& node = l.graph.callbacks[static_cast<std::size_t>(index)];
    const auto bound = model::bind_schedule(*node.message, node.path, steps_per_epoch, l.experiment.spans, d);
    if (bound) result.push_back({bound->schedule, bound->weights});
  }
  return result;
}

/// The run's folder: resolved configuration, run.json; log.jsonl is written as the run goes.
std::string open_run_directory(const TrainOptions& o, const Loaded& l, std::uint64_t seed) {
  const std::string resolved = model::print_resolved(l.experiment);
  const std::string digest = base::to_hex(base::digest128(resolved));
  if (o.run_dir.empty()) return digest;
  if (mkdir(o.run_dir.c_str(), 0777) != 0 && errno != EEXIST) {
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot make the run directory '{}': {}", o.run_dir,
                                  std::generic_category().message(errno)));
  }
  base::atomic_write_file(o.run_dir + "/config.resolved.prototext", resolved);
  log::RunInfo info;
  info.run = digest;
  info.seed = static_cast<std::int64_t>(seed);
  info.program = "lbann-train";
  info.version = version();
  info.git = git_id();
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  info.host = host;
  info.started = unix_time();
  info.argv = o.command_line;
  log::save_run_info(info, o.run_dir + "/run.json");
  return digest;
}

void add_callbacks(const TrainOptions& o, const Loaded& l, const std::string& digest,
                   train::Trainer& trainer) {
  const train::Speaker who{l.settings.model, 0};
  for (const model::CallbackSettings& c : l.settings.callbacks) {
    if (c.kind == model::CallbackKind::print)
      trainer.add_callback(train::make_print_callback(who, version()));
    if (c.kind == model::CallbackKind::timer)
      trainer.add_callback(train::make_timer_callback(who, c.skip_steps));
  }
  const bool wants_bar = train::wants_progress_bar(o.progress) && !o.common.quiet;
  if (wants_bar)
    trainer.add_callback(train::make_progress_callback(train::make_terminal_settings(o.common.ascii)));
  if (!o.run_dir.empty()) {
    train::RecordSettings r;
    r.path = o.run_dir + "/log.jsonl";
    r.run = digest;
    r.every_step = o.log_steps;
    r.now = unix_time;
    trainer.add_callback(train::make_record_callback(r));
  }
  if (o.bench_json) trainer.add_callback(train::make_bench_callback(10));
}

void print_banner(const TrainOptions& o, const Loaded& l, std::uint64_t seed, int threads, int io_threads) {
  train::StartupInfo s;
  s.command_line = o.command_line;
  s.version = version();
  s.git = git_id();
  s.num_threads = threads;
  s.num_io_threads = io_threads;
  train::RunParameters p;
  p.mini_batch_size = l.settings.mini_batch_size;
  p.num_epochs = l.settings.num_epochs;
  p.random_seed = static_cast<std::int64_t>(seed);
  base::log().data(train::startup_text(s) + train::parameters_text(p));
}

void print_profile(train::Trainer& trainer) {
  const graph::Graph& g = trainer.primary_plan().graph();
  std::vector<runtime::StepTime> best;
  for (int repetition = 0; repetition < 20; ++repetition) {
    const std::vector<runtime::StepTime> times = trainer.primary_runner().run_profiled();
    if (best.empty()) best = times;
    for (std::size_t i = 0; i < best.size(); ++i) best[i].us = std::min(best[i].us, times[i].us);
  }
  double total = 0;
  std::string text;
  for (const runtime::StepTime& t : best) {
    const graph::Node& n = g.node(t.node);
    total += t.us;
    text += fmt::format("{:>10.1f} us  {:<22} {:<16} {}\n", t.us, n.kernel,
                        g.origins[static_cast<std::size_t>(n.origin)].layer,
                        g.value(n.outputs[0]).spec.to_string() + ":" + g.value(n.outputs[0]).layout.tag());
  }
  base::log().print(fmt::format("{}{:>10.1f} us  sum of the shortest time of each step\n", text, total));
}

}  // namespace

int train_main(const TrainOptions& options) {
  base::ExitCode code = base::ExitCode::ok;
  const std::optional<Loaded> loaded = load(options, code);
  if (!loaded) return static_cast<int>(code);
  check_device(options);
  const std::uint64_t seed = choose_seed(options, loaded->settings);
  const int threads = choose_threads(options);
  const int io_threads = static_cast<int>(options.num_io_threads.value_or(1));
  if (!options.dry_run) print_banner(options, *loaded, seed, threads, io_threads);

  train::TrainerConfig config;
  config.data = train::open_data(loaded->settings, seed);
  std::vector<model::DataField> fields = train::data_fields(config.data);
  if (fields.empty()) fields = model::make_data_fields(loaded->settings);
  config.lower = [&, fields](layers::Mode mode, std::int64_t batch) {
    base::Diagnostics d;
    model::LowerOptions o;
    o.mode = mode;
    o.batch = batch;
    o.fields = fields;
    std::optional<model::LoweredModel> lowered = model::lower_model(loaded->experiment, loaded->graph, o, d);
    if (lowered) return std::move(*lowered);
    report_diagnostics(d, options.common);
    throw base::Error(d.exit_code(), "the model does not fit the data");
  };
  config.model = loaded->settings.model;
  for (const model::MetricNode& m : loaded->graph.metrics) config.metrics.push_back({m.name, m.unit});
  config.mini_batch_size = loaded->settings.mini_batch_size;
  config.num_epochs = loaded->settings.num_epochs;
  config.max_steps = options.smoke_steps.value_or(-1);
  config.seed = seed;
  config.threads = threads;
  config.io_threads = io_threads;
  config.commit =
      options.commit == CommitChoice::committed ? passes::Commit::committed : passes::Commit::eager;
  config.stop_at_nan = options.nan_policy == NanPolicy::stop;
  config.oracle = options.oracle;
  config.disabled_passes.insert(options.disabled_passes.begin(), options.disabled_passes.end());
  const auto training = config.data.find(train::DataMode::training);
  const std::int64_t samples =
      training == config.data.end() ? 0 : static_cast<std::int64_t>(training->second.samples.size());
  base::Diagnostics d;
  const std::int64_t batch = std::max<std::int64_t>(1, std::min(config.mini_batch_size, samples));
  config.schedules = make_schedules(*loaded, (samples + batch - 1) / batch, d);
  report(d, options);
  if (d.has_errors()) return static_cast<int>(d.exit_code());

  train::Trainer trainer(std::move(config));
  if (options.dry_run) {
    trainer.setup();
    base::log().print(passes::describe_plan(trainer.primary_plan().compiled()) +
                      passes::describe_memory(trainer.primary_plan().compiled()));
    return 0;
  }
  const std::string digest = open_run_directory(options, *loaded, seed);
  add_callbacks(options, *loaded, digest, trainer);
  trainer.setup();
  if (options.exit_after_setup) {
    base::log().data(train::exit_after_setup_text());
    return 0;
  }
  trainer.train();
  if (!options.run_dir.empty()) train::save_training(trainer, options.run_dir);
  if (options.profile) print_profile(trainer);
  if (options.print_digest) {
    base::log().print(fmt::format("weights digest: {}\n", trainer.weights().digest("weight")));
  }
  return 0;
}

}  // namespace lbann::tools
