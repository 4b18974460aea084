// Says after an epoch which rate a learning-rate schedule has reached, in LBANN's words, when it is another
// one than after the epoch before. LBANN's epoch counts from 1 here.
#include <set>

#include <fmt/format.h>

#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"
#include "train/trainer.hpp"

namespace lbann::train {
namespace {

class LearningRateCallback final : public Callback {
public:
  LearningRateCallback(Speaker who, const Trainer& trainer) : who_(std::move(who)), trainer_(trainer) {}

  void on_train_begin(const RunInfo&) override { said_ = trainer_.scheduled_rates(trainer_.epoch()); }
  void on_epoch_end(const RunInfo&, const EpochInfo& info) override {
    const std::vector<double> now = trainer_.scheduled_rates(info.epoch + 1);
    std::set<double> lines;  // schedules of the same weights arrive at one rate
    for (std::size_t i = 0; i < now.size() && i < said_.size(); ++i) {
      if (now[i] == said_[i] || !lines.insert(now[i]).second) continue;
      base::log().data(fmt::format("Model {}: changing global learning rate to {} at epoch {}\n",
                                   who_.instance, console_number(now[i]), info.epoch + 1));
    }
    said_ = now;
  }

  std::string_view state_name() const override { return "learning_rate"; }
  void save_state(StateWriter out) const override {
    for (std::size_t i = 0; i < said_.size(); ++i) out.put(fmt::format("said{}", i), said_[i]);
  }
  void load_state(const StateReader& in) override {
    said_.assign(trainer_.config().schedules.size(), 0);
    for (std::size_t i = 0; i < said_.size(); ++i) said_[i] = in.number(fmt::format("said{}", i));
  }

private:
  Speaker who_;
  const Trainer& trainer_;
  std::vector<double> said_;
};

}  // namespace

std::unique_ptr<Callback> make_learning_rate_callback(Speaker who, const Trainer& trainer) {
  return std::make_unique<LearningRateCallback>(std::move(who), trainer);
}

}  // namespace lbann::train
