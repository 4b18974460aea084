// Learning-rate schedules as pure functions of epoch and step, so that a resumed run needs no saved value.
//
// `epoch` is the number of epochs finished, `step` the number of optimizer steps done; `base` is the
// optimizer's own learn_rate. LBANN multiplies at each epoch end instead; the values agree up to rounding.
// Only the adaptive schedule depends on how training went: its AdaptiveState is saved with a checkpoint.
#pragma once

#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "optim/finding.hpp"

namespace lbann::optim {

/// Times `amt` after every `step` epochs.
struct StepSchedule {
  std::int64_t step = 0;
  double amt = 0;
};
/// `val` from epoch `step` on.
struct SetSchedule {
  std::int64_t step = 0;
  double val = 0;
};
/// Times `amt` after each of the epochs listed; 0 and repetitions do not count.
struct DropFixedSchedule {
  std::vector<std::int64_t> drop_epochs;
  double amt = 0;
};
/// A straight line from `base` at epoch `delay` to `target` `num_epochs` later.
struct LinearGrowthSchedule {
  double target = 0;
  std::int64_t num_epochs = 0;
  std::int64_t delay = 0;
};
/// (base - end_lr) ((max_iter - step) / max_iter)^power + end_lr, constant after max_iter.
struct PolySchedule {
  double power = 0;
  std::int64_t max_iter = 0;  // the caller has put num_epochs x steps per epoch where the user gave none
  double end_lr = 0;
};
/// A line from `initial` to lr_max over the warm-up, half a cosine down to lr_min, then lr_min. `base` is
/// unused.
struct CosineSchedule {
  double lr_max = 0;
  double lr_min = 0;
  std::int64_t decay_steps = 0;
  double initial = 0;
  std::int64_t warmup_steps = 0;
};

/// Times `amt` when the training objective has not fallen for `patience` epochs and does not fall again.
struct AdaptiveSchedule {
  std::int64_t patience = 0;
  double amt = 0;
};

using Schedule = std::variant<StepSchedule, SetSchedule, DropFixedSchedule, LinearGrowthSchedule,
                              PolySchedule, CosineSchedule, AdaptiveSchedule>;

/// Where an adaptive schedule stands.
struct AdaptiveState {
  double best = std::numeric_limits<double>::infinity();
  std::int64_t wait = 0;   // epochs let pass since
  std::int64_t drops = 0;  // times the rate was multiplied

  /// After an epoch with the mean training objective `score`; true: the rate was dropped. A NaN is never
  /// better. What follows a drop is compared with the score at the drop, as LBANN does.
  bool end_epoch(const AdaptiveSchedule& schedule, double score);
};

/// `drops`: of an adaptive schedule's state; the others do not look at it.
double learning_rate_at(const Schedule& schedule, double base, std::int64_t epoch, std::int64_t step,
                        std::int64_t drops = 0);

/// Divisions by zero and values that make no sense. Messages use the field names of LBANN's callbacks.
std::vector<Finding> check_schedule(const Schedule& schedule);

}  // namespace lbann::optim
