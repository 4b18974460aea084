// See optimizer.hpp.
#include "optim/optimizer.hpp"

#include <fmt/format.h>

#include <cmath>

namespace lbann::optim {

std::string_view to_string(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::none:
      return "no_optimizer";
    case OptimizerKind::sgd:
      return "sgd";
    case OptimizerKind::adagrad:
      return "adagrad";
    case OptimizerKind::rmsprop:
      return "rmsprop";
    case OptimizerKind::adam:
      return "adam";
  }
  return "?";
}

const UpdateRule& update_rule(const OptimizerConfig& config) {
  static const UpdateRule sgd{"sgd", {"lr"}, {}};
  static const UpdateRule momentum{"momentum", {"lr", "mu"}, {"velocity"}};
  static const UpdateRule nesterov{"nesterov", {"lr", "mu"}, {"velocity"}};
  static const UpdateRule adagrad{"adagrad", {"lr", "eps"}, {"cache"}};
  static const UpdateRule rmsprop{"rmsprop", {"lr", "decay", "eps"}, {"cache"}};
  static const UpdateRule adam{
      "adam", {"lr", "beta1", "beta2", "eps", "weight_decay", "beta1^t", "beta2^t"}, {"moment1", "moment2"}};
  switch (config.kind) {
    case OptimizerKind::sgd:
      if (config.momentum == 0) return sgd;
      return config.nesterov ? nesterov : momentum;
    case OptimizerKind::adagrad:
      return adagrad;
    case OptimizerKind::rmsprop:
      return rmsprop;
    case OptimizerKind::adam:
      return adam;
    case OptimizerKind::none:
      break;
  }
  throw base::Error(base::ExitCode::internal, "no update rule without an optimizer");
}

std::vector<double> scalars_at(const OptimizerConfig& c, double learn_rate, std::int64_t t) {
  switch (c.kind) {
    case OptimizerKind::sgd:
      if (c.momentum == 0) return {learn_rate};
      return {learn_rate, c.momentum};
    case OptimizerKind::adagrad:
      return {learn_rate, c.eps};
    case OptimizerKind::rmsprop:
      return {learn_rate, c.decay_rate, c.eps};
    case OptimizerKind::adam:
      return {learn_rate,           c.beta1, c.beta2, c.eps, c.weight_decay, int_power(c.beta1, t),
              int_power(c.beta2, t)};
    case OptimizerKind::none:
      break;
  }
  return {};
}

std::vector<Finding> check_optimizer(const OptimizerConfig& c) {
  std::vector<Finding> findings;
  const auto check = [&](bool ok, std::string_view field, double value, std::string_view range) {
    if (ok && std::isfinite(value)) return;
    findings.push_back(
        {"value-out-of-range", fmt::format("{} = {}, must be {}", field, value, range), std::string(field)});
  };
  const auto not_negative = [&](std::string_view field, double v) { check(v >= 0, field, v, "at least 0"); };
  const auto fraction = [&](std::string_view field, double v) {
    check(v >= 0 && v < 1, field, v, "at least 0 and less than 1");
  };
  if (c.kind == OptimizerKind::none) return findings;
  not_negative("learn_rate", c.learn_rate);
  if (c.kind == OptimizerKind::sgd) fraction("momentum", c.momentum);
  if (c.kind == OptimizerKind::rmsprop) fraction("decay_rate", c.decay_rate);
  if (c.kind == OptimizerKind::adam) {
    fraction("beta1", c.beta1);
    fraction("beta2", c.beta2);
    not_negative("adamw_weight_decay", c.weight_decay);
  }
  if (c.kind != OptimizerKind::sgd) not_negative("eps", c.eps);
  return findings;
}

double int_power(double base, std::int64_t t) {
  double result = 1;
  for (double square = base; t > 0; t /= 2, square *= square) {
    if (t % 2 == 1) result *= square;
  }
  return result;
}

}  // namespace lbann::optim
