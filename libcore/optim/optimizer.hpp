// Optimizers as data: which `update` rule, which states, and the values of its step scalars.
//
// Rules and formulas stand in docs/primitives.md. The step count t of a weight starts at 1 with its first
// update. There are no hidden defaults: what the user does not write is 0, as in LBANN.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "optim/finding.hpp"

namespace lbann::optim {

enum class OptimizerKind { none, sgd, adagrad, rmsprop, adam };

/// Fields a kind does not have are ignored.
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::none;
  double learn_rate = 0;
  double momentum = 0;      // sgd
  bool nesterov = false;    // sgd
  double decay_rate = 0;    // rmsprop
  double beta1 = 0;         // adam
  double beta2 = 0;         // adam
  double eps = 0;           // adagrad, rmsprop, adam
  double weight_decay = 0;  // adam: decoupled (AdamW)

  bool operator==(const OptimizerConfig&) const = default;
};

/// The field of the Optimizer message: "sgd", "adam", ...; "no_optimizer".
std::string_view to_string(OptimizerKind kind);

struct UpdateRule {
  std::string_view name;                 // `rule` of the update primitive
  std::vector<std::string_view> slots;   // step scalars, in order
  std::vector<std::string_view> states;  // names in checkpoints, in order; each is as large as the weight
};

/// The rule of an optimizer; sgd has three, and without momentum no state. Not for OptimizerKind::none.
const UpdateRule& update_rule(const OptimizerConfig& config);

/// The values of the rule's slots at step t >= 1 with the present learning rate.
std::vector<double> scalars_at(const OptimizerConfig& config, double learn_rate, std::int64_t t);

/// Values outside their range.
std::vector<Finding> check_optimizer(const OptimizerConfig& config);

/// base^t by repeated squaring: only products, so the same bits on every machine.
double int_power(double base, std::int64_t t);

}  // namespace lbann::optim
