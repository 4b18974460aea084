// The logger: the one place of the program that writes to stdout and stderr.
//
// Why one place: a progress bar must be cleared before any other line appears; data (stdout) and
// talk (stderr) must never mix; a full disk behind a redirected stdout must end the run with exit
// code 8 and a reader that went away (`| head`) must end it quietly. Every call is one write(2),
// so lines of two threads do not interleave. The logger is the only mutable global of the library.
//
// Ownership: an overlay is borrowed; who sets one removes it before it dies.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

namespace lbann::base {

enum class LogLevel { error, warning, info, debug, trace };

/// Thrown by writes to stdout when its reader has closed the pipe. Ends the run with 128 + SIGPIPE.
class OutputClosed : public std::exception {
public:
  const char* what() const noexcept override { return "the reader of standard output went away"; }
};

/// Something drawn below the log that has to make room for each line, such as a progress bar.
/// Both functions return what is to be written to stderr and must not call the logger.
class LogOverlay {
public:
  virtual ~LogOverlay() = default;
  virtual std::string clear_text() = 0;
  virtual std::string redraw_text() = 0;
};

class Logger {
public:
  Logger(int out_fd, int err_fd) : out_fd_(out_fd), err_fd_(err_fd) {}
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void set_level(LogLevel level) { level_ = level; }
  LogLevel level() const { return level_; }
  bool enabled(LogLevel level) const { return level <= level_; }
  /// Colours the severity words on stderr.
  void set_color(bool color) { color_ = color; }
  bool color() const { return color_; }
  /// `-q`: data() is dropped; print() is not.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  bool quiet() const { return quiet_; }
  void set_overlay(LogOverlay* overlay);

  /// Talk: one line on stderr, `error: ...`, `warning: ...`; the rest without a prefix.
  void write(LogLevel level, std::string_view message);
  void error(std::string_view message) { write(LogLevel::error, message); }
  void warning(std::string_view message) { write(LogLevel::warning, message); }
  void info(std::string_view message) { write(LogLevel::info, message); }
  void debug(std::string_view message) { write(LogLevel::debug, message); }
  /// Text for stderr as it is, whatever the level (rendered diagnostics, usage).
  void talk(std::string_view text);
  /// Draws on stderr without disturbing the overlay (used by the overlay's owner).
  void draw(std::string_view text);

  /// LBANN's log lines: stdout, dropped by `-q`. Throws Error(storage) or OutputClosed.
  void data(std::string_view text);
  /// What the user asked for: stdout, always. Throws like data().
  void print(std::string_view text);

  /// Errors reported so far: the n of `LBANN error: <n> errors, exit <code>`.
  int num_errors() const { return num_errors_; }
  void count_errors(int n) { num_errors_ += n; }

private:
  void write_err(std::string_view text);

  std::mutex mutex_;
  int out_fd_;
  int err_fd_;
  std::atomic<LogLevel> level_{LogLevel::info};
  std::atomic<bool> color_{false};
  std::atomic<bool> quiet_{false};
  std::atomic<int> num_errors_{0};
  LogOverlay* overlay_ = nullptr;
};

/// The process's logger, on file descriptors 1 and 2.
Logger& log();

/// Writes all of `text`, through EINTR, short writes and a full non-blocking pipe; returns 0 or the errno.
int write_all(int fd, std::string_view text);

}  // namespace lbann::base
