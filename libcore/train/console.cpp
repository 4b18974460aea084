// LBANN's console lines: see console.hpp.
#include "train/console.hpp"

#include <fmt/format.h>

#include <cmath>

namespace lbann::train {

namespace {

constexpr int epoch_rule = 92;
constexpr int alert_rule = 80;
constexpr int banner_rule = 62;
constexpr int value_column = 30;  // characters before a value of the parameter block

std::string rule(char c, int width) { return std::string(static_cast<std::size_t>(width), c) + '\n'; }

std::string line(const Speaker& who, std::string_view mode, std::string_view what, std::string_view value) {
  return fmt::format("{} (instance {}) {} {} : {}\n", who.model, who.instance, mode, what, value);
}

std::string parameter(std::string_view name, std::string_view value) {
  return fmt::format("{:<{}}{}\n", fmt::format("  {}:", name), value_column, value);
}

// A time that may not exist.
std::string seconds_text(double seconds) {
  return std::isnan(seconds) ? "N/A" : console_number(seconds) + 's';
}

}  // namespace

std::string console_number(double value) { return std::isnan(value) ? "nan" : fmt::format("{:g}", value); }

std::string training_mode(std::int64_t epoch) { return fmt::format("training epoch {}", epoch); }

std::string epoch_header_text(const EpochHeader& h) {
  std::string out = rule('-', epoch_rule);
  out += fmt::format("[{}] Epoch : stats formated [tr/v/te/to] iter/epoch = [{}/{}/{}/{}]\n", h.epoch,
                     h.training.num_steps, h.validation.num_steps, h.test.num_steps, h.tournament.num_steps);
  out += fmt::format("{:>23} [{:4}/{:4}/{:4}/{:4}]  Global last MB = [{:4}/{:4}/{:4}/{:4}]\n",
                     "  Global MB =", h.training.mini_batch, h.validation.mini_batch, h.test.mini_batch,
                     h.tournament.mini_batch, h.training.last_mini_batch, h.validation.last_mini_batch,
                     h.test.last_mini_batch, h.tournament.last_mini_batch);
  return out + rule('-', epoch_rule);
}

std::string objective_line(const Speaker& who, std::string_view mode, double value) {
  return line(who, mode, "objective function", console_number(value));
}

std::string metric_line(const Speaker& who, std::string_view mode, std::string_view metric, double value,
                        std::string_view unit) {
  return line(who, mode, metric, console_number(value) + std::string(unit));
}

std::string run_time_line(const Speaker& who, std::string_view mode, double seconds) {
  return line(who, mode, "run time", console_number(seconds) + 's');
}

std::string step_time_line(const Speaker& who, std::string_view mode, const StepTimeStatistics& t) {
  return line(
      who, mode, "mini-batch time statistics",
      fmt::format("{} mean, {}s median, {} max, {} min, {} stdev", seconds_text(t.mean),
                  console_number(t.median), seconds_text(t.max), seconds_text(t.min), seconds_text(t.stdev)));
}

std::string version_line(std::string_view version) {
  return fmt::format("Training with LLNL LBANN version {}\n", version);
}

std::string startup_text(const StartupInfo& info) {
  std::string out = "\n\n" + rule('=', banner_rule) + "STARTING lbann with this command line:\n";
  for (const std::string& word : info.command_line) out += word + ' ';
  out += "\n\n";
  out += "Hardware properties (for master process)\n";
  out += fmt::format("  Processes on node          : {}\n", info.processes_on_node);
  out += fmt::format("  Total number of processes  : {}\n", info.num_processes);
  out += fmt::format("  OpenMP threads per process : {}\n", info.num_threads);
  out += fmt::format("  I/O threads per process    : {}\n", info.num_io_threads);
  out += fmt::format("  Background I/O enabled     : {}\n", info.background_io ? 1 : 0);
  out += fmt::format("  GPUs on node               : {}\n\n", info.num_gpus);
  out += fmt::format("Running: LLNL LBANN version: {}{}\n\n", info.version,
                     info.git.empty() ? "" : fmt::format(" ({})", info.git));
  if (!info.build_type.empty()) out += fmt::format("Build settings\n  Type     : {}\n\n", info.build_type);
  out += "Trainer settings\n";
  out += fmt::format("  Trainers              : {}\n", info.num_trainers);
  out += fmt::format("  Processes per trainer : {}\n\n", info.num_processes / info.num_trainers);
  return out;
}

std::string parameters_text(const RunParameters& p) {
  const auto enabled = [](bool on) { return on ? "enabled" : "disabled"; };
  std::string out = "Running with these parameters:\n General:\n";
  out += parameter("datatype size", std::to_string(p.datatype_bytes));
  out += parameter("mini_batch_size", std::to_string(p.mini_batch_size));
  out += parameter("num_epochs", std::to_string(p.num_epochs));
  out += parameter("procs_per_trainer", std::to_string(p.procs_per_trainer));
  out += parameter("serialize_io", p.serialize_io ? "1" : "0");
  out += parameter("cuda", enabled(p.cuda));
  out += parameter("cudnn", enabled(p.cudnn));
  out += parameter("random_seed[t][r]", fmt::format("[0][0]={:010}", p.random_seed));
  return out;
}

std::string exit_after_setup_text() {
  return rule('-', alert_rule) + "ALERT: model has been setup; we are now exiting due to command\n" +
         "       line option: --exit_after_setup\n" + rule('-', alert_rule);
}

}  // namespace lbann::train
