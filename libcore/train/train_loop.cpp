// The loop of a run as a walk through phases, so that it can be left after any step and entered again there:
//
//   epoch_begin -> training (phase_steps_ of the epoch's mini-batches done) -> validation -> epoch_begin ...
//   epoch_begin, when the end is reached -> test -> finished
//
// `phase_`, `phase_steps_` and `stats_` are the place; save_state() adds the counters and positions.
#include <algorithm>

#include <fmt/format.h>

#include "train/host_span.hpp"
#include "train/trainer.hpp"

namespace lbann::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr Phase all_phases[] = {Phase::epoch_begin, Phase::training, Phase::validation, Phase::test,
                                Phase::finished};
constexpr DataMode all_modes[] = {DataMode::training, DataMode::validation, DataMode::test,
                                  DataMode::tournament};

Phase phase_of(const std::string& word) {
  for (const Phase p : all_phases) {
    if (to_string(p) == word) return p;
  }
  throw base::Error(base::ExitCode::checkpoint,
                    fmt::format("the checkpoint has the unknown phase '{}'", word));
}

Phase phase_of_evaluation(DataMode mode) { return mode == DataMode::test ? Phase::test : Phase::validation; }

/// Is there training left to do after the place where the limits ended it?
bool wants_more(const StateReader& saved, std::int64_t num_epochs, std::int64_t max_training_steps) {
  if (saved.integer("stop_requested") != 0) return false;
  const StateReader last = saved.section("before_end");
  if (max_training_steps >= 0) return last.section("training").integer("steps") < max_training_steps;
  return last.integer("epoch") < num_epochs;
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::epoch_begin:
      return "epoch_begin";
    case Phase::training:
      return "training";
    case Phase::validation:
      return "validation";
    case Phase::test:
      return "test";
    case Phase::finished:
      return "finished";
  }
  return "";
}

StepInfo Trainer::train_step() {
  const auto start = Clock::now();
  const data::Batch& batch = next_batch(DataMode::training);
  StepInfo info = run_batch(DataMode::training, batch);
  info.seconds = seconds_since(start);
  return info;
}

const data::Batch& Trainer::next_batch(DataMode mode) {
  const HostSpan span(profiler_, "wait for data");
  return pipelines_.at(mode)->next();
}

void Trainer::end_step(const StepInfo& info) {
  const HostSpan span(profiler_, "callbacks after a step");
  for (auto& callback : callbacks_) callback->on_step_end(info_, info);
}

EpochStats Trainer::evaluate(DataMode mode) {
  begin_phase(phase_of_evaluation(mode));
  if (pipelines_.count(mode) > 0) run_evaluation(mode);
  phase_ = Phase::epoch_begin;
  return stats_;
}

bool Trainer::out_of_time() const {
  double over = seconds_since(train_start_) >= config_.max_seconds ? 1 : 0;
  if (world_->size() > 1) world_->all_reduce({&over, 1}, comm::ReduceOp::max);
  return over != 0;
}

bool Trainer::reached_limit() const {
  return (config_.max_steps >= 0 && training_steps() >= config_.max_steps) ||
         (config_.max_training_steps >= 0 && training_steps() >= config_.max_training_steps) ||
         (config_.max_seconds >= 0 && out_of_time());
}

bool Trainer::reached_end() const {
  return epoch_ >= config_.num_epochs || stop_requested_ || reached_limit();
}

bool Trainer::may_go_on(double step_seconds, bool start) {
  const HostSpan span(profiler_, "checkpoints, signals, limits");
  return !monitor_ || monitor_({phase_, epoch_, training_steps(), step_seconds, start});
}

void Trainer::begin_phase(Phase phase) {
  phase_ = phase;
  phase_steps_ = 0;
  stats_.begin();
  phase_start_ = Clock::now();
}

