// early_stopping: ends training when the validation objective has not fallen for `patience` evaluations.
//
// As LBANN counts: an evaluation that is not strictly better than the best stops the run if `patience` such
// have been let pass since, so patience 0 stops at the first one. NaN is never better. A tournament's
// evaluations do not count.
#include <limits>

#include <fmt/format.h>

#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"

namespace lbann::train {
namespace {

class EarlyStopping final : public Callback {
public:
  EarlyStopping(Speaker who, std::int64_t patience) : who_(std::move(who)), patience_(patience) {}

  void on_evaluation_end(const RunInfo&, const EpochInfo& info) override {
    if (info.mode != DataMode::validation) return;
    const double score = info.stats->objective();
    if (score < best_) {
      base::log().data(fmt::format("Model {} early stopping: score is improving {} >> {}\n", who_.instance,
                                   console_number(best_), console_number(score)));
      best_ = score;
      wait_ = 0;
    } else if (wait_ >= patience_) {
      base::log().data(fmt::format(
          "Model {} terminating training due to early stopping: {} score and {} best last score\n",
          who_.instance, console_number(score), console_number(best_)));
      stop_ = true;
    } else {
      ++wait_;
    }
  }
  bool wants_stop() const override { return stop_; }

  std::string_view state_name() const override { return "early_stopping"; }
  void save_state(StateWriter out) const override {
    out.put("best", best_);
    out.put("wait", wait_);
    out.put("stop", std::int64_t{stop_ ? 1 : 0});
  }
  void load_state(const StateReader& in) override {
    best_ = in.number("best");
    wait_ = in.integer("wait");
    stop_ = in.integer("stop") != 0;
  }

private:
  Speaker who_;
  std::int64_t patience_;
  double best_ = std::numeric_limits<double>::infinity();
  std::int64_t wait_ = 0;
  bool stop_ = false;
};

}  // namespace

std::unique_ptr<Callback> make_early_stopping_callback(Speaker who, std::int64_t patience) {
  return std::make_unique<EarlyStopping>(std::move(who), patience);
}

}  // namespace lbann::train
