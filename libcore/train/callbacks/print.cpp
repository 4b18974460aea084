// print and timer: the console lines of LBANN (formats: train/console).
#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"

namespace lbann::train {
namespace {

std::string mode_text(const EpochInfo& info) {
  return info.mode == DataMode::training ? training_mode(info.epoch) : std::string(to_string(info.mode));
}

ModeExtent extent(const BatchCounts& c) { return {c.num_batches, c.batch_size, c.last_batch_size}; }

class Print final : public Callback {
public:
  Print(Speaker who, std::string version) : who_(std::move(who)), version_(std::move(version)) {}

  void on_setup_end(const RunInfo&) override { base::log().data(version_line(version_)); }

  void on_epoch_begin(const RunInfo& run, std::int64_t epoch) override {
    base::log().data(epoch_header_text(
        {epoch, extent(run.training), extent(run.validation), extent(run.test), extent(run.tournament)}));
  }
  void on_epoch_end(const RunInfo& run, const EpochInfo& info) override { report(run, info); }
  void on_evaluation_end(const RunInfo& run, const EpochInfo& info) override { report(run, info); }

private:
  void report(const RunInfo& run, const EpochInfo& info) {
    const std::string mode = mode_text(info);
    std::string text = objective_line(who_, mode, info.stats->objective());
    for (std::size_t i = 0; i < run.metrics.size(); ++i) {
      text += metric_line(who_, mode, run.metrics[i].name, info.stats->metric(i), run.metrics[i].unit);
    }
    base::log().data(text);
  }

  Speaker who_;
  std::string version_;
};

class Timer final : public Callback {
public:
  Timer(Speaker who, std::int64_t skip) : who_(std::move(who)), skip_(skip) {}

  void on_epoch_end(const RunInfo&, const EpochInfo& info) override {
    // `skip_` counts steps of the whole run: only what lies before this epoch's first step is used up.
    const std::int64_t before = info.step - info.stats->num_steps();
    report(info, std::max<std::int64_t>(0, skip_ - before));
  }
  void on_evaluation_end(const RunInfo&, const EpochInfo& info) override { report(info, 0); }

private:
  void report(const EpochInfo& info, std::int64_t skip) {
    const std::string mode = mode_text(info);
    base::log().data(run_time_line(who_, mode, info.run_seconds) +
                     step_time_line(who_, mode, info.stats->step_times(skip)));
  }

  Speaker who_;
  std::int64_t skip_;
};

}  // namespace

std::unique_ptr<Callback> make_print_callback(Speaker who, std::string version) {
  return std::make_unique<Print>(std::move(who), std::move(version));
}

std::unique_ptr<Callback> make_timer_callback(Speaker who, std::int64_t skip_steps) {
  return std::make_unique<Timer>(std::move(who), skip_steps);
}

}  // namespace lbann::train
