// What is asked of a run from outside, looked at after every step: signals, time limits, due checkpoints.
//
// A run stops early only after at least one step, so that a job that is shorter than its own margin still
// gets on. Ownership: trainer and keepers are borrowed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "comm/world.hpp"
#include "train/checkpoint_keeper.hpp"
#include "train/trainer.hpp"

namespace lbann::tools {

struct SupervisorSettings {
  /// When the run must be over; the epoch of the clock: no limit.
  std::chrono::system_clock::time_point deadline{};
  /// The ranks that decide together: what one of them is asked, all do, at the same boundary.
  comm::World* world = nullptr;
};

class Supervisor {
public:
  Supervisor(train::Trainer& trainer, std::vector<train::CheckpointKeeper>& keepers,
             SupervisorSettings settings);

  /// For Trainer::set_monitor: saves when it is time; false: stop here, everything being saved.
  bool at_boundary(const train::Boundary& boundary);
  /// Saves with every keeper.
  void save();
  /// "SIGTERM", "the time limit"; empty: nothing asked the run to stop.
  const std::string& stop_reason() const { return stop_reason_; }

private:
  struct Asked {
    bool checkpoint = false;
    std::vector<bool> due;  // per keeper
  };
  bool out_of_time() const;
  /// What this rank is asked to do, then what any rank is.
  Asked look(const train::Boundary& boundary);
  void print_status(const train::Boundary& boundary);

  train::Trainer& trainer_;
  std::vector<train::CheckpointKeeper>& keepers_;
  SupervisorSettings settings_;
  std::string stop_reason_;
  std::chrono::steady_clock::time_point start_;
  std::int64_t first_step_ = -1;
  double longest_step_ = 0;
  bool stepped_ = false;
};

/// SLURM_JOB_END_TIME and a limit counted from the process's start, whichever comes first. `limit_seconds` 0:
/// none.
std::chrono::system_clock::time_point choose_deadline(double limit_seconds);

}  // namespace lbann::tools
