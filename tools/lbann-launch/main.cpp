// lbann-launch: starts an experiment or a command with the processes it needs.
//
// A plain start becomes the launcher: exit code, signals and terminal are then the command's own. A run
// with a directory is supervised here, a batch job by its script.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/process.hpp"
#include "common/launch_options.hpp"
#include "launch/affinity.hpp"
#include "launch/capability.hpp"
#include "launch/script.hpp"
#include "lbann-launch/batch.hpp"
#include "lbann-launch/explain.hpp"
#include "lbann-launch/needs.hpp"
#include "lbann-launch/resolve.hpp"
#include "lbann-launch/run_dir.hpp"
#include "lbann-launch/supervise.hpp"
#include "lbann-launch/sweep.hpp"

namespace {

using namespace lbann;
using tools::JobReport;
using tools::LaunchOptions;

std::string script_of(const launch::Job& job) {
  return launch::needs_script(job) ? launch::script_text(job) : launch::plain_text(job);
}

// Script on stdout, so that it can be kept; the rest beside it.
void show(const LaunchOptions& o) {
  base::log().print(script_of(o.job));
  const launch::Backend& backend = launch::scheduler_of(o.job);
  if (o.job.batch)
    base::log().talk(fmt::format("submit: {} {}{}\n", launch::shell_line(backend.submit),
                                 backend.from_stdin ? "< " : "", launch::shell_quote(o.job.script_file)));
  base::log().talk(launch::rank_map_text(o.job.allocation));
}

[[noreturn]] void become(const launch::Job& job) {
  const std::vector<std::string> words = launch::launch_words(job);
  for (const auto& [name, value] : launch::exports_of(job)) ::setenv(name.c_str(), value.c_str(), 1);
  if (words.empty()) {
    if (!job.work_dir.empty() && ::chdir(job.work_dir.c_str()) != 0)
      throw base::Error(base::ExitCode::environment,
                        fmt::format("cannot change to '{}': {}", job.work_dir, std::strerror(errno)));
    base::replace_process(job.command);
  }
  std::vector<std::string> all = words;
  all.insert(all.end(), job.command.begin(), job.command.end());
  base::replace_process(all);
}

void check_programs(const launch::Job& job) {
  const std::vector<std::string> words = launch::launch_words(job);
  const std::string& program = words.empty() ? job.command.at(0) : words[0];
  if (job.batch || base::try_find_program(program)) return;
  throw base::Error(base::ExitCode::environment,
                    words.empty() ? fmt::format("cannot start '{}': No such file or directory", program)
                                  : fmt::format("{} is not in PATH", program));
}

// One run, from complete options to its report. A plain start does not come back.
JobReport start(LaunchOptions& o) {
  const std::string experiment = o.is_experiment ? o.job.command[0] : "";
  tools::resolve_files(o);
  tools::choose_pmi(o);
  tools::check_refusals(o);
  if (!o.dry_run && !o.explain) tools::check_trainer(o);
  JobReport report;
  report.run_dir = o.job.run_dir;
  if (o.explain) {
    base::log().print(tools::explain_text(o));
    return report;
  }
  if (o.dry_run) {
    show(o);
    return report;
  }
  base::log().debug(launch::rank_map_text(o.job.allocation));
  if (!o.job.run_dir.empty()) {
    tools::write_run_dir(o, experiment);
    base::log().info(fmt::format("run directory: {}", o.job.run_dir));
  }
  if (o.setup_only) return report;
  check_programs(o.job);
  if (o.job.batch) {
    report.submission = tools::submit(o.job);
    return report;
  }
  if (!launch::needs_script(o.job)) become(o.job);
  if (o.job.run_dir.empty())
    base::replace_process({"bash", "-c", launch::script_text(o.job), "lbann-launch"});
  report.exit_code = tools::run_and_copy(o.job.script_file, o.job.text(launch::Request::out_log)[0],
                                         o.job.text(launch::Request::err_log)[0]);
  return report;
}

int finish(const LaunchOptions& o, const JobReport& report) {
  if (o.dry_run || o.explain || o.setup_only || o.job.asks(launch::Request::test_only)) return 0;
  if (!o.job.batch) {
    if (o.common.format == tools::ReportFormat::json) tools::print_report(report, o.common.format);
    return tools::code_of(report);
  }
  const bool waits = o.wait || o.follow;
  if (!waits && o.common.format == tools::ReportFormat::text)
    base::log().print(report.submission.id + "\n");
  else if (!waits)
    tools::print_report(tools::ask(o, report.run_dir), o.common.format);
  if (!waits) return 0;
  base::log().info(fmt::format("job {}", report.submission.id));
  const JobReport end = tools::wait_for(report.run_dir, o.follow, o.job.text(launch::Request::out_log)[0],
                                        o.job.text(launch::Request::err_log)[0]);
  if (o.common.format == tools::ReportFormat::json) tools::print_report(end, o.common.format);
  if (tools::code_of(end) != 0)
    base::log().error(fmt::format("job {} ended with exit code {}{}{}", end.submission.id,
                                  tools::code_of(end), end.state.word.empty() ? "" : ", state ",
                                  end.state.word));
  return tools::code_of(end);
}

// --status, --cancel, and waiting for a run that was submitted before.
std::optional<int> about_jobs(LaunchOptions& o) {
  if (!o.job.command.empty()) return std::nullopt;
  if (!o.cancel.empty()) {
    tools::cancel(o, o.cancel);
    return 0;
  }
  if (!o.status.empty()) {
    tools::print_report(tools::ask(o, o.status), o.common.format);
    return 0;
  }
  const std::string dir = std::filesystem::absolute(o.run_dir).string();
  o.job.batch = true;
  o.job.texts[launch::Request::out_log] = {dir + "/out.log"};
  o.job.texts[launch::Request::err_log] = {dir + "/err.log"};
  JobReport report = tools::ask(o, dir);
  return finish(o, report);
}

int launch_main(LaunchOptions& o) {
  tools::resolve_scheduler(o);
  if (const auto code = about_jobs(o)) return *code;
  tools::resolve_needs(o);
  tools::resolve_sizes(o);
  if (!o.explain)
    if (const auto code = tools::preflight(o)) return *code;
  if (!o.sweep.empty()) return tools::run_sweep(o, start);
  const JobReport report = start(o);
  return finish(o, report);
}

}  // namespace

int main(int argc, char** argv) {
  return tools::run_tool(argc, argv, [](int count, char** words) {
    LaunchOptions options;
    if (const auto done = tools::parse_launch_options(count, words, options)) return *done;
    return launch_main(options);
  });
}
