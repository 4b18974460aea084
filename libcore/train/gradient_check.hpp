// Compares the gradients that training uses with difference quotients of the objective.
//
// Analytic side: the plan of the trainer itself (its kernels, fusion and layouts), made once more with the
// gradients as outputs. Numeric side: the naive kernels in double, where cancellation leaves 1e-9 instead of
// float's 1e-2. Both work on copies: the training is not touched by a bit. Per entry of every weight
// that is trained:
//
//   d = (-f(w + 2h) + 8 f(w + h) - 8 f(w - h) + f(w - 2h)) / (12 h)       error h^4 f'''''/30
//   allowed error (e |f| / h + h^4 / 18)^0.9,  h = |f| sqrt(e) unless given,  e = (2^-23)^0.9
//
// These are LBANN's step and bound (with |f| where LBANN has f). An entry that fails is tried again with
// h / 1000, which double can afford: a kink of a ReLU within 2h of the point is no wrong gradient.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "train/trainer.hpp"

namespace lbann::train {

struct GradientCheck {
  double objective = 0;
  double step_size = 0;
  double allowed_error = 0;
  struct Entry {
    std::string weights;
    std::int64_t row = 0, column = 0;  // in the weights' matrix
    double weight = 0, analytic = 0, numeric = 0;
    bool failed = false;
    double error() const { return std::fabs(analytic - numeric); }
    double relative_error() const;
  };
  std::vector<Entry> entries;
  std::int64_t num_failures = 0;
};

/// On the first mini-batch of the mode's data, in training or evaluation form as the mode says. `step_size`
/// 0: chosen. `until_failure`: stops at the first entry that fails.
GradientCheck check_gradients(const Trainer& trainer, DataMode mode, double step_size, bool until_failure);

}  // namespace lbann::train