bool Trainer::run_training_epoch() {
  while (phase_steps_ < info_.training.num_batches && !reached_limit()) {
    StepInfo info = train_step();
    info.epoch = epoch_;
    stats_.add_step(info.objective, info.metrics, info.size, info.seconds);
    ++phase_steps_;
    end_step(info);
    if (!may_go_on(info.seconds)) return false;
  }
  // An epoch cut short ends like a whole one; who allows more steps goes on from here.
  if (phase_steps_ < info_.training.num_batches) keep_state_before_end();
  EpochInfo end{DataMode::training, epoch_, training_steps(), &stats_, seconds_since(phase_start_)};
  end_epoch_of_schedules();
  for (auto& callback : callbacks_) callback->on_epoch_end(info_, end);
  return true;
}

bool Trainer::run_evaluation(DataMode mode) {
  data::Pipeline& pipeline = *pipelines_.at(mode);
  const std::int64_t limit =
      config_.max_steps >= 0 ? std::min(config_.max_steps, pipeline.num_batches()) : pipeline.num_batches();
  while (phase_steps_ < limit) {
    const auto start = Clock::now();
    const data::Batch& batch = next_batch(mode);
    StepInfo info = run_batch(mode, batch);
    info.seconds = seconds_since(start);
    stats_.add_step(info.objective, info.metrics, info.size, info.seconds);
    ++phase_steps_;
    end_step(info);
    if (!may_go_on(info.seconds)) return false;
  }
  // Cut short: the next pass begins at the beginning again.
  if (limit < pipeline.num_batches()) pipeline.seek(pipeline.position().first + 1, 0);
  return true;
}

void Trainer::keep_state_before_end() {
  before_end_.clear();
  save_position(StateWriter(before_end_));
}

void Trainer::begin_test() {
  if (before_end_.empty()) keep_state_before_end();
  begin_phase(Phase::test);
}

bool Trainer::train() {
  if (pipelines_.count(DataMode::training) == 0) {
    throw base::Error(base::ExitCode::config, "there is no training data",
                      "add a reader with role: \"train\"");
  }
  train_start_ = phase_start_ = Clock::now();
  if (resumed_) {
    const bool in_epoch = phase_ != Phase::epoch_begin;
    const DataMode mode = phase_ == Phase::validation ? DataMode::validation
                          : phase_ == Phase::test     ? DataMode::test
                                                      : DataMode::training;
    for (auto& callback : callbacks_)
      callback->on_resume(info_, {mode, epoch_, training_steps(), phase_steps_, in_epoch});
  } else {
    for (auto& callback : callbacks_) callback->on_train_begin(info_);
  }
  if (!may_go_on(0, true)) return false;
  for (;;) {
    if (phase_ == Phase::epoch_begin && reached_end()) begin_test();
    if (phase_ == Phase::epoch_begin) {
      for (auto& callback : callbacks_) callback->on_epoch_begin(info_, epoch_);
      begin_phase(Phase::training);
    }
    if (phase_ == Phase::training) {
      if (!run_training_epoch()) return false;
      begin_phase(Phase::validation);
    }
    if (phase_ == Phase::validation) {
      if (pipelines_.count(DataMode::validation) > 0) {
        if (!run_evaluation(DataMode::validation)) return false;
        EpochInfo done{DataMode::validation, epoch_, training_steps(), &stats_, seconds_since(phase_start_)};
        for (auto& callback : callbacks_) callback->on_evaluation_end(info_, done);
      }
      for (auto& callback : callbacks_) stop_requested_ = stop_requested_ || callback->wants_stop();
      ++epoch_;
      begin_phase(Phase::epoch_begin);
      if (!may_go_on()) return false;
    }
    if (phase_ == Phase::test) {
      if (pipelines_.count(DataMode::test) > 0) {
        if (!run_evaluation(DataMode::test)) return false;
        EpochInfo done{DataMode::test, std::max<std::int64_t>(epoch_ - 1, 0), training_steps(), &stats_,
                       seconds_since(phase_start_)};
        for (auto& callback : callbacks_) callback->on_evaluation_end(info_, done);
      }
      info_.memory = memory_use();
      for (auto& callback : callbacks_) callback->on_train_end(info_);
      begin_phase(Phase::finished);
    }
    if (phase_ == Phase::finished) return true;
  }
}

