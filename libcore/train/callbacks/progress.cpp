// progress: drives the progress bar, one bar per epoch and per evaluation.
#include <limits>

#include <fmt/format.h>

#include "train/callbacks/callbacks.hpp"

namespace lbann::train {
namespace {

class ProgressCallback final : public Callback {
public:
  explicit ProgressCallback(ProgressBar::Settings settings) : bar_(std::move(settings)) {}
  ~ProgressCallback() override {
    if (base_set_) base::log().set_overlay(nullptr);
  }

  void on_setup_end(const RunInfo&) override {
    base::log().set_overlay(&bar_);
    base_set_ = true;
  }
  void on_epoch_begin(const RunInfo& run, std::int64_t epoch) override {
    // A run that ends by steps or time has no number of epochs worth showing.
    const bool counted = run.num_epochs < std::numeric_limits<std::int32_t>::max();
    bar_.begin(
        counted ? fmt::format("epoch {}/{}", epoch + 1, run.num_epochs) : fmt::format("epoch {}", epoch + 1),
        run.training.num_batches);
    mode_ = DataMode::training;
  }
  void on_resume(const RunInfo& run, const ResumeInfo& info) override {
    if (!info.in_epoch || info.mode != DataMode::training) return;
    bar_.begin(fmt::format("epoch {}/{}", info.epoch + 1, run.num_epochs),
               run.training.num_batches - info.batch);
    mode_ = DataMode::training;
  }
  void on_step_end(const RunInfo& run, const StepInfo& info) override {
    if (info.mode != mode_) {
      mode_ = info.mode;
      const BatchCounts& c = mode_ == DataMode::test ? run.test : run.validation;
      bar_.begin(std::string(to_string(mode_)), c.num_batches);
    }
    bar_.step(info.objective);
  }
  void on_epoch_end(const RunInfo&, const EpochInfo&) override { bar_.end(); }
  void on_evaluation_end(const RunInfo&, const EpochInfo&) override { bar_.end(); }
  void on_train_end(const RunInfo&) override { bar_.end(); }

private:
  ProgressBar bar_;
  DataMode mode_ = DataMode::training;
  bool base_set_ = false;
};

}  // namespace

std::unique_ptr<Callback> make_progress_callback(ProgressBar::Settings settings) {
  return std::make_unique<ProgressCallback>(std::move(settings));
}

}  // namespace lbann::train
