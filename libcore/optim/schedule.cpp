// See schedule.hpp; one overload per schedule.
#include "optim/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "optim/optimizer.hpp"

namespace lbann::optim {
namespace {

struct Moment {
  double base;
  std::int64_t epoch, step, drops;
};

double rate(const StepSchedule& s, const Moment& m) { return m.base * int_power(s.amt, m.epoch / s.step); }

double rate(const SetSchedule& s, const Moment& m) {
  return m.epoch >= std::max<std::int64_t>(s.step, 1) ? s.val : m.base;
}

double rate(const DropFixedSchedule& s, const Moment& m) {
  const std::set<std::int64_t> drops(s.drop_epochs.begin(), s.drop_epochs.end());
  return m.base * int_power(s.amt, std::count_if(drops.begin(), drops.end(),
                                                 [&](std::int64_t e) { return e >= 1 && e <= m.epoch; }));
}

double rate(const LinearGrowthSchedule& s, const Moment& m) {
  if (m.epoch < s.delay) return m.base;
  const std::int64_t grown = std::min(m.epoch - s.delay, s.num_epochs);
  return m.base + (s.target - m.base) / static_cast<double>(s.num_epochs) * static_cast<double>(grown);
}

double rate(const PolySchedule& s, const Moment& m) {
  const double left = static_cast<double>(s.max_iter - std::min(m.step, s.max_iter));
  return (m.base - s.end_lr) * std::pow(left / static_cast<double>(s.max_iter), s.power) + s.end_lr;
}

double rate(const CosineSchedule& s, const Moment& m) {
  if (m.step < s.warmup_steps) {
    const double done = static_cast<double>(m.step) / static_cast<double>(s.warmup_steps);
    return s.initial + (s.lr_max - s.initial) * done;
  }
  if (m.step - s.warmup_steps >= s.decay_steps) return s.lr_min;
  const double done = static_cast<double>(m.step - s.warmup_steps) / static_cast<double>(s.decay_steps);
  return s.lr_min + (s.lr_max - s.lr_min) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

double rate(const AdaptiveSchedule& s, const Moment& m) { return m.base * int_power(s.amt, m.drops); }

struct Checker {
  std::vector<Finding>& findings;

  void at_least(std::string_view field, double value, double low) const {
    if (value >= low && std::isfinite(value)) return;
    findings.push_back({"value-out-of-range", fmt::format("{} = {}, must be at least {}", field, value, low),
                        std::string(field)});
  }
  void count(std::string_view field, std::int64_t value, std::int64_t low) const {
    at_least(field, static_cast<double>(value), static_cast<double>(low));
  }

  void operator()(const StepSchedule& s) const {
    count("step", s.step, 1);
    at_least("amt", s.amt, 0);
  }
  void operator()(const SetSchedule& s) const {
    count("step", s.step, 0);
    at_least("val", s.val, 0);
  }
  void operator()(const DropFixedSchedule& s) const { at_least("amt", s.amt, 0); }
  void operator()(const LinearGrowthSchedule& s) const {
    at_least("target", s.target, 0);
    count("num_epochs", s.num_epochs, 1);
    count("delay", s.delay, 0);
  }
  void operator()(const PolySchedule& s) const {
    at_least("power", s.power, 0);
    count("max_iter", s.max_iter, 1);
    at_least("end_lr", s.end_lr, 0);
  }
  void operator()(const CosineSchedule& s) const {
    at_least("lr_max", s.lr_max, 0);
    at_least("lr_min", s.lr_min, 0);
    at_least("initial_warmup_learning_rate", s.initial, 0);
    count("decay_steps", s.decay_steps, 1);
    count("warmup_steps", s.warmup_steps, 0);
  }
  void operator()(const AdaptiveSchedule& s) const {
    count("patience", s.patience, 0);
    at_least("amt", s.amt, 0);
  }
};

}  // namespace

bool AdaptiveState::end_epoch(const AdaptiveSchedule& schedule, double score) {
  if (score < best) {
    best = score;
    wait = 0;
  } else if (wait >= schedule.patience) {
    best = score;
    wait = 0;
    ++drops;
    return true;
  } else {
    ++wait;
  }
  return false;
}

double learning_rate_at(const Schedule& schedule, double base, std::int64_t epoch, std::int64_t step,
                        std::int64_t drops) {
  const Moment moment{base, epoch, step, drops};
  return std::visit([&](const auto& s) { return rate(s, moment); }, schedule);
}

std::vector<Finding> check_schedule(const Schedule& schedule) {
  std::vector<Finding> findings;
  std::visit(Checker{findings}, schedule);
  return findings;
}

}  // namespace lbann::optim
