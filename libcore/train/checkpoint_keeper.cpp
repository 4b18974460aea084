// See checkpoint_keeper.hpp. Console lines of the LBANN form are those of LBANN's callback.
#include "train/checkpoint_keeper.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "checkpoint/container.hpp"
#include "train/console.hpp"
#include "train/save.hpp"

namespace lbann::train {
namespace {

using Clock = std::chrono::steady_clock;

/// The manifest, headers of HDF5 and folders: more than they need for a thousand arrays.
constexpr std::int64_t overhead_bytes = 1 << 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0) {
    base::sync_folder(base::folder_of(path));
  } else if (errno != EEXIST) {
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot make the folder '{}': {}", path, std::strerror(errno)));
  }
}

std::string_view hook_of(Phase phase) {
  switch (phase) {
    case Phase::epoch_begin:
      return "epoch_begin";
    case Phase::training:
      return "training_batch_begin";
    case Phase::validation:
    case Phase::test:
      return "validation_begin";
    case Phase::finished:
      return "training_end";
  }
  return "";
}

}  // namespace

CheckpointKeeper::CheckpointKeeper(KeeperSettings settings)
  : settings_(std::move(settings)), last_time_(Clock::now()) {}

bool CheckpointKeeper::is_due(const Boundary& b) const {
  if (b.start) return false;
  if (b.phase == Phase::epoch_begin)
    return settings_.every_epochs > 0 && b.epoch > 0 && b.epoch % settings_.every_epochs == 0;
  if (b.phase != Phase::training) return false;
  if (settings_.every_steps > 0 && b.training_steps % settings_.every_steps == 0) return true;
  return settings_.every_seconds > 0 && seconds_since(last_time_) >= settings_.every_seconds;
}

CheckpointKeeper::Place CheckpointKeeper::place_of(const Trainer& trainer) {
  return {trainer.phase(), trainer.epoch(), trainer.training_steps(), trainer.phase_steps()};
}

void CheckpointKeeper::set_resumed(const Trainer& trainer, const std::string& dir) {
  last_place_ = place_of(trainer);
  last_dir_ = dir;
}

void CheckpointKeeper::check_room(const Trainer& trainer) const {
  struct statvfs info {};
  // Who cannot tell lets the write find out.
  if (::statvfs(settings_.root.c_str(), &info) != 0 || info.f_frsize == 0) return;
  const std::int64_t needed = checkpoint_bytes(trainer) + overhead_bytes;
  const auto blocks = static_cast<std::uint64_t>(needed) / info.f_frsize + 1;
  if (info.f_bavail >= blocks) return;
  throw base::Error(base::ExitCode::storage,
                    fmt::format("not enough room for a checkpoint in '{}': {} bytes needed, {} free",
                                settings_.root, needed, info.f_bavail * info.f_frsize),
                    "older checkpoints are untouched");
}

std::string CheckpointKeeper::save(const Trainer& trainer) {
  if (place_of(trainer) == last_place_) return last_dir_;
  const auto start = Clock::now();
  if (!settings_.writes) {
    last_place_ = place_of(trainer);
    last_time_ = start;
    return last_dir_;
  }
  if (settings_.hook_names) make_folder(base::folder_of(settings_.root));
  make_folder(settings_.root);
  check_room(trainer);
  const std::int64_t step = trainer.training_steps(), epoch = trainer.epoch();
  const std::string hook(hook_of(trainer.phase()));
  const std::string name =
      settings_.hook_names ? checkpoint::make_hook_name(hook, epoch, step) : checkpoint::make_step_name(step);
  const std::string dir = settings_.root + "/" + name;
  if (settings_.hook_names)
    base::log().data(fmt::format("[{}.0] Checkpoint [{}] to {} : epoch {} step {} ...\n",
                                 trainer.info().model, hook, settings_.root, epoch, step));
  const std::int64_t bytes = save_training(trainer, dir, settings_.identity);
  checkpoint::check_checkpoint(dir);
  if (settings_.hook_names)
    base::atomic_write_file(settings_.root + "/sgd.last.shared.checkpoint",
                            fmt::format("hook={} epoch={} step={}\n", hook, epoch, step));
  last_place_ = place_of(trainer);
  last_dir_ = dir;
  const double seconds = seconds_since(start);
  longest_save_ = std::max(longest_save_, seconds);
  last_time_ = Clock::now();
  if (settings_.hook_names)
    base::log().data(fmt::format(
        "[{}.0] Checkpoint [{}] to {} complete: Epoch={} Step={} ({:f} secs, {} bytes, {:f} MB/sec)\n",
        trainer.info().model, hook, settings_.root, epoch, step, seconds, bytes,
        static_cast<double>(bytes) / 1e6 / std::max(seconds, 1e-9)));
  prune();
  return dir;
}

void CheckpointKeeper::prune() const {
  if (settings_.keep <= 0) return;
  const std::vector<std::string> names = checkpoint::list_checkpoints(settings_.root);
  for (std::size_t i = static_cast<std::size_t>(settings_.keep); i < names.size(); ++i) {
    checkpoint::remove_checkpoint(settings_.root + "/" + names[i]);
  }
}

}  // namespace lbann::train
