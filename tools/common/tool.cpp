// Shared start and end of every tool: see tool.hpp.
#include "common/tool.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>

#include "base/files.hpp"
#include "base/utf8.hpp"
#include "common/version.hpp"

namespace lbann::tools {

using base::ExitCode;

namespace {

// A tool started with fd 0, 1 or 2 closed would give that number to the first file it opens and
// write its log into it. The stand-ins fail on use, so nothing is lost silently.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    const int opened = ::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
    if (opened >= 0 && opened != fd) {
      ::dup2(opened, fd);
      ::close(opened);
    }
  }
}

// Some file systems report a failed write only when the file is closed.
void check_stdout() {
  std::cout.flush();
  const bool stdio_failed = !std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  const int reason = errno;
  if (stdio_failed) {
    if (reason == EPIPE) throw base::OutputClosed();
    throw base::Error(ExitCode::storage,
                      std::string("cannot write to standard output: ") + std::strerror(reason));
  }
  const int copy = ::dup(STDOUT_FILENO);
  if (copy >= 0 && ::close(copy) != 0)
    throw base::Error(ExitCode::storage,
                      std::string("cannot write to standard output: ") + std::strerror(errno));
}

// What users typed may hold control characters; our own line breaks stay.
std::string printable_lines(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t end = text.find('\n');
    out += base::printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

int fail(ExitCode code, const std::string& message, const std::string& help = {}) {
  base::log().error(printable_lines(message));
  if (!help.empty()) base::log().talk("help: " + help + '\n');
  return static_cast<int>(code);
}

int guarded(int argc, char** argv, const std::function<int(int, char**)>& tool_main) {
  try {
    const int code = tool_main(argc, argv);
    check_stdout();
    return code;
  } catch (...) {
    return report_exception();
  }
}

// `TOOL --generate=man|bash|zsh|fish`, for the build: what is made from the option table. The hand-written
// man page comes from standard input.
int generate(const OptionTable& table, std::string_view what) {
  std::string text;
  std::string problem;
  if (what == "man")
    text = table.man_page(base::read_file("-"), problem);
  else if (what == "bash")
    text = table.bash_completion();
  else if (what == "zsh")
    text = table.zsh_completion();
  else if (what == "fish")
    text = table.fish_completion();
  else
    problem = "--generate makes man, bash, zsh or fish";
  if (!problem.empty()) return fail(ExitCode::usage, problem);
  base::log().print(text);
  return 0;
}

int report_usage_error(const OptionTable& table, const std::vector<UsageProblem>& problems) {
  base::Logger& log = base::log();
  for (const UsageProblem& problem : problems) {
    log.error(printable_lines(problem.message));
    if (!problem.help.empty()) log.talk("help: " + printable_lines(problem.help) + '\n');
  }
  log.talk("Arguments could not be parsed.\n" + table.usage_text());
  return static_cast<int>(ExitCode::usage);
}

}  // namespace

void add_common_options(OptionTable& table, CommonOptions& options, bool reports) {
  table.section("Common options");
  table.add_flag("help,h", options.help, "Print this help and exit.");
  table.add_flag("version", options.version,
                 "Print the version and exit; with --verbose, details of the build.");
  table.add_flag("quiet,q", options.quiet, "Print only errors, warnings and what was asked for.");
  table.add_counter("verbose,v,verbose-print", options.verbosity, "Say more; -vv says still more.");
  table.add_choice<base::LogLevel>("log-level", options.log_level,
                                   {{"error", base::LogLevel::error},
                                    {"warning", base::LogLevel::warning},
                                    {"info", base::LogLevel::info},
                                    {"debug", base::LogLevel::debug},
                                    {"trace", base::LogLevel::trace}},
                                   "Least important messages to show on stderr.");
  table.add_choice<base::When>(
      "color", options.color,
      {{"auto", base::When::automatic}, {"always", base::When::always}, {"never", base::When::never}},
      "Colours in messages. auto: on a terminal, and as NO_COLOR, CLICOLOR_FORCE and TERM say.");
  table.add_flag("ascii", options.ascii, "Print ASCII only.");
  if (reports)
    table.add_choice<ReportFormat>("format", options.format,
                                   {{"text", ReportFormat::text}, {"json", ReportFormat::json}},
                                   "Form of the report. json: on stdout, for programs.");
}

std::optional<int> parse_command_line(OptionTable& table, CommonOptions& options, int argc,
                                      const char* const* argv,
                                      const std::function<void(std::vector<UsageProblem>&)>& check) {
  base::Logger& log = base::log();
  if (argc < 2) {
    log.talk(table.usage_text() + "'" + table.tool() + " --help' lists the options\n");
    return static_cast<int>(ExitCode::usage);
  }
  constexpr std::string_view generated = "--generate=";
  if (argc == 2 && std::string_view(argv[1]).substr(0, generated.size()) == generated)
    return generate(table, std::string_view(argv[1]).substr(generated.size()));
  ParseOutcome outcome = table.parse(argc, argv);
  if (outcome.help) {
    log.print(table.help_text());
    return 0;
  }
  if (outcome.version) {
    log.print(version_line(table.tool()) + (options.verbosity > 0 ? version_details() : ""));
    return 0;
  }
  log.set_color(base::use_color(options.color, STDERR_FILENO));
  log.set_quiet(options.quiet);
  base::LogLevel level = options.log_level;
  if (options.quiet && table.origin("log-level") == OptionOrigin::unset) level = base::LogLevel::warning;
  if (options.verbosity > 0) level = std::max(level, base::LogLevel::debug);
  if (options.verbosity > 1) level = base::LogLevel::trace;
  log.set_level(level);
  check(outcome.problems);
  if (!outcome.problems.empty()) return report_usage_error(table, outcome.problems);
  for (const std::string& note : outcome.notes) log.info("note: " + printable_lines(note));
  return std::nullopt;
}

void report_diagnostics(const base::Diagnostics& diagnostics, const CommonOptions& options) {
  base::Logger& log = base::log();
  log.count_errors(diagnostics.num_errors());
  if (options.format == ReportFormat::json)
    log.print(diagnostics.render_json());
  else
    log.talk(diagnostics.render(log.color()));
}

int report_exception() {
  try {
    throw;
  } catch (const base::OutputClosed&) {
    return 128 + SIGPIPE;
  } catch (const base::Error& e) {
    return fail(e.code(), e.what(), e.help());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::out_of_memory, "out of memory");
  } catch (const std::exception& e) {
    return fail(ExitCode::internal, fmt::format("internal error: {}", e.what()),
                "this is a bug; please report it");
  } catch (...) {
    return fail(ExitCode::internal, "internal error of unknown kind", "this is a bug; please report it");
  }
}

void print_last_line(int code) {
  const bool failed = code != 0 && code != static_cast<int>(ExitCode::interrupted) && code < 128;
  if (!failed) return;
  base::log().talk(
      fmt::format("LBANN error: {} errors, exit {}\n", std::max(1, base::log().num_errors()), code));
}

int run_tool(int argc, char** argv, const std::function<int(int, char**)>& tool_main) {
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is then a failed write: exit code 8
  const int code = guarded(argc, argv, tool_main);
  base::log().set_overlay(nullptr);
  print_last_line(code);
  return code;
}

}  // namespace lbann::tools
