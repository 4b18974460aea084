// Progress bar: one line on stderr that is redrawn in place, at most ten times a second.
//
//     epoch 3/10  [=========>          ]  46%  97/211  312 steps/s  ETA 0:00  loss 0.2871
//
// It is an overlay of the logger: a log line clears it, is written, and the bar comes back. It
// observes only; a step costs one look at the clock. Without a terminal nothing is drawn unless it
// was asked for. Rate: steps over seconds since the epoch began. Threads: one steps, any may log; the
// bar's own mutex is never held while the logger is called, which would be the opposite order.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "base/log.hpp"
#include "base/terminal.hpp"

namespace lbann::train {

struct Progress {
  std::string title{};  // "epoch 3/10", "validation"
  std::int64_t step = 0;
  std::int64_t num_steps = 0;
  double seconds = 0;  // since the first step
  double loss = 0;     // of the last step; NaN is shown as such
  bool has_loss = false;
};

/// The line, without line control, of at most `columns` columns. Unicode blocks or ASCII.
std::string progress_text(const Progress& progress, int columns, bool unicode);

/// "0:07", "12:34", "1:02:03"; "?" when it is not a finite, non-negative number.
std::string duration_text(double seconds);

class ProgressBar : public base::LogOverlay {
public:
  struct Settings {
    bool unicode = false;
    std::function<int()> columns{};                  // asked at every redraw: terminals change size
    std::function<double()> now{};                   // seconds, monotonic
    std::function<void(const std::string&)> draw{};  // to stderr
  };

  explicit ProgressBar(Settings settings) : settings_(std::move(settings)) {}

  /// Begins a bar of `num_steps` steps; replaces the one before.
  void begin(std::string title, std::int64_t num_steps);
  /// Call after every step.
  void step(double loss);
  void step();
  /// Removes the bar from the screen.
  void end();

  std::string clear_text() override;
  std::string redraw_text() override;

private:
  void advance(double loss, bool has_loss);
  std::string line_text() const;

  std::mutex mutex_;
  Settings settings_;
  Progress progress_{};
  double started_ = 0;
  double last_draw_ = 0;
  bool active_ = false;
  bool visible_ = false;
};

/// Whether a bar is wanted: always, never, or a terminal on stderr that can redraw a line.
bool wants_progress_bar(base::When when);

/// Settings for the process's stderr.
ProgressBar::Settings make_terminal_settings(bool ascii);

}  // namespace lbann::train
