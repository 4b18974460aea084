// Dealing with schedulers: see batch.hpp.
//
// A run may be several jobs one after the other (restarts); RUN_DIR/jobs lists them and the last one
// counts. What the script wrote into exit_code is the run's end, but only once its job has left the
// queue: a requeued job starts over.
#include "lbann-launch/batch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/files.hpp"
#include "base/process.hpp"
#include "base/utf8.hpp"
#include "launch/capability.hpp"

namespace lbann::tools {

namespace {

namespace fs = std::filesystem;
using launch::Phase;

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of("\r\n ");
  if (end == std::string::npos) return {};
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

launch::JobState state_of(const Submission& submission) {
  const auto command = launch::state_command(submission.scheduler, submission.id);
  if (command.empty() || !base::try_find_program(command[0])) return {};
  const base::ProcessResult answer = base::run_process(command, "");
  launch::JobState state = launch::parse_state(submission.scheduler, answer.out);
  if (state.phase == Phase::unknown && submission.scheduler == launch::Scheduler::slurm &&
      answer.err.find("Unable to contact") != std::string::npos)
    state.phase = Phase::running;  // the controller is away for a moment; nothing is known to have ended
  return state;
}

// Shows what was appended to a file since the last time.
class Tail {
public:
  explicit Tail(std::string path) : path_(std::move(path)) {}
  void show(bool to_stdout) {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return;
    file.seekg(place_);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (text.empty()) return;
    place_ += static_cast<std::streamoff>(text.size());
    if (to_stdout)
      base::log().print(text);
    else
      base::log().talk(text);
  }
  void skip_to_end() {
    std::error_code failed;
    const auto size = fs::file_size(path_, failed);
    if (!failed) place_ = static_cast<std::streamoff>(size);
  }

private:
  std::string path_;
  std::streamoff place_ = 0;
};

bool is_run_dir(const std::string& job) {
  std::error_code ignored;
  return fs::exists(fs::path(job) / "jobs", ignored);
}

Submission find_submission(const LaunchOptions& o, const std::string& job) {
  if (is_run_dir(job)) {
    const auto all = read_submissions(job);
    if (all.empty()) throw base::Error(base::ExitCode::data, fmt::format("'{}/jobs' names no job", job));
    return all.back();
  }
  std::error_code ignored;
  if (fs::is_directory(job, ignored))
    throw base::Error(base::ExitCode::data, fmt::format("no job was submitted from '{}'", job));
  return {o.job.scheduler, job};
}

}  // namespace

Submission submit(const launch::Job& job) {
  const launch::Backend& backend = launch::scheduler_of(job);
  std::vector<std::string> words = backend.submit;
  if (!base::try_find_program(words[0]))
    throw base::Error(base::ExitCode::environment, fmt::format("{} is not in PATH", words[0]));
  const bool trial = job.asks(launch::Request::test_only);
  if (trial) words.push_back("--test-only");
  if (!backend.from_stdin) words.push_back(job.script_file);
  const base::ProcessResult answer =
      base::run_process(words, backend.from_stdin ? base::read_file(job.script_file) : "");
  if (trial || answer.exit_code != 0 || base::log().enabled(base::LogLevel::debug))
    base::log().talk(answer.err);
  if (answer.exit_code != 0)
    throw base::Error(base::ExitCode::environment,
                      fmt::format("{} refused the job with exit code {}{}{}", words[0], answer.exit_code,
                                  answer.out.empty() ? "" : ": ", last_line(answer.out)));
  if (trial) return {job.scheduler, ""};
  const auto id = launch::try_parse_job_id(job.scheduler, answer.out);
  if (!id)
    throw base::Error(base::ExitCode::environment,
                      fmt::format("{} gave no job id: '{}'", words[0], last_line(answer.out)));
  const Submission made = {job.scheduler, *id};
  note_submission(job.run_dir, made);
  return made;
}

JobReport ask(const LaunchOptions& o, const std::string& job) {
  JobReport report;
  if (is_run_dir(job)) report.run_dir = job;
  report.submission = find_submission(o, job);
  report.state = state_of(report.submission);
  const bool over = report.state.phase == Phase::ended || report.state.phase == Phase::unknown;
  if (over && !report.run_dir.empty()) report.exit_code = try_read_exit_code(report.run_dir);
  if (over && !report.exit_code) report.exit_code = report.state.exit_code;
  return report;
}

JobReport wait_for(const std::string& run_dir, bool follow, const std::string& out_log,
                   const std::string& err_log) {
  using namespace std::chrono_literals;
  Tail out(out_log), err(err_log);
  auto pause = 100ms;
  int gone = 0;
  LaunchOptions none;
  for (;;) {
    const JobReport report = ask(none, run_dir);
    if (follow) {
      out.show(true);
      err.show(false);
    }
    const bool over = report.state.phase == Phase::ended || report.state.phase == Phase::unknown;
    // A script that resubmits itself notes the new job before its own ends; file systems may lag.
    if (over && (report.exit_code || ++gone > 20)) {
      const auto newest = read_submissions(run_dir);
      if (newest.back().id == report.submission.id) {
        if (follow) {
          std::this_thread::sleep_for(200ms);  // what the last lines' file system still holds back
          out.show(true);
          err.show(false);
        }
        return report;
      }
    }
    if (!over) gone = 0;
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::milliseconds>(pause * 5 / 4, follow ? 1000ms : 10000ms);
  }
}

void cancel(const LaunchOptions& o, const std::string& job) {
  // The mark first: a run that ends with "start me again" must not.
  if (is_run_dir(job)) base::atomic_write_file(job + "/cancelled", "");
  const Submission submission = find_submission(o, job);
  const auto command = launch::cancel_command(submission.scheduler, submission.id);
  if (command.empty())
    throw base::Error(base::ExitCode::usage,
                      fmt::format("{} has no jobs to cancel", launch::name_of(submission.scheduler)));
  if (!base::try_find_program(command[0]))
    throw base::Error(base::ExitCode::environment, fmt::format("{} is not in PATH", command[0]));
  const base::ProcessResult answer = base::run_process(command, "");
  if (answer.exit_code != 0)
    throw base::Error(base::ExitCode::environment, fmt::format("{} ended with {}: {}", command[0],
                                                               answer.exit_code, last_line(answer.err)));
}

int code_of(const JobReport& report) { return report.exit_code.value_or(9); }

void print_report(const JobReport& report, ReportFormat format) {
  const char* const phases[] = {"unknown", "waiting", "running", "ended"};
  const char* phase = phases[static_cast<int>(report.state.phase)];
  if (report.exit_code) phase = "ended";
  if (format == ReportFormat::text) {
    std::string line =
        fmt::format("{} {} {}", launch::name_of(report.submission.scheduler), report.submission.id, phase);
    if (!report.state.word.empty()) line += " " + report.state.word;
    if (report.exit_code) line += fmt::format(" exit {}", *report.exit_code);
    base::log().print(line + "\n");
    return;
  }
  const auto quoted = [](const std::string& text) { return base::json_quote(text); };
  base::log().print(fmt::format(
      "{{\"schema\":\"lbann-launch/1\",\"scheduler\":{},\"job\":{},\"run_dir\":{},\"phase\":{},\"state\":{},"
      "\"exit_code\":{}}}\n",
      quoted(launch::name_of(report.submission.scheduler)), quoted(report.submission.id),
      quoted(report.run_dir), quoted(phase), quoted(report.state.word),
      report.exit_code ? std::to_string(*report.exit_code) : "null"));
}

}  // namespace lbann::tools
