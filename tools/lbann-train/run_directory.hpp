// The run directory and what a new attempt finds in it: which checkpoint to go on from, what is set aside.
//
//   config.resolved.prototext  run.json  log.jsonl  ckpt/step-XXXXXXXX/  failure.json
//
// Nothing of the user's is deleted: what does not belong to this run any more is renamed to
// <name>.set-aside (the one before of that name goes).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/container.hpp"
#include "common/train_options.hpp"
#include "log/run_record.hpp"
#include "model/settings.hpp"
#include "train/checkpoint_keeper.hpp"

namespace lbann::tools {

/// One process writes to a run directory at a time: the folder (made when it is not there) is locked until
/// the end. Throws base::Error (environment) when another process has it. Empty name: nothing to lock.
class RunLock {
public:
  explicit RunLock(const std::string& run_dir);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

private:
  int fd_ = -1;
};

/// Folders of checkpoints of this run, in the order of the keepers: of --run-dir, of the checkpoint
/// callbacks.
struct CheckpointRoots {
  std::vector<train::KeeperSettings> keepers;
  std::vector<std::string> search;  // where --resume=auto looks
};
CheckpointRoots choose_roots(const TrainOptions& options, const model::TrainingSettings& settings);

/// The checkpoint to go on from as --resume says; nothing: begin anew. Throws base::Error (checkpoint).
std::optional<checkpoint::FoundCheckpoint> find_resume_point(const TrainOptions& options,
                                                             const CheckpointRoots& roots);

/// Sets aside what would be taken for this run's: all checkpoints without a resume point, otherwise those
/// younger than it, which were refused or are given up. Only in folders this run writes to.
void set_aside_others(const CheckpointRoots& roots, const checkpoint::FoundCheckpoint* resumed);

/// Makes the folder, writes configuration and run.json, removes leftovers; the log of another experiment
/// or of a run begun anew is set aside. Returns what run.json says. `run`: digest of the experiment.
log::RunInfo open_run_directory(const TrainOptions& options, const std::string& run,
                                const std::string& resolved, std::uint64_t seed, std::int64_t threads,
                                const checkpoint::FoundCheckpoint* resumed);

double unix_time();

}  // namespace lbann::tools
