// Progress bar: one line on stderr that is redrawn in place, at most ten times a second.
//
//     epoch 3/10  [=========>          ]  46%  97/211  312 steps/s  ETA 0:00  loss 0.2871
//
// It is an overlay of the logger: a log line clears it, is written, and the bar comes back. It
// observes only; a step costs one look at the clock. Without a terminal nothing is drawn unless it
// was asked for. Rate: steps over seconds since the epoch began, or of the last few steps. Threads: one
// steps, any may log; the bar's own mutex is never held while the logger is called, which would be the
// opposite order.
#pragma once

#include <cstdint>
#include <deque>
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
  double rate = -1;  // steps per second; negative: step / seconds
};

/// What the callback progress_bar may choose.
struct ProgressStyle {
  int bar_width = 30;        // at most; less where the terminal is narrow
  int rate_steps = 0;        // the rate is that of so many last steps; 0: of all since the epoch began
  int newline_interval = 0;  // leave the line on the screen every so many steps; 0: never
  bool scientific = false;   // the loss with an exponent
};

/// The line, without line control, of at most `columns` columns. Unicode blocks or ASCII.
std::string progress_text(const Progress& progress, int columns, bool unicode,
                          const ProgressStyle& style = {});

/// "0:07", "12:34", "1:02:03"; "?" when it is not a finite, non-negative number.
std::string duration_text(double seconds);

class ProgressBar : public base::LogOverlay {
public:
  struct Settings {
    bool unicode = false;
    std::function<int()> columns{};                  // asked at every redraw: terminals change size
    std::function<double()> now{};                   // seconds, monotonic
    std::function<void(const std::string&)> draw{};  // to stderr
    ProgressStyle style{};
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
  void update_rate(double now);
  std::string line_text() const;

  std::mutex mutex_;
  Settings settings_;
  Progress progress_{};
  double started_ = 0;
  double last_draw_ = 0;
  std::deque<double> step_times_{};  // of the last rate_steps steps
  bool active_ = false;
  bool visible_ = false;
};

/// Whether a bar is wanted: always, never, or a terminal on stderr that can redraw a line.
bool wants_progress_bar(base::When when);

/// Settings for the process's stderr.
ProgressBar::Settings make_terminal_settings(bool ascii);

}  // namespace lbann::train
