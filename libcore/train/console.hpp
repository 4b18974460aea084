// LBANN's console lines: the text that scripts and log parsers have matched since 2016.
//
// Pure functions from plain structs to text with its final newline; nothing is printed here. Every
// blank counts. Numbers have six significant digits (%g). Only true lines are printed: what LBANN
// says about libraries that are not here is left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "train/epoch_stats.hpp"

namespace lbann::train {

/// Six significant digits as a C++ stream prints them; NaN without a sign.
std::string console_number(double value);

/// Who speaks: `model0 (instance 0)`.
struct Speaker {
  std::string model = "model0";
  int instance = 0;  // the trainer's index
};

/// "training epoch 3"; the other modes are "validation", "test" and "tournament".
std::string training_mode(std::int64_t epoch);

/// Steps and mini-batch sizes of one mode; zeros where the mode has no data.
struct ModeExtent {
  std::int64_t num_steps = 0;
  std::int64_t mini_batch = 0;
  std::int64_t last_mini_batch = 0;
};

struct EpochHeader {
  std::int64_t epoch = 0;
  ModeExtent training{};
  ModeExtent validation{};
  ModeExtent test{};
  ModeExtent tournament{};
};

/// The box of two lines between dashes that opens an epoch.
std::string epoch_header_text(const EpochHeader& header);

/// `model0 (instance 0) training epoch 0 objective function : 0.412345`
std::string objective_line(const Speaker& who, std::string_view mode, double value);
/// `model0 (instance 0) training epoch 0 accuracy : 87.5926%`
std::string metric_line(const Speaker& who, std::string_view mode, std::string_view metric, double value,
                        std::string_view unit);
/// `model0 (instance 0) validation run time : 3.21456s`
std::string run_time_line(const Speaker& who, std::string_view mode, double seconds);
/// `... mini-batch time statistics : <x>s mean, <x>s median, <x>s max, <x>s min, <x>s stdev`; what does
/// not exist is `N/A`, but `nans` for the median.
std::string step_time_line(const Speaker& who, std::string_view mode, const StepTimeStatistics& times);

/// `Training with LLNL LBANN version 0.1.0`
std::string version_line(std::string_view version);

struct StartupInfo {
  std::vector<std::string> command_line{};
  std::string version{};
  std::string git{};         // empty: unknown
  std::string build_type{};  // empty: left out
  int processes_on_node = 1;
  int num_processes = 1;
  int num_threads = 1;
  int num_io_threads = 1;
  bool background_io = true;
  int num_gpus = 0;
  int num_trainers = 1;
};

/// Command line, hardware, version, build and trainer settings, in LBANN's order.
std::string startup_text(const StartupInfo& info);

struct RunParameters {
  int datatype_bytes = 4;
  std::int64_t mini_batch_size = 0;
  std::int64_t num_epochs = 0;
  int procs_per_trainer = 1;
  bool serialize_io = false;
  bool cuda = false;
  bool cudnn = false;
  std::int64_t random_seed = 0;
};

/// The block `Running with these parameters:`; values begin in column 31.
std::string parameters_text(const RunParameters& parameters);

/// What --exit_after_setup says before the run ends.
std::string exit_after_setup_text();

}  // namespace lbann::train
