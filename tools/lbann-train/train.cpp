// lbann-train's work: experiment in, trained model and its record out.
#include "lbann-train/train.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "common/version.hpp"
#include "device/module.hpp"
#include "lbann-train/data_directory.hpp"
#include "lbann-train/kernel_choice.hpp"
#include "lbann-train/profile.hpp"
#include "lbann-train/ranks.hpp"
#include "lbann-train/run_directory.hpp"
#include "lbann-train/signals.hpp"
#include "lbann-train/supervisor.hpp"
#include "model/bind_algorithm.hpp"
#include "model/check_experiment.hpp"
#include "model/identity.hpp"
#include "passes/describe.hpp"
#include "train/bench.hpp"
#include "train/callbacks/callbacks.hpp"
#include "train/open_data.hpp"
#include "train/save.hpp"

namespace lbann::tools {
namespace {

/// Stops the run when there are errors; warnings have been shown.
void report(const base::Diagnostics& d, const TrainOptions& options) {
  if (!d.all().empty()) report_diagnostics(d, options.common);
}

using Loaded = model::CheckedExperiment;

void apply_command_line(const TrainOptions& o, model::Experiment& e, base::Diagnostics& d) {
  const auto set = [&](const std::string& path, std::optional<std::int64_t> value) {
    if (value) model::apply_override(fmt::format("{}={}", path, *value), e, d);
  };
  if (o.num_epochs) model::apply_num_epochs(*o.num_epochs, e, d);
  set("trainer.mini_batch_size", o.mini_batch_size);
  if (!o.absolute_sample_count && !o.fraction_of_data) return;
  // Exactly one of the two may be set in a reader.
  for (int i = 0; i < model::num_readers(e); ++i) {
    const std::string reader = fmt::format("data_reader.reader[{}].", i);
    set(reader + "absolute_sample_count", o.absolute_sample_count.value_or(0));
    model::apply_override(reader + "fraction_of_data_to_use=" + o.fraction_of_data.value_or("0"), e, d);
  }
}

void apply_data_paths(const TrainOptions& o, model::TrainingSettings& s) {
  if (!o.data_dir.empty()) apply_data_directory(o.data_dir, s);
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

void apply_checkpoint_folders(const TrainOptions& o, model::TrainingSettings& s) {
  for (model::CallbackSettings& c : s.callbacks) {
    if (c.kind != model::CallbackKind::checkpoint) continue;
    if (!o.checkpoint_dir.empty()) c.directory = o.checkpoint_dir;
    if (!o.restart_dir.empty()) c.restart_directory = o.restart_dir;
  }
}

/// Everything that can be checked without data. Returns nothing when errors were reported.
std::optional<Loaded> load(const TrainOptions& options, base::ExitCode& code) {
  base::Diagnostics d;
  model::Experiment experiment =
      model::load_experiment(options.experiment.merge_order(), options.experiment.sets, d);
  apply_command_line(options, experiment, d);
  if (options.print_config && !d.has_errors()) base::log().print(model::print_resolved(experiment));
  model::CheckOptions check;
  check.recompute_layers = options.planning.recompute_layers;
  check.adjust = [&options](model::TrainingSettings& s) {
    apply_data_paths(options, s);
    apply_checkpoint_folders(options, s);
  };
  Loaded loaded = model::check_experiment(std::move(experiment), check, d);
  report(d, options);
  code = d.exit_code();
  if (d.has_errors()) return std::nullopt;
  return loaded;
}

/// Of the run that is continued, unless another one is asked for, which is then refused.
std::uint64_t choose_seed(const TrainOptions& o, const model::TrainingSettings& s,
                          std::optional<std::uint64_t> saved) {
  if (o.seed) return static_cast<std::uint64_t>(*o.seed);
  if (s.random_seed >= 0) return static_cast<std::uint64_t>(s.random_seed);
  if (saved) return *saved;
  return std::random_device{}() & 0x7fffffffu;
}

std::optional<std::uint64_t> seed_of(const checkpoint::FoundCheckpoint& found) {
  const train::StateReader in(found.checkpoint.scalars);
  return static_cast<std::uint64_t>(in.integer("seed"));
}

int choose_io_threads(const TrainOptions& o) { return static_cast<int>(o.num_io_threads.value_or(1)); }

/// Ranks of one machine share its cores unless their launcher has bound them or OMP_NUM_THREADS is set.
int choose_threads(const TrainOptions& o, int num_ranks) {
  if (o.threads) return static_cast<int>(*o.threads);
  const int threads = std::max(1, omp_get_max_threads());
  const bool unbound = std::getenv("OMP_NUM_THREADS") == nullptr && threads >= omp_get_num_procs() &&
                       omp_get_num_procs() == static_cast<int>(std::thread::hardware_concurrency());
  return unbound ? std::max(1, threads / num_ranks) : threads;
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

/// What must agree for a run to be continued: the experiment, the data as they were found, the seed.
std::vector<std::string> list_identity(const TrainOptions& o, const Loaded& l,
                                       const std::map<train::DataMode, train::DataPart>& data,
                                       std::uint64_t seed) {
  std::vector<std::string> lines = model::list_identity(l.experiment);
  for (const auto& [mode, part] : data)
    lines.push_back(fmt::format("{} samples: {}", train::to_string(mode), part.samples.size()));
  lines.push_back(fmt::format("seed: {}", seed));
  if (o.smoke_steps) lines.push_back(fmt::format("--smoke: {}", *o.smoke_steps));
  return lines;
}

/// On several ranks only mini-batches are split yet. A layer that asks for more is refused, not left as it
/// is.
void check_layouts(const Loaded& l, int num_ranks) {
  if (num_ranks == 1) return;
  for (const model::LayerNode& layer : l.graph.layers) {
    if (layer.data_layout != model::DataLayout::model_parallel) continue;
    throw base::Error(
        base::ExitCode::config,
        fmt::format("{}:{}: layer '{}': data_layout \"model_parallel\" on {} ranks is not yet supported",
                    layer.span.file, layer.span.line, layer.name, num_ranks),
        "without it the layer is computed for the samples of each rank");
  }
}

/// Callbacks decide on every rank alike; those that write files do it on rank 0.
bool is_for_rank(const model::CallbackSettings& c, const train::Trainer& trainer) {
  if (c.kind == model::CallbackKind::check_gradients && trainer.num_ranks() > 1) {
    throw base::Error(base::ExitCode::config,
                      "callback 'check_gradients' does not work on more than one rank yet",
                      "check gradients on one rank: they are those of the same model");
  }
  const bool writes =
      c.kind == model::CallbackKind::dump_weights || c.kind == model::CallbackKind::save_model;
  return trainer.rank() == 0 || !writes;
}

void add_callbacks(const TrainOptions& o, const Loaded& l, const log::RunInfo& run, train::Trainer& trainer) {
  const train::Speaker who{l.settings.model, 0};
  if (!trainer.config().schedules.empty())
    trainer.add_callback(train::make_learning_rate_callback(who, trainer));
  for (const model::CallbackSettings& c : l.settings.callbacks) {
    if (!is_for_rank(c, trainer)) continue;
    if (c.kind == model::CallbackKind::print) {
      trainer.add_callback(train::make_print_callback(who, version()));
    } else if (c.kind == model::CallbackKind::timer) {
      trainer.add_callback(train::make_timer_callback(who, c.skip_steps));
    } else if (auto made = train::try_make_callback(c, who, trainer)) {
      trainer.add_callback(std::move(made));
    }
  }
  const bool wants_bar = train::wants_progress_bar(o.progress) && !o.common.quiet && trainer.rank() == 0;
  if (wants_bar) {
    train::ProgressBar::Settings settings = train::make_terminal_settings(o.common.ascii);
    if (const auto& p = l.settings.progress_bar)
      settings.style = {static_cast<int>(p->bar_width), static_cast<int>(p->moving_average_length),
                        static_cast<int>(p->newline_interval), p->scientific_notation};
    trainer.add_callback(train::make_progress_callback(std::move(settings)));
  }
  if (!o.run_dir.empty() && trainer.rank() == 0) {
    train::RecordSettings r;
    r.path = o.run_dir + "/log.jsonl";
    r.run = run.run;
    r.attempt = run.attempt;
    r.every_step = o.log_steps;
    r.now = unix_time;
    trainer.add_callback(train::make_record_callback(r));
  }
  if (o.bench_json) trainer.add_callback(train::make_bench_callback(10));
}

void print_banner(const TrainOptions& o, const Loaded& l, std::uint64_t seed, int num_ranks) {
  train::StartupInfo s;
  s.command_line = o.command_line;
  s.version = version();
  s.git = git_id();
  s.num_threads = choose_threads(o, num_ranks);
  s.num_io_threads = choose_io_threads(o);
  train::RunParameters p;
  p.mini_batch_size = l.settings.mini_batch_size;
  p.num_epochs = l.settings.num_epochs;
  p.random_seed = static_cast<std::int64_t>(seed);
  base::log().data(train::startup_text(s) + train::parameters_text(p));
}

train::TrainerConfig make_config(const TrainOptions& options, const Loaded& loaded, std::uint64_t seed,
                                 comm::Communicator& ranks, base::Diagnostics& d) {
  train::TrainerConfig config;
  config.world = &ranks;
  config.data = train::open_data(loaded.settings, seed);
  std::vector<model::DataField> fields = train::data_fields(config.data);
  if (fields.empty()) fields = model::make_data_fields(loaded.settings);
  config.lower = [&options, &loaded, fields](layers::Mode mode, std::int64_t batch, tensor::DataType type) {
    base::Diagnostics problems;
    model::LowerOptions o;
    o.mode = mode;
    o.batch = batch;
    o.default_type = type;
    o.fields = fields;
    auto lowered = model::lower_model(loaded.experiment, loaded.graph, o, problems);
    if (lowered) return std::move(*lowered);
    report_diagnostics(problems, options.common);
    throw base::Error(problems.exit_code(), "the model does not fit the data");
  };
  config.model = loaded.settings.model;
  for (const model::MetricNode& m : loaded.graph.metrics) config.metrics.push_back({m.name, m.unit});
  config.mini_batch_size = loaded.settings.mini_batch_size;
  config.num_epochs = loaded.settings.num_epochs;
  config.max_steps = options.smoke_steps.value_or(-1);
  config.seed = seed;
  config.threads = choose_threads(options, ranks.size());
  config.io_threads = choose_io_threads(options);
  const bool checks_nan =
      std::any_of(loaded.settings.callbacks.begin(), loaded.settings.callbacks.end(),
                  [](const model::CallbackSettings& c) { return c.kind == model::CallbackKind::check_nan; });
  const bool committed =
      options.commit == CommitChoice::committed || (checks_nan && options.commit == CommitChoice::automatic);
  config.commit = committed ? passes::Commit::committed : passes::Commit::eager;
  config.stop_at_nan = options.nan_policy == NanPolicy::stop;
  config.oracle = options.oracle;
  config.measure_memory = options.bench_json;
  config.disabled_passes.insert(options.planning.disabled_passes.begin(),
                                options.planning.disabled_passes.end());
  config.recompute = options.planning.recompute;
  const auto training = config.data.find(train::DataMode::training);
  const std::int64_t samples =
      training == config.data.end() ? 0 : static_cast<std::int64_t>(training->second.samples.size());
  const std::int64_t batch = std::max<std::int64_t>(1, std::min(config.mini_batch_size, samples));
  const std::int64_t steps_per_epoch = (samples + batch - 1) / batch;
  config.schedules = make_schedules(loaded, steps_per_epoch, d);
  config.max_training_steps = loaded.settings.max_steps;
  config.max_seconds = loaded.settings.max_seconds;
  if (config.max_training_steps >= 0 && steps_per_epoch > 0)
    config.num_epochs = (config.max_training_steps + steps_per_epoch - 1) / steps_per_epoch;
  return config;
}

/// Why the run ended, for those who come later. Nothing more can be done when this fails, too.
void write_failure(const TrainOptions& o, const log::RunInfo& run, const train::Trainer& trainer, bool trains,
                   const std::vector<train::CheckpointKeeper>& keepers, int code, const std::string& message,
                   const std::string& help) {
  if (o.run_dir.empty() || trainer.rank() != 0) return;
  log::FailureInfo f;
  f.run = run.run;
  f.attempt = run.attempt;
  f.code = code;
  f.message = message;
  f.help = help;
  f.phase = trains ? train::to_string(trainer.phase()) : "setup";
  f.epoch = trainer.epoch();
  f.step = trainer.training_steps();
  if (!keepers.empty()) f.checkpoint = keepers.front().last();
  f.host = run.host;
  f.wall = unix_time();
  try {
    base::atomic_write_file(o.run_dir + "/failure.json", log::render_failure(f));
  } catch (const base::Error& e) {
    base::log().warning(e.what());
  }
}

/// Puts the trainer where a run or a folder of weights says.
void restore(const TrainOptions& o, const std::optional<checkpoint::FoundCheckpoint>& resumed,
             std::vector<train::CheckpointKeeper>& keepers, train::Trainer& trainer) {
  if (resumed) {
    train::restore_training(trainer, resumed->checkpoint);
    for (train::CheckpointKeeper& k : keepers) {
      if (base::folder_of(resumed->dir) == k.root()) k.set_resumed(trainer, resumed->dir);
    }
    return;
  }
  if (!o.load_weights_dir.empty()) train::load_weights(trainer, o.load_weights_dir);
}

void say_resumed(const checkpoint::FoundCheckpoint& resumed, const train::Trainer& trainer) {
  base::log().data(fmt::format("Restarting from {} : epoch {} step {}\n", resumed.dir, trainer.epoch(),
                               trainer.training_steps()));
}

/// Rank 0's number for everybody.
std::uint64_t share(comm::Communicator& ranks, std::uint64_t number) {
  if (ranks.size() > 1) ranks.broadcast(std::as_writable_bytes(std::span(&number, 1)), 0);
  return number;
}

int run_training(const TrainOptions& options, const Loaded& loaded,
                 std::chrono::system_clock::time_point deadline, comm::World& world) {
  comm::Communicator& ranks = world.ranks();
  const bool first = ranks.rank() == 0;
  CheckpointRoots roots;
  std::optional<checkpoint::FoundCheckpoint> resumed;
  if (!options.dry_run) {
    roots = choose_roots(options, loaded.settings);
    if (options.preempt_signal >= 0) watch_signals(options.preempt_signal, !roots.keepers.empty());
    resumed = find_resume_point(options, roots);
  }
  const std::optional<std::uint64_t> saved_seed = resumed ? seed_of(*resumed) : std::nullopt;
  const std::uint64_t seed = share(ranks, choose_seed(options, loaded.settings, saved_seed));
  check_layouts(loaded, ranks.size());
  if (!options.dry_run) print_banner(options, loaded, seed, ranks.size());
  base::Diagnostics d;
  train::TrainerConfig config = make_config(options, loaded, seed, ranks, d);
  report(d, options);
  if (const int code = agree_on_code(world, d.has_errors() ? static_cast<int>(d.exit_code()) : 0))
    return code;
  const passes::CatalogueOptions kernels = choose_kernels(options, config.threads, config);
  config.numerics = kernels.numerics;
  config.kernel_table = kernels.table;
  std::vector<std::string> identity = list_identity(options, loaded, config.data, seed);
  for (std::string& line : tools::list_identity(kernels)) identity.push_back(std::move(line));
  // What a time limit has ended stays ended.
  const std::int64_t num_epochs = config.max_seconds >= 0 ? 0 : config.num_epochs;
  const std::int64_t max_steps = config.max_seconds >= 0 ? -1 : config.max_training_steps;
  if (resumed) train::check_identity(resumed->checkpoint, identity, resumed->dir);

  train::Trainer trainer(std::move(config));
  if (options.dry_run) {
    trainer.setup();
    base::log().print(passes::describe_plan(trainer.primary_plan().compiled()) +
                      passes::describe_memory(trainer.primary_plan().compiled(),
                                              {trainer.memory_use().pipeline_bytes, true}));
    return 0;
  }
  if (ranks.size() > 1) ranks.barrier();  // everybody has read what rank 0 may now set aside
  const RunLock lock(first ? options.run_dir : std::string());
  if (first) set_aside_others(roots, resumed ? &*resumed : nullptr);
  if (resumed && train::Trainer::is_finished(resumed->checkpoint.scalars, num_epochs, max_steps) &&
      !options.print_digest) {
    base::log().info(fmt::format("'{}': this run is finished; --num-epochs=N beyond {} trains on",
                                 resumed->dir,
                                 train::StateReader(resumed->checkpoint.scalars).integer("epoch")));
    return 0;
  }
  const std::string run = base::to_hex(base::digest128(fmt::format("{}", fmt::join(identity, "\n"))));
  const log::RunInfo info =
      first ? open_run_directory(options, run, model::print_resolved(loaded.experiment), seed,
                                 choose_threads(options, ranks.size()), resumed ? &*resumed : nullptr)
            : log::RunInfo{};
  std::vector<train::CheckpointKeeper> keepers;
  for (train::KeeperSettings k : roots.keepers) {
    k.identity = identity;
    k.writes = first;
    keepers.emplace_back(std::move(k));
  }
  bool trains = false;
  runtime::Profiler profiler;
  try {
    add_callbacks(options, loaded, info, trainer);
    trainer.setup();
    restore(options, resumed, keepers, trainer);
    if (options.exit_after_setup) {
      base::log().data(train::exit_after_setup_text());
      return 0;
    }
    if (resumed) say_resumed(*resumed, trainer);
    Supervisor supervisor(trainer, keepers, {deadline, &world});
    trainer.set_monitor([&](const train::Boundary& b) { return supervisor.at_boundary(b); });
    trains = true;
    if (options.profile) trainer.set_profiler(&profiler);
    if (!trainer.train()) {
      if (options.profile && first) report_profile(options, profiler);
      base::log().info(fmt::format("{}: stopped after training step {}; checkpoint '{}'",
                                   supervisor.stop_reason(), trainer.training_steps(),
                                   keepers.front().last()));
      return static_cast<int>(base::ExitCode::interrupted);
    }
    supervisor.save();
    if (options.profile && first) report_profile(options, profiler);
    if (options.print_digest)
      base::log().print(fmt::format("weights digest: {}\n", trainer.weights().digest("weight")));
    return 0;
  } catch (const base::Error& e) {
    write_failure(options, info, trainer, trains, keepers, static_cast<int>(e.code()), e.what(), e.help());
    throw;
  } catch (const std::bad_alloc&) {
    write_failure(options, info, trainer, trains, keepers, static_cast<int>(base::ExitCode::out_of_memory),
                  "out of memory", {});
    throw;
  }
}

void check_procs_per_trainer(const TrainOptions& o, int num_ranks) {
  const std::int64_t wanted = o.procs_per_trainer.value_or(0);
  if (wanted <= 0 || wanted == num_ranks) return;
  if (num_ranks == 1) {
    throw base::Error(base::ExitCode::environment,
                      fmt::format("--procs-per-trainer={}: this is a run of 1 process", wanted),
                      fmt::format("start it with mpirun -n {}", wanted));
  }
  throw base::Error(
      base::ExitCode::environment,
      fmt::format("--procs-per-trainer={} in a run of {} processes: only one trainer of all of them is "
                  "supported yet",
                  wanted, num_ranks),
      "leave the option out");
}

}  // namespace

int train_main(const TrainOptions& options) {
  const auto deadline = choose_deadline(options.time_limit);
  return run_on_ranks(options.comm_timeout, [&](comm::World& world) {
    check_procs_per_trainer(options, world.ranks().size());
    base::ExitCode code = base::ExitCode::ok;
    const std::optional<Loaded> loaded = load(options, code);
    if (const int failed = agree_on_code(world, loaded ? 0 : static_cast<int>(code))) return failed;
    if (!loaded || options.print_config) return static_cast<int>(code);
    check_device(options);
    return run_training(options, *loaded, deadline, world);
  });
}

}  // namespace lbann::tools
