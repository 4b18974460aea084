// Files of a run directory: see run_dir.hpp.
#include "lbann-launch/run_dir.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/files.hpp"
#include "launch/affinity.hpp"
#include "launch/script.hpp"

namespace lbann::tools {

namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Something ran here: a folder that was only set up, or whose submission was refused, is free.
bool was_used(const std::string& run_dir) {
  for (const char* name : {"/jobs", "/out.log", "/log.jsonl", "/ckpt"})
    if (exists(run_dir + name)) return true;
  return false;
}

void write_new(const std::string& path, const std::string& text, bool overwrite) {
  if (exists(path)) {
    if (base::read_file(path) == text) return;
    if (!overwrite && was_used(base::folder_of(path)))
      throw base::Error(base::ExitCode::storage, fmt::format("'{}' belongs to another run", path),
                        "choose another --run-dir, or replace it with --overwrite");
  }
  base::atomic_write_file(path, text);
}

}  // namespace

void write_run_dir(const LaunchOptions& o, const std::string& experiment) {
  const launch::Job& job = o.job;
  std::error_code failed;
  fs::create_directories(job.run_dir, failed);
  if (failed)
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot make the folder '{}': {}", job.run_dir, failed.message()));
  if (!experiment.empty()) {
    const std::string copy = job.run_dir + "/experiment" + fs::path(experiment).extension().string();
    std::error_code ignored;
    if (!fs::equivalent(experiment, copy, ignored)) write_new(copy, base::read_file(experiment), o.overwrite);
  }
  write_new(job.script_file, launch::script_text(job), o.overwrite);
  if (::chmod(job.script_file.c_str(), 0755) != 0)
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot make '{}' executable: {}", job.script_file, std::strerror(errno)));
  base::atomic_write_file(job.run_dir + "/ranks.txt", launch::rank_map_text(job.allocation));
  for (const char* name : {"cancelled", "restarts", "exit_code"})
    fs::remove(job.run_dir + "/" + name, failed);
}

std::vector<Submission> read_submissions(const std::string& run_dir) {
  std::vector<Submission> out;
  const std::string path = run_dir + "/jobs";
  if (!exists(path)) return out;
  const std::string text = base::read_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t blank = line.find(' ');
    for (int i = 0; i <= static_cast<int>(launch::Scheduler::local); ++i) {
      const auto scheduler = static_cast<launch::Scheduler>(i);
      if (blank != std::string::npos && line.substr(0, blank) == launch::name_of(scheduler))
        out.push_back({scheduler, line.substr(blank + 1)});
    }
  }
  return out;
}

void note_submission(const std::string& run_dir, const Submission& submission) {
  const std::string path = run_dir + "/jobs";
  const std::string before = exists(path) ? base::read_file(path) : "";
  base::atomic_write_file(
      path, before + fmt::format("{} {}\n", launch::name_of(submission.scheduler), submission.id));
}

std::optional<int> try_read_exit_code(const std::string& run_dir) {
  const std::string path = run_dir + "/exit_code";
  if (!exists(path)) return std::nullopt;
  const std::string text = base::read_file(path);
  int code = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), code);
  if (result.ec != std::errc()) return std::nullopt;
  return code;
}

}  // namespace lbann::tools
