// See run_directory.hpp.
#include "lbann-train/run_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/log.hpp"
#include "checkpoint/manifest.hpp"
#include "common/version.hpp"

namespace lbann::tools {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

void set_aside(const std::string& path) {
  if (!exists(path)) return;
  const std::string aside = path + ".set-aside";
  std::error_code error;
  fs::remove_all(aside, error);
  if (::rename(path.c_str(), aside.c_str()) != 0)
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot rename '{}': {}", path, std::strerror(errno)));
  base::log().info(fmt::format("note: '{}' is now '{}'", path, aside));
}

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return;
  throw base::Error(base::ExitCode::storage,
                    fmt::format("cannot make the run directory '{}': {}", path, std::strerror(errno)));
}

/// What atomic writes of a killed run left.
void remove_temporaries(const std::string& dir) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    for (const char* file : {"run.json", "config.resolved.prototext", "failure.json"}) {
      if (name.rfind(std::string(file) + ".tmp.", 0) == 0) found.push_back(it->path());
    }
  }
  for (const fs::path& path : found) fs::remove(path, error);
}

std::optional<checkpoint::FoundCheckpoint> find_in(const std::string& place) {
  if (exists(fmt::format("{}/{}", place, checkpoint::manifest_name))) {
    std::string dir = place;
    while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
    return checkpoint::FoundCheckpoint{dir, checkpoint::load_checkpoint(dir), {}};
  }
  for (const std::string& root : {place, place + "/ckpt", place + "/trainer0"}) {
    if (auto found = checkpoint::find_newest(root)) return found;
  }
  return std::nullopt;
}

std::int64_t steps_of(const checkpoint::FoundCheckpoint& found) {
  const auto steps = found.checkpoint.scalars.find("training_steps");
  const auto* value =
      steps == found.checkpoint.scalars.end() ? nullptr : std::get_if<std::int64_t>(&steps->second);
  return value == nullptr ? -1 : *value;
}

}  // namespace

RunLock::RunLock(const std::string& run_dir) {
  if (run_dir.empty()) return;
  make_folder(run_dir);
  fd_ = ::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A file system without locks has nothing better to offer.
  if (fd_ < 0 || ::flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw base::Error(base::ExitCode::environment,
                    fmt::format("another process is writing to the run directory '{}'", run_dir),
                    "wait for its end or choose another --run-dir");
}

RunLock::~RunLock() {
  if (fd_ >= 0) ::close(fd_);
}

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

CheckpointRoots choose_roots(const TrainOptions& options, const model::TrainingSettings& settings) {
  CheckpointRoots roots;
  if (!options.run_dir.empty()) {
    train::KeeperSettings k;
    k.root = options.run_dir + "/ckpt";
    k.every_epochs = options.checkpoint_every.given ? options.checkpoint_every.epochs : 1;
    k.every_steps = options.checkpoint_every.steps;
    k.every_seconds = options.checkpoint_every.seconds;
    k.keep = options.keep_checkpoints.value_or(3);
    roots.search.push_back(k.root);
    roots.keepers.push_back(std::move(k));
  }
  for (const model::CallbackSettings& c : settings.callbacks) {
    if (c.kind != model::CallbackKind::checkpoint) continue;
    train::KeeperSettings k;
    k.root = c.directory + "/trainer0";
    k.hook_names = true;
    k.every_epochs = c.every_epochs;
    k.every_steps = c.every_steps;
    k.every_seconds = c.every_seconds;
    k.keep = 0;
    roots.search.push_back(c.restart_directory.empty() ? k.root : c.restart_directory + "/trainer0");
    // Without any interval it only says where to restart from, as LBANN has it.
    if (c.every_epochs > 0 || c.every_steps > 0 || c.every_seconds > 0) roots.keepers.push_back(std::move(k));
  }
  return roots;
}

std::optional<checkpoint::FoundCheckpoint> find_resume_point(const TrainOptions& options,
                                                             const CheckpointRoots& roots) {
  const std::string resume = options.resume.value_or("auto");
  if (resume == "never") return std::nullopt;
  std::optional<checkpoint::FoundCheckpoint> found;
  if (resume != "auto" && resume != "must") {
    found = find_in(resume);
    if (!found)
      throw base::Error(base::ExitCode::checkpoint, fmt::format("there is no checkpoint in '{}'", resume),
                        "--resume=PATH takes a checkpoint, a folder of checkpoints or a run directory");
  } else {
    for (const std::string& root : roots.search) {
      auto here = checkpoint::find_newest(root);
      if (here && (!found || steps_of(*here) > steps_of(*found))) found = std::move(here);
    }
    if (!found && resume == "must")
      throw base::Error(
          base::ExitCode::checkpoint,
          roots.search.empty()
              ? std::string("--resume=must: this run has no place for checkpoints")
              : fmt::format("--resume=must: there is no checkpoint in '{}'", fmt::join(roots.search, "', '")),
          "give --run-dir=DIR of the run to go on with");
  }
  if (found) {
    for (const std::string& note : found->notes) base::log().warning(note);
  }
  return found;
}

void set_aside_others(const CheckpointRoots& roots, const checkpoint::FoundCheckpoint* resumed) {
  for (const train::KeeperSettings& k : roots.keepers) {
    checkpoint::remove_leftovers(k.root);
    const bool here = resumed != nullptr && base::folder_of(resumed->dir) == k.root;
    for (const std::string& name : checkpoint::list_checkpoints(k.root)) {
      if (here && k.root + "/" + name == resumed->dir) break;  // newest first: the rest is older
      set_aside(k.root + "/" + name);
    }
  }
}

log::RunInfo open_run_directory(const TrainOptions& options, const std::string& run,
                                const std::string& resolved, std::uint64_t seed, std::int64_t threads,
                                const checkpoint::FoundCheckpoint* resumed) {
  log::RunInfo info;
  info.run = run;
  info.seed = static_cast<std::int64_t>(seed);
  info.program = "lbann-train";
  info.version = version();
  info.git = git_id();
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  info.host = host;
  info.started = unix_time();
  info.argv = options.command_line;
  info.threads = threads;
  info.pid = ::getpid();
  info.resumed_step = resumed ? steps_of(*resumed) : -1;
  if (const char* job = std::getenv("SLURM_JOB_ID")) info.job = job;
  if (options.run_dir.empty()) return info;
  remove_temporaries(options.run_dir);
  const std::string run_json = options.run_dir + "/run.json", log_file = options.run_dir + "/log.jsonl";
  bool same = false;
  if (exists(run_json)) {
    try {
      const log::RunInfo before = log::load_run_info(run_json);
      same = before.run == run;
      if (same && options.resume.value_or("auto") != "never") info.attempt = before.attempt + 1;
    } catch (const base::Error&) {
      base::log().warning(fmt::format("'{}' cannot be read; it is replaced", run_json));
    }
  }
  if (const char* restarts = std::getenv("SLURM_RESTART_COUNT")) {
    const auto count = try_parse_integer(restarts);
    if (count && *count >= 0) info.attempt = std::max(info.attempt, *count + 1);
  }
  if (resumed == nullptr && (!same || options.resume.value_or("auto") == "never")) {
    set_aside(log_file);
  } else if (resumed == nullptr && exists(log_file)) {
    // Killed before its first checkpoint: these records are written again.
    log::RecordWriter(log_file).keep_records(0);
  }
  ::unlink((options.run_dir + "/failure.json").c_str());
  base::atomic_write_file(options.run_dir + "/config.resolved.prototext", resolved);
  log::save_run_info(info, run_json);
  return info;
}

}  // namespace lbann::tools