void Trainer::save_position(StateWriter out) const {
  out.put("phase", std::string(to_string(phase_)));
  out.put("phase_steps", phase_steps_);
  out.put("epoch", epoch_);
  out.put("optimizer_steps", optimizer_step_);
  out.put("stop_requested", std::int64_t{stop_requested_ ? 1 : 0});
  for (const DataMode mode : all_modes) {
    const auto pipeline = pipelines_.find(mode);
    if (pipeline == pipelines_.end()) continue;
    const StateWriter section = out.section(std::string(to_string(mode)));
    const auto steps = steps_.find(mode);
    section.put("steps", steps == steps_.end() ? std::int64_t{0} : steps->second);
    section.put("draws", static_cast<std::int64_t>(random_draws(mode)));
    section.put("data_epoch", pipeline->second->position().first);
    section.put("data_batch", pipeline->second->position().second);
  }
  for (std::size_t i = 0; i < adaptive_.size(); ++i) {
    if (!std::holds_alternative<optim::AdaptiveSchedule>(config_.schedules[i].schedule)) continue;
    const StateWriter section = out.section(fmt::format("schedule.{}", i));
    section.put("best", adaptive_[i].best);
    section.put("wait", adaptive_[i].wait);
    section.put("drops", adaptive_[i].drops);
  }
  stats_.save_state(out.section("sums"));
  std::map<std::string, int> count;
  for (const auto& callback : callbacks_) {
    const std::string name(callback->state_name());
    if (name.empty()) continue;
    callback->save_state(out.section(fmt::format("callback.{}{}", name, ++count[name])));
  }
}

checkpoint::Scalars Trainer::save_state() const {
  checkpoint::Scalars result;
  save_position(StateWriter(result));
  StateWriter(result).put("seed", static_cast<std::int64_t>(config_.seed));
  for (const auto& [name, value] : before_end_) result.emplace("before_end." + name, value);
  return result;
}

bool Trainer::is_finished(const checkpoint::Scalars& saved, std::int64_t num_epochs,
                          std::int64_t max_training_steps) {
  const StateReader in(saved);
  return phase_of(in.text("phase")) == Phase::finished && !wants_more(in, num_epochs, max_training_steps);
}

void Trainer::restore_state(const checkpoint::Scalars& saved) {
  const StateReader whole(saved);
  if (static_cast<std::uint64_t>(whole.integer("seed")) != config_.seed) {
    throw base::Error(base::ExitCode::checkpoint,
                      fmt::format("the checkpoint was made with seed {}, this run has {}",
                                  whole.integer("seed"), config_.seed));
  }
  before_end_ = whole.extract("before_end");
  const bool extends = !before_end_.empty() && config_.max_steps < 0 &&
                       wants_more(whole, config_.num_epochs, config_.max_training_steps);
  const checkpoint::Scalars start = extends ? std::move(before_end_) : saved;
  if (extends) before_end_.clear();
  const StateReader in(start);
  phase_ = phase_of(in.text("phase"));
  phase_steps_ = in.integer("phase_steps");
  epoch_ = in.integer("epoch");
  optimizer_step_ = in.integer("optimizer_steps");
  stop_requested_ = in.integer("stop_requested") != 0;
  for (const auto& [mode, pipeline] : pipelines_) {
    const StateReader section = in.section(std::string(to_string(mode)));
    steps_[mode] = section.integer("steps");
    draws_[mode] = static_cast<std::uint64_t>(section.integer("draws"));
    pipeline->seek(section.integer("data_epoch"), section.integer("data_batch"));
  }
  for (std::size_t i = 0; i < adaptive_.size(); ++i) {
    if (!std::holds_alternative<optim::AdaptiveSchedule>(config_.schedules[i].schedule)) continue;
    const StateReader section = in.section(fmt::format("schedule.{}", i));
    adaptive_[i] = {section.number("best"), section.integer("wait"), section.integer("drops")};
  }
  stats_.load_state(in.section("sums"));
  std::map<std::string, int> count;
  for (const auto& callback : callbacks_) {
    const std::string name(callback->state_name());
    if (name.empty()) continue;
    callback->load_state(in.section(fmt::format("callback.{}{}", name, ++count[name])));
  }
  resumed_ = true;
}

}  // namespace lbann::train
