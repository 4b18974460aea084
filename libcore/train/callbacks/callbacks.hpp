// The callbacks. Each takes what it writes through: text goes to the logger (stdout), records to log.jsonl,
// the bar to stderr, files to the folder its settings name.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "log/run_record.hpp"
#include "model/settings.hpp"
#include "train/callback.hpp"
#include "train/console.hpp"
#include "train/progress_bar.hpp"

namespace lbann::train {

/// LBANN's epoch header, objective and metric lines.
std::unique_ptr<Callback> make_print_callback(Speaker who, std::string version);
/// Run time and mini-batch time statistics; the first `skip_steps` steps of the run do not count.
std::unique_ptr<Callback> make_timer_callback(Speaker who, std::int64_t skip_steps);
std::unique_ptr<Callback> make_progress_callback(ProgressBar::Settings settings);

struct RecordSettings {
  std::string path;  // log.jsonl
  std::string run;   // digest of the experiment
  std::int64_t attempt = 1;
  bool every_step = false;      // one record per training step, too
  std::function<double()> now;  // Unix time, seconds
};
/// One record per epoch and evaluation.
std::unique_ptr<Callback> make_record_callback(RecordSettings settings);

class Trainer;

/// The callbacks that check, save or stop; nothing for settings of another kind. They read (load_model:
/// write) the trainer's weights, so the trainer must be the one that owns them.
std::unique_ptr<Callback> try_make_callback(const model::CallbackSettings& settings, Speaker who,
                                            Trainer& trainer);

/// LBANN's line after an epoch that changed the rate of a schedule.
std::unique_ptr<Callback> make_learning_rate_callback(Speaker who, const Trainer& trainer);
std::unique_ptr<Callback> make_early_stopping_callback(Speaker who, std::int64_t patience);
std::unique_ptr<Callback> make_check_metric_callback(const model::CallbackSettings& settings);
std::unique_ptr<Callback> make_check_gradients_callback(const model::CallbackSettings& settings,
                                                        Trainer& trainer);
std::unique_ptr<Callback> make_dump_weights_callback(const model::CallbackSettings& settings,
                                                     const Trainer& trainer);
std::unique_ptr<Callback> make_save_model_callback(const model::CallbackSettings& settings, Speaker who,
                                                   const Trainer& trainer);
std::unique_ptr<Callback> make_load_model_callback(const model::CallbackSettings& settings, Trainer& trainer);

}  // namespace lbann::train
