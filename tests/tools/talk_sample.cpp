// A program for the tests of the talk: console lines, progress bar, and every way a tool can end.
//
//   talk_sample console            an epoch's console lines
//   talk_sample progress WHEN      30 steps with a bar, a log line and a data line in between
//   talk_sample end WAY            ends a run: ok, error, errors, bad_alloc, exception, int, interrupted, big
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <new>
#include <stdexcept>
#include <thread>

#include "common/tool.hpp"
#include "train/console.hpp"
#include "train/progress_bar.hpp"

namespace {

using namespace lbann;
using base::ExitCode;

int print_console_lines() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const train::Speaker who{"model0", 0};
  base::Logger& log = base::log();
  train::StartupInfo info;
  info.command_line = {"lbann-train", "x.prototext"};
  info.version = "0.1.0";
  log.data(train::startup_text(info));
  log.data(train::epoch_header_text({3, {211, 256, 240}, {24, 256, 112}, {40, 256, 16}, {}}));
  for (const std::string& mode : {train::training_mode(3), std::string("validation"), std::string("test")}) {
    for (const double value :
         {0.4123456, 1e-5, -3.25e+20, 0.0, nan, std::numeric_limits<double>::infinity()}) {
      log.data(train::objective_line(who, mode, value));
      log.data(train::metric_line(who, mode, "top-5 categorical accuracy", value, "%"));
    }
    log.data(train::run_time_line(who, mode, 3.25));
    log.data(train::step_time_line(who, mode, {0.015, 0.0148, 0.0921, 0.014, 5e-6}));
    log.data(train::step_time_line(who, mode, {0.015, 0.015, 0.015, 0.015, nan}));
    log.data(train::step_time_line(who, mode, {nan, nan, nan, nan, nan}));
  }
  return 0;
}

int show_progress(const std::string& when) {
  const auto choice = when == "always"  ? base::When::always
                      : when == "never" ? base::When::never
                                        : base::When::automatic;
  base::Logger& log = base::log();
  const bool wanted = train::wants_progress_bar(choice);
  train::ProgressBar bar(train::make_terminal_settings(false));
  if (wanted) log.set_overlay(&bar);
  if (wanted) bar.begin("epoch 1/1", 30);
  for (int step = 0; step < 30; ++step) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (wanted) bar.step(1.0 / (step + 1));
    if (step == 14) log.info("a log line");
    if (step == 20) log.data("a data line\n");
  }
  bar.end();
  log.data("the end\n");
  log.set_overlay(nullptr);
  return 0;
}

int end_run(const std::string& way) {
  if (way == "error") throw base::Error(ExitCode::data, "no such thing as \x1b[2Jthis", "try\nthat");
  if (way == "bad_alloc") throw std::bad_alloc();
  if (way == "exception") throw std::runtime_error("surprise");
  if (way == "int") throw 42;
  if (way == "interrupted") return static_cast<int>(ExitCode::interrupted);
  if (way == "big") base::log().print(std::string(10000000, 'x'));
  if (way == "errors") {
    base::Diagnostics diagnostics;
    diagnostics.error("first", {}, "one");
    diagnostics.error("second", {}, "two");
    diagnostics.warning("third", {}, "three");
    tools::report_diagnostics(diagnostics, {});
    return static_cast<int>(ExitCode::config);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tools::run_tool(argc, argv, [](int count, char** words) {
    const std::string command = count > 1 ? words[1] : "";
    const std::string argument = count > 2 ? words[2] : "";
    if (command == "console") return print_console_lines();
    if (command == "progress") return show_progress(argument);
    return end_run(argument);
  });
}
