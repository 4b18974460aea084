// The option table of lbann-train: see train_options.hpp.
//
// Three groups: options that mean something here, options of LBANN that we know but do not support
// yet (refused by name), and options of its past that no longer change anything (noted).
#include "common/train_options.hpp"

namespace lbann::tools {

namespace {

constexpr std::int64_t largest_integer = 2147483647;

void add_data_options(OptionTable& table, TrainOptions& options) {
  table.section("Data");
  table.add_value("data-dir", "DIR", options.data_dir,
                  "Folder of all data files; finds MNIST's under their usual names.");
  const auto add = [&table](const std::string& role, DataPaths& paths) {
    const std::string suffix = role.empty() ? "" : "-" + role;
    const std::string where = role.empty() ? "of all readers" : "of the reader of role " + role;
    table.add_value("data-filedir" + suffix, "DIR", paths.filedir, "Folder of the data files " + where + ".");
    table.add_value("data-filename" + suffix, "FILE", paths.filename, "Data file " + where + ".");
    table.add_value("label-filename" + suffix, "FILE", paths.label_filename, "Label file " + where + ".");
  };
  add("", options.data);
  add("train", options.data_train);
  add("validate", options.data_validate);
  add("test", options.data_test);
  table.add_integer("absolute-sample-count", "N", options.absolute_sample_count, 1, INT64_MAX,
                    "Use N samples of every reader.");
  table.add_value("data-reader-fraction", "F", options.fraction_of_data,
                  "Use this part, above 0 and at most 1, of the samples of every reader.");
  table.add_integer("num-io-threads", "N", options.num_io_threads, 1, 4096, "Threads that read data.");
}

/// Texts of options that are checked together with the rest.
struct CheckpointTexts {
  std::vector<std::string> every{};
  std::string preempt_signal = "USR1";
  std::string time_limit{};
  std::string comm_timeout{};
  bool no_signals = false;
  bool weights_dir_is_complete = false;  // every folder here is
};

void add_checkpoint_options(OptionTable& table, TrainOptions& options, CheckpointTexts& texts) {
  table.section("Checkpoints (in the run directory)");
  table.add_optional_value(
      "resume", "HOW", options.resume, "auto",
      "Go on from a checkpoint: auto: if there is one, must, never, or the path of one. The "
      "default is auto.");
  table.add_list(
      "checkpoint-every", "N", texts.every,
      "Save every N steps or epochs or seconds: 500steps, 1epoch, 600s, 10m, 2h; never: only at the "
      "end and on signals. The default is 1epoch. Repeatable.");
  table.add_integer("keep-checkpoints", "N", options.keep_checkpoints, 0, largest_integer,
                    "Keep the newest N, all for 0. The default is 3.");
  table.add_value("time-limit", "TIME", texts.time_limit,
                  "Stop with a checkpoint in time to end within TIME: 90s, 30m, 2h, 1:30:00.");
  table.add_value("comm-timeout", "TIME", texts.comm_timeout,
                  "How long a rank waits for another before all end with exit code 9. The default is 10m.");
  table.add_value(
      "preempt-signal", "NAME", texts.preempt_signal,
      "Signal that stops with a checkpoint as SIGTERM does; none: no other. The default is USR1.");
  table.add_flag("disable-signal-handler", texts.no_signals, "Leave all signals alone.");
  table.add_value("checkpoint-dir,ckpt-dir", "DIR", options.checkpoint_dir,
                  "Folder of the checkpoint callback.");
  table.add_value("restart-dir", "DIR", options.restart_dir,
                  "Folder in which the checkpoint callback looks for one to go on from.");
  table.add_value("load-model-weights-dir", "DIR", options.load_weights_dir,
                  "Begin with the weights saved there by save_model or as a checkpoint.");
  table.add_flag("load-model-weights-dir-is-complete", texts.weights_dir_is_complete,
                 "Accepted: the folder is always found.");
}

void check_checkpoint_texts(const CheckpointTexts& texts, TrainOptions& options,
                            std::vector<UsageProblem>& problems) {
  for (const std::string& text : texts.every) {
    if (!try_parse_interval(text, options.checkpoint_every))
      problems.push_back(
          {"--checkpoint-every=" + text + " is no interval", "write 500steps, 1epoch or 600s"});
  }
  const auto signal = try_parse_signal(texts.preempt_signal);
  if (!signal)
    problems.push_back({"--preempt-signal=" + texts.preempt_signal + " is no signal that can be caught",
                        "write USR1 or none"});
  options.preempt_signal = texts.no_signals ? -1 : signal.value_or(0);
  if (!texts.comm_timeout.empty()) {
    const auto patience = try_parse_duration(texts.comm_timeout);
    if (!patience || *patience <= 0)
      problems.push_back(
          {"--comm-timeout=" + texts.comm_timeout + " is no time", "write 30s, 10m or 1:30:00"});
    options.comm_timeout = patience.value_or(options.comm_timeout);
  }
  if (texts.time_limit.empty()) return;
  const auto limit = try_parse_duration(texts.time_limit);
  if (!limit)
    problems.push_back({"--time-limit=" + texts.time_limit + " is no time", "write 90s, 30m or 1:30:00"});
  options.time_limit = limit.value_or(0);
}

void add_unsupported_options(OptionTable& table) {
  table.add_unsupported({"disable-background-io-activity",
                         "disable-distconv",
                         "generate-multi-proto",
                         "ltfb-allow-global-statistics",
                         "ltfb-global-multitrainer-statistics",
                         "ltfb-verbose",
                         "multitrainer-verbose",
                         "preload-data-store",
                         "use-data-store",
                         "print-affinity",
                         "stack-trace-to-file",
                         "disable-cudnn-tensor-ops",
                         "use-gpu-direct-memory-in-forward-prop",
                         "init-shmem",
                         "init-nvshmem",
                         "no-backprop-disable",
                         "trainer-create-two-models",
                         "trainer-enable-subgrid-async-comm",
                         "trainer-enable-topo-aware-subgrid",
                         "caliper"});
  table.add_unsupported({"max-io-thread-rngs", "rng-seeds-per-trainer-to-display", "trainer-grid-height",
                         "trainer-primary-grid-size", "num-subgrids", "num-subgrids-block-order",
                         "caliper-config", "hang"});
  // LBANN's names of environment variables where they are not those of the options.
  table.add_unsupported(
      {"max-io-rng-banks", "gpu-direct-memory-in-forward-prop", "allow-multitrainer-global-statistics"});
  table.add_unsupported({"data-store-cache", "data-store-debug", "data-store-fail",
                         "data-store-min-max-timing", "data-store-no-thread", "data-store-profile",
                         "data-store-test-cache", "node-sizes-vary", "data-store-spill",
                         "data-store-test-checkpoint"});
  table.add_unsupported({"check-data",
                         "keep-sample-order",
                         "keep-packed-fields",
                         "load-full-sample-list-once",
                         "write-sample-label-list",
                         "write-sample-list",
                         "z-score",
                         "data-reader-percent",
                         "sample-list-train",
                         "sample-list-validate",
                         "sample-list-test",
                         "index-list-train",
                         "index-list-test",
                         "sequence-length",
                         "seq-len",
                         "vocab",
                         "smiles-buffer-size",
                         "normalization",
                         "pilot2-read-file-sizes",
                         "pilot2-save-file-sizes",
                         "image-dir"});
}

void add_obsolete_options(OptionTable& table) {
  table.add_obsolete({"hydrogen-block-size", "num-parallel-readers", "objective-function", "data-layout",
                      "saveme", "test-tarball"},
                     true);
  table.add_obsolete({"super-node", "share-testing-data-readers", "no-im-comm", "create-tarball"}, false);
}

}  // namespace

std::optional<int> parse_train_options(int argc, const char* const* argv, TrainOptions& options) {
  OptionTable table("lbann-train", "Trains the model that an experiment in prototext describes.",
                    "[OPTION]... FILE...");
  table.section("Experiment (FILE: prototext, merged from left to right; - is standard input)");
  add_experiment_options(table, options.experiment);
  table.add_integer("num-epochs", "N", options.num_epochs, 0, largest_integer, "Train for N epochs.");
  table.add_integer("mini-batch-size", "N", options.mini_batch_size, 1, largest_integer,
                    "Samples of one training step.");
  table.add_integer("seed,random-seed,rand-seed", "N", options.seed, 0, INT64_MAX,
                    "Seed of everything random. The same seed gives the same bits.");
  table.add_integer("procs-per-trainer", "N", options.procs_per_trainer, -1, largest_integer,
                    "Processes of a trainer; 0 or less: all of them.");

  table.section("Run");
  table.add_flag("print-config", options.print_config,
                 "Print the experiment after merging and --set, then stop; each line says where it comes "
                 "from.");
  table.add_flag("exit-after-setup", options.exit_after_setup, "Set everything up, then stop.");
  table.add_flag("dry-run", options.dry_run, "Check and plan, print what would be done, touch nothing.");
  table.add_integer("smoke", "N", options.smoke_steps, 1, largest_integer, "Run only N steps of each mode.");
  table.add_value(
      "run-dir", "DIR", options.run_dir,
      "Write log.jsonl, run.json, the configuration and checkpoints there. Without it nothing is written.");
  table.add_flag("log-steps", options.log_steps, "Record every training step in log.jsonl, not only epochs.");
  table.add_flag("digest", options.print_digest,
                 "Print a digest of the final weights: equal bits, equal digest.");
  table.add_flag("bench-json", options.bench_json,
                 "Print step times and memory as one JSON line at the end.");
  table.add_optional_value("profile", "DIR", options.profile, "auto",
                           "Print where a step's time goes at the end; write the tables and a trace for "
                           "Perfetto to DIR, or to profile/ in the run directory.");
  table.add_choice<base::When>(
      "progress", options.progress,
      {{"auto", base::When::automatic}, {"always", base::When::always}, {"never", base::When::never}},
      "Progress bar on stderr. auto: on a terminal.");

  CheckpointTexts checkpoint_texts;
  add_checkpoint_options(table, options, checkpoint_texts);
  add_data_options(table, options);

  table.section("Execution");
  bool disable_cuda = false;
  table.add_choice<DeviceChoice>(
      "device", options.device,
      {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"gpu", DeviceChoice::gpu}},
      "Where to compute.");
  table.add_flag("disable-cuda", disable_cuda, "The same as --device=cpu.");
  table.add_integer("threads,omp-num-threads", "N", options.threads, 1, 4096, "Threads that compute.");
  add_kernel_options(table, options.kernels);
  table.add_optional_value("autotune", "FILE", options.kernels.autotune, "auto",
                           "Measure the convolution kernels whose times FILE lacks, add them, and choose by "
                           "FILE. auto, the default: lbann/kernel_table.txt in the user's cache folder.");
  table.add_choice<CommitChoice>(
      "commit", options.commit, {{"eager", CommitChoice::eager}, {"committed", CommitChoice::committed}},
      "eager: update each weight as soon as its gradient is final. committed: only when all gradients are.");
  table.add_choice<NanPolicy>("nan-policy", options.nan_policy,
                              {{"stop", NanPolicy::stop}, {"ignore", NanPolicy::ignore}},
                              "What to do when the loss is not a finite number. stop: exit code 7.");
  add_plan_options(table, options.planning);
  bool no_inplace = false, serialize_io = false;
  table.add_flag("no-inplace", no_inplace, "The same as --disable-pass=reuse_inplace.");
  table.add_flag("serialize-io", serialize_io, "The same as --num-io-threads=1.");
  table.add_flag("oracle", options.oracle,
                 "Compute with the naive kernels, nothing fused: slow, for comparison.");

