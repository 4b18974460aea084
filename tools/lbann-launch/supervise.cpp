// Pipes, signals and copies: see supervise.hpp.
#include "lbann-launch/supervise.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/diagnostic.hpp"
#include "base/log.hpp"

namespace lbann::tools {

namespace {

constexpr int passed_on[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
std::atomic<pid_t> child{0};

void pass_on(int number) {
  const int kept = errno;
  const pid_t to = child;
  if (to > 0) ::kill(to, number);
  errno = kept;
}

class Log {
public:
  explicit Log(const std::string& path) : path_(path) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(errno);
  }
  ~Log() { ::close(fd_); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  void write(std::string_view text) const {
    const int reason = base::write_all(fd_, text);
    if (reason != 0) fail(reason);
  }

private:
  [[noreturn]] void fail(int reason) const {
    throw base::Error(base::ExitCode::storage,
                      fmt::format("cannot write '{}': {}", path_, std::strerror(reason)));
  }
  std::string path_;
  int fd_ = -1;
};

[[noreturn]] void become_script(const char* script, int out, int err) {
  ::setpgid(0, 0);
  // A process outside the terminal's group that reads from it would be stopped.
  if (::isatty(STDIN_FILENO)) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  }
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
  ::execlp("bash", "bash", script, static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

int run_and_copy(const std::string& script, const std::string& out_log, const std::string& err_log) {
  const Log logs[2] = {Log(out_log), Log(err_log)};
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
    throw base::Error(base::ExitCode::environment, fmt::format("no pipe: {}", std::strerror(errno)));
  struct sigaction action {};
  action.sa_handler = pass_on;
  for (const int number : passed_on) ::sigaction(number, &action, nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const int number : passed_on) std::signal(number, SIG_DFL);
    become_script(script.c_str(), out[1], err[1]);
  }
  if (pid < 0)
    throw base::Error(base::ExitCode::environment, fmt::format("no process: {}", std::strerror(errno)));
  child = pid;
  ::close(out[1]);
  ::close(err[1]);
  pollfd waiting[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (::poll(waiting, 2, -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t got = ::read(waiting[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        const std::string_view text(buffer, static_cast<std::size_t>(got));
        logs[i].write(text);
        if (i == 0)
          base::log().data(text);
        else
          base::log().talk(text);
      }
      if (got == 0 || (got < 0 && errno != EINTR)) waiting[i].fd = -1;
    }
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  child = 0;
  ::close(out[0]);
  ::close(err[0]);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace lbann::tools
