// Logger: see log.hpp. write(2) and not stdio, because stdio hides which write failed and why.
#include "base/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/diagnostic.hpp"

namespace lbann::base {

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd p{fd, POLLOUT, 0};
      ::poll(&p, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Logger& log() {
  static Logger logger(STDOUT_FILENO, STDERR_FILENO);
  return logger;
}

void Logger::set_overlay(LogOverlay* overlay) {
  const std::lock_guard lock(mutex_);
  overlay_ = overlay;
}

// A failing stderr is ignored: there is nobody left to tell.
void Logger::write_err(std::string_view text) {
  if (overlay_) {
    std::string all = overlay_->clear_text();
    all += text;
    all += overlay_->redraw_text();
    write_all(err_fd_, all);
  } else {
    write_all(err_fd_, text);
  }
}

void Logger::write(LogLevel level, std::string_view message) {
  if (level == LogLevel::error) ++num_errors_;
  if (!enabled(level)) return;
  std::string line;
  if (level == LogLevel::error) line = color_ ? "\033[1;31merror:\033[0m " : "error: ";
  if (level == LogLevel::warning) line = color_ ? "\033[1;35mwarning:\033[0m " : "warning: ";
  line += message;
  if (line.empty() || line.back() != '\n') line += '\n';
  const std::lock_guard lock(mutex_);
  write_err(line);
}

void Logger::talk(std::string_view text) {
  const std::lock_guard lock(mutex_);
  write_err(text);
}

void Logger::draw(std::string_view text) {
  const std::lock_guard lock(mutex_);
  write_all(err_fd_, text);
}

void Logger::data(std::string_view text) {
  if (!quiet_) print(text);
}

void Logger::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (overlay_) write_all(err_fd_, overlay_->clear_text());
  const int failure = write_all(out_fd_, text);
  if (overlay_) write_all(err_fd_, overlay_->redraw_text());
  if (failure == EPIPE) throw OutputClosed();
  if (failure != 0)
    throw Error(ExitCode::storage, std::string("cannot write to standard output: ") + std::strerror(failure));
}

}  // namespace lbann::base
