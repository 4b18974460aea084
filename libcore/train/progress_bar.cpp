// Progress bar: see progress_bar.hpp.
#include "train/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "train/console.hpp"

namespace lbann::train {

namespace {

constexpr double redraw_seconds = 0.1;
constexpr const char* clear_line = "\r\033[K";
constexpr int narrowest_bar = 5;
constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

std::string bar_text(double fraction, int width, bool unicode) {
  std::string out;
  if (unicode) {
    const int filled = static_cast<int>(fraction * width * 8);
    for (int i = 0; i < width; ++i) {
      const int part = std::clamp(filled - 8 * i, 0, 8);
      out += part == 8 ? "█" : part == 0 ? " " : eighths[part];
    }
    return "▕" + out + "▏";
  }
  const int filled = static_cast<int>(fraction * width);
  out.assign(static_cast<std::size_t>(filled), '=');
  if (filled < width) out += '>';
  out.resize(static_cast<std::size_t>(width), ' ');
  return '[' + out + ']';
}

std::string rate_text(double rate) {
  if (!std::isfinite(rate) || rate <= 0) return "";
  if (rate >= 1) return fmt::format("  {:.{}f} steps/s", rate, rate < 10 ? 1 : 0);
  return fmt::format("  {:.1f} s/step", 1 / rate);
}

}  // namespace

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) return "?";
  const auto s = static_cast<std::int64_t>(std::ceil(seconds));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string progress_text(const Progress& p, int columns, bool unicode, const ProgressStyle& style) {
  const double done = static_cast<double>(p.step);
  const double all = static_cast<double>(std::max<std::int64_t>(p.num_steps, 1));
  const double fraction = std::clamp(done / all, 0.0, 1.0);
  const double rate = p.rate >= 0 ? p.rate : p.seconds > 0 ? done / p.seconds : 0;
  const std::string left = p.title + "  ";
  std::string right = fmt::format("  {:3}%  {}/{}", static_cast<int>(fraction * 100), p.step, p.num_steps);
  right += rate_text(rate);
  if (rate > 0) right += "  ETA " + duration_text((all - std::min(done, all)) / rate);
  if (p.has_loss)
    right += "  loss " + (std::isnan(p.loss) ? "nan"
                          : style.scientific ? fmt::format("{:.4e}", p.loss)
                                             : fmt::format("{:.4g}", p.loss));
  // Two columns frame the bar. Its width goes in steps, so that it does not change with every digit
  // of the loss.
  const int free = columns - static_cast<int>(left.size() + right.size()) - 2;
  const int room = free - free % narrowest_bar;
  if (room >= narrowest_bar && style.bar_width > 0)
    return left + bar_text(fraction, std::min(room, style.bar_width), unicode) + right;
  const std::string text = p.title + right;
  return text.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
}

void ProgressBar::begin(std::string title, std::int64_t num_steps) {
  end();
  const std::lock_guard lock(mutex_);
  progress_ = {};
  progress_.title = std::move(title);
  progress_.num_steps = num_steps;
  started_ = settings_.now();
  step_times_.clear();
  last_draw_ = started_ - redraw_seconds;
  active_ = true;
}

void ProgressBar::step(double loss) { advance(loss, true); }

void ProgressBar::step() { advance(0, false); }

void ProgressBar::advance(double loss, bool has_loss) {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    if (!active_) return;
    ++progress_.step;
    progress_.loss = loss;
    progress_.has_loss = has_loss;
    const double now = settings_.now();
    progress_.seconds = now - started_;
    update_rate(now);
    const ProgressStyle& style = settings_.style;
    const bool stays = style.newline_interval > 0 && progress_.step % style.newline_interval == 0;
    if (!stays && now - last_draw_ < redraw_seconds) return;
    last_draw_ = now;
    visible_ = !stays;
    text = line_text() + (stays ? "\n" : "");
  }
  settings_.draw(text);
}

void ProgressBar::update_rate(double now) {
  if (settings_.style.rate_steps < 1) return;
  step_times_.push_back(now);
  if (step_times_.size() > static_cast<std::size_t>(settings_.style.rate_steps) + 1) step_times_.pop_front();
  const double span = step_times_.back() - step_times_.front();
  const double steps = static_cast<double>(step_times_.size() - 1);
  progress_.rate = span > 0 ? steps / span : -1;
}

void ProgressBar::end() {
  bool was_visible = false;
  {
    const std::lock_guard lock(mutex_);
    was_visible = visible_;
    active_ = false;
    visible_ = false;
  }
  if (was_visible) settings_.draw(clear_line);
}

// The last column stays free: some terminals wrap as soon as it is written.
std::string ProgressBar::line_text() const {
  return fmt::format("\r{}\033[K",
                     progress_text(progress_, settings_.columns() - 1, settings_.unicode, settings_.style));
}

std::string ProgressBar::clear_text() {
  const std::lock_guard lock(mutex_);
  return visible_ ? clear_line : "";
}

std::string ProgressBar::redraw_text() {
  const std::lock_guard lock(mutex_);
  return visible_ ? line_text() : "";
}

bool wants_progress_bar(base::When when) {
  if (when != base::When::automatic) return when == base::When::always;
  const char* term = std::getenv("TERM");
  return base::is_terminal(STDERR_FILENO) && term && *term && std::string_view(term) != "dumb";
}

ProgressBar::Settings make_terminal_settings(bool ascii) {
  ProgressBar::Settings settings;
  settings.unicode = !ascii && base::locale_is_utf8();
  settings.columns = [] { return base::terminal_columns(STDERR_FILENO, 80); };
  settings.now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  settings.draw = [](const std::string& text) { base::log().draw(text); };
  return settings;
}

}  // namespace lbann::train
