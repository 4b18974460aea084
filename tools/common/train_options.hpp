// The command line of lbann-train as a plain struct.
//
// An optional member or an empty text means "not given": the experiment file decides. Values from
// the environment count as given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/experiment_options.hpp"
#include "common/intervals.hpp"
#include "common/kernel_options.hpp"
#include "common/plan_options.hpp"
#include "common/tool.hpp"

namespace lbann::tools {

enum class DeviceChoice { automatic, cpu, gpu };
enum class CommitChoice { automatic, eager, committed };
enum class NanPolicy { stop, ignore };

/// Overrides of the reader's files; a role's own entry wins over the general one.
struct DataPaths {
  std::string filedir{};
  std::string filename{};
  std::string label_filename{};
};

struct TrainOptions {
  CommonOptions common{};
  ExperimentFiles experiment{};

  std::optional<std::int64_t> num_epochs{};
  std::optional<std::int64_t> mini_batch_size{};
  std::optional<std::int64_t> seed{};
  std::optional<std::int64_t> procs_per_trainer{};
  std::optional<std::int64_t> smoke_steps{};  // --smoke N: N steps per mode, then stop
  bool print_config = false;                  // the merged experiment, then stop
  bool exit_after_setup = false;
  bool dry_run = false;
  bool log_steps = false;   // a record per training step in log.jsonl
  bool bench_json = false;  // timings as one JSON line at the end
  std::optional<std::string>
      profile{};              // time of every kernel at the end; "auto" or the folder for its files
  bool print_digest = false;  // digest of the final weights

  std::string data_dir{};
  DataPaths data{};
  DataPaths data_train{};
  DataPaths data_validate{};
  DataPaths data_test{};
  std::optional<std::int64_t> absolute_sample_count{};  // of every reader
  std::optional<std::string> fraction_of_data{};        // of every reader; in (0, 1]
  std::optional<std::int64_t> num_io_threads{};

  DeviceChoice device = DeviceChoice::automatic;  // --disable_cuda makes it cpu
  std::optional<std::int64_t> threads{};
  KernelOptions kernels{};
  CommitChoice commit = CommitChoice::automatic;
  NanPolicy nan_policy = NanPolicy::stop;
  bool oracle = false;
  PlanOptions planning{};

  std::string run_dir{};
  std::optional<std::string> resume{};  // auto, must, never or a path
  CheckpointEvery checkpoint_every{};
  std::optional<std::int64_t> keep_checkpoints{};
  std::string checkpoint_dir{};  // of the checkpoint callback
  std::string restart_dir{};
  std::string load_weights_dir{};
  int preempt_signal = 0;     // 0: none; -1: no handlers at all
  double time_limit = 0;      // seconds; 0: none
  double comm_timeout = 600;  // seconds that a rank waits for another
  base::When progress = base::When::automatic;
  std::vector<std::string> command_line{};  // argv as given, for the banner and run.json
};

/// nullopt: go on with `options`; else the tool's exit code, everything having been said.
std::optional<int> parse_train_options(int argc, const char* const* argv, TrainOptions& options);

}  // namespace lbann::tools