  add_common_options(table, options.common, false);
  add_unsupported_options(table);
  add_obsolete_options(table);
  table.set_epilogue(
      "'_' and '-' are the same in option names. The environment variable LBANN_NUM_EPOCHS sets "
      "--num-epochs, and so "
      "for each option; the command line wins over the environment, the environment over the file.");

  options.command_line.assign(argv, argv + argc);
  const auto check = [&](std::vector<UsageProblem>& problems) {
    check_experiment_files(options.experiment, problems);
    check_checkpoint_texts(checkpoint_texts, options, problems);
    if (serialize_io && options.num_io_threads.value_or(1) > 1)
      problems.push_back({"--serialize-io and --num-io-threads contradict each other"});
    if (options.absolute_sample_count && options.fraction_of_data)
      problems.push_back({"--absolute-sample-count and --data-reader-fraction contradict each other"});
    if (options.kernels.autotune && options.dry_run)
      problems.push_back({"--autotune and --dry-run contradict each other", "a dry run writes no file"});
    if (disable_cuda && options.device == DeviceChoice::gpu)
      problems.push_back({"--disable-cuda and --device=gpu contradict each other"});
  };
  if (const auto done = parse_command_line(table, options.common, argc, argv, check)) return done;
  if (disable_cuda) options.device = DeviceChoice::cpu;
  if (serialize_io) options.num_io_threads = 1;
  if (no_inplace) options.planning.disabled_passes.push_back("reuse_inplace");
  return std::nullopt;
}

}  // namespace lbann::tools
