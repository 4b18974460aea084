// Keeps the checkpoints of a run in one folder: when one is due, writing it, what is thrown away.
//
// A checkpoint is written aside, synced, renamed (checkpoint/container), then read back and checked; only
// then older ones go. So a full disk, a kill or a damaged write leaves the older ones as they were.
// Two forms: step-XXXXXXXX of a run directory, of which the last few are kept, and the tree of LBANN's
// checkpoint callback, sgd.shared.<hook>.epoch.<E>.step.<S> with a pointer file, which keeps all.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "train/trainer.hpp"

namespace lbann::train {

struct KeeperSettings {
  std::string root;  // holds the checkpoints; made when needed, its parent must exist
  bool hook_names = false;
  std::int64_t every_steps = 0;  // 0: not by steps
  std::int64_t every_epochs = 0;
  double every_seconds = 0;
  std::int64_t keep = 3;              // newest ones; 0: all
  std::vector<std::string> identity;  // of the experiment
  bool writes = true;                 // false: another rank does, this one keeps the books only
};

class CheckpointKeeper {
public:
  explicit CheckpointKeeper(KeeperSettings settings);

  /// By steps and seconds after a training step, by epochs after an epoch and its validation.
  bool is_due(const Boundary& boundary) const;
  /// Saves the trainer as it stands, unless that is the checkpoint written or resumed from last. Returns its
  /// folder. Throws base::Error (storage): not enough room, or the disk refuses; older ones are untouched.
  std::string save(const Trainer& trainer);
  /// The run goes on from this folder: it need not be written again.
  void set_resumed(const Trainer& trainer, const std::string& dir);

  const std::string& root() const { return settings_.root; }
  const std::string& last() const { return last_dir_; }
  /// Of the slowest save so far; 0 before the first.
  double longest_save_seconds() const { return longest_save_; }

private:
  struct Place {
    Phase phase = Phase::epoch_begin;
    std::int64_t epoch = -1, training_steps = -1, phase_steps = -1;
    bool operator==(const Place&) const = default;
  };
  static Place place_of(const Trainer& trainer);
  void check_room(const Trainer& trainer) const;
  void prune() const;

  KeeperSettings settings_;
  Place last_place_;
  std::string last_dir_;
  double longest_save_ = 0;
  std::chrono::steady_clock::time_point last_time_;
};

}  // namespace lbann::train
