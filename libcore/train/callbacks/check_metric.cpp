// check_metric: a metric's mean over an epoch or evaluation must lie in [lower_bound, upper_bound].
//
// NaN lies nowhere, so it fails; bounds of zero width are legal. With error_on_failure the run ends with
// exit code 1, otherwise a warning is given.
#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "base/log.hpp"
#include "train/callbacks/callbacks.hpp"

namespace lbann::train {
namespace {

class CheckMetric final : public Callback {
public:
  explicit CheckMetric(const model::CallbackSettings& settings) : s_(settings) {}

  void on_epoch_end(const RunInfo& run, const EpochInfo& info) override { check(run, info); }
  void on_evaluation_end(const RunInfo& run, const EpochInfo& info) override { check(run, info); }

private:
  void check(const RunInfo& run, const EpochInfo& info) const {
    if (!s_.modes.empty() && s_.modes.count(std::string(to_string(info.mode))) == 0) return;
    for (std::size_t i = 0; i < run.metrics.size(); ++i) {
      if (run.metrics[i].name != s_.metric) continue;
      const double value = info.stats->metric(i);
      if (value >= s_.lower_bound && value <= s_.upper_bound) continue;
      const std::string text = fmt::format(
          "callback \"check_metric\" expected metric \"{}\" to have a value in range [{:.9g},{:.9g}], but "
          "found "
          "a value of {:.9g}",
          s_.metric, s_.lower_bound, s_.upper_bound, value);
      if (s_.error_on_failure) throw base::Error(base::ExitCode::check_failed, text);
      base::log().warning(text);
    }
  }

  model::CallbackSettings s_;
};

}  // namespace

std::unique_ptr<Callback> make_check_metric_callback(const model::CallbackSettings& settings) {
  return std::make_unique<CheckMetric>(settings);
}

}  // namespace lbann::train
