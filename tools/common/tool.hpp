// What every tool has in common: options, output manners, and how a run ends.
//
// run_tool() is the body of every main(): it turns whatever ends a run into an exit code and makes
// `LBANN error: <n> errors, exit <code>` the last line on stderr of every run that failed. Scripts
// match that line, so it is printed whatever -q says.
#pragma once

#include <functional>
#include <optional>

#include "base/diagnostic.hpp"
#include "base/log.hpp"
#include "base/terminal.hpp"
#include "common/option_table.hpp"

namespace lbann::tools {

enum class ReportFormat { text, json };

struct CommonOptions {
  bool help = false;
  bool version = false;
  bool quiet = false;
  int verbosity = 0;
  base::LogLevel log_level = base::LogLevel::info;
  base::When color = base::When::automatic;
  bool ascii = false;
  ReportFormat format = ReportFormat::text;
};

/// Appends the section of options that all tools share; --format only where a tool reports.
void add_common_options(OptionTable& table, CommonOptions& options, bool reports);

/// Parses, sets the logger up and does what --help and --version ask for. A number means that the
/// tool is done and this is its exit code; problems have been reported then. A call without any
/// argument prints the usage. `check` adds what single options cannot know (missing files, options
/// that contradict each other), after the problems found so far.
std::optional<int> parse_command_line(OptionTable& table, CommonOptions& options, int argc,
                                      const char* const* argv,
                                      const std::function<void(std::vector<UsageProblem>&)>& check);

/// Prints collected diagnostics on stderr (JSON: on stdout) and counts the errors.
void report_diagnostics(const base::Diagnostics& diagnostics, const CommonOptions& options);

/// Says what ended the run (the exception being handled) and returns its exit code.
int report_exception();
/// The last line on stderr of a run that failed: "LBANN error: <n> errors, exit <code>".
void print_last_line(int code);

/// Runs `tool_main`, maps exceptions to exit codes, checks that stdout was really written.
int run_tool(int argc, char** argv, const std::function<int(int, char**)>& tool_main);

}  // namespace lbann::tools
