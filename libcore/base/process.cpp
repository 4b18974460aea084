// Starting other programs: see process.hpp. Between fork and exec only async-signal-safe calls.
#include "base/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/diagnostic.hpp"
#include "base/log.hpp"

namespace lbann::base {

namespace {

bool is_executable(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

[[noreturn]] void cannot_start(const std::string& program, int reason) {
  throw Error(ExitCode::environment, fmt::format("cannot start '{}': {}", program, std::strerror(reason)));
}

// A descriptor at the beginning of a file without a name that holds `text`.
int make_input(const std::string& program, std::string_view text) {
  const int fd = ::memfd_create("input", MFD_CLOEXEC);
  if (fd < 0) cannot_start(program, errno);
  const int reason = write_all(fd, text);
  if (reason != 0) {
    ::close(fd);
    cannot_start(program, reason);
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::vector<char*> make_argv(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  return words;
}

// Reads both until both are at their end; a child may fill either first.
void drain(int out_fd, int err_fd, ProcessResult& result) {
  pollfd waiting[2] = {{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}};
  std::string* texts[2] = {&result.out, &result.err};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t got = ::read(waiting[i].fd, buffer, sizeof buffer);
      if (got > 0) texts[i]->append(buffer, static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR)) waiting[i].fd = -1;
    }
  }
}

}  // namespace

std::optional<std::string> try_find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (is_executable(name)) return name;
    return std::nullopt;
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/bin:/bin";
  while (!name.empty()) {
    const std::size_t end = rest.find(':');
    const std::string folder(rest.substr(0, end));
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (is_executable(candidate)) return candidate;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input) {
  int out[2];
  int err[2];
  const int in = make_input(argv.at(0), input);
  if (::pipe2(out, O_CLOEXEC) != 0) cannot_start(argv[0], errno);
  if (::pipe2(err, O_CLOEXEC) != 0) cannot_start(argv[0], errno);
  const std::vector<char*> words = make_argv(argv);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  const int reason = errno;
  ::close(in);
  ::close(out[1]);
  ::close(err[1]);
  ProcessResult result;
  if (child > 0) drain(out[0], err[0], result);
  ::close(out[0]);
  ::close(err[0]);
  if (child < 0) cannot_start(argv[0], reason);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

void replace_process(const std::vector<std::string>& argv, const std::optional<std::string>& input) {
  if (input) {
    const int in = make_input(argv.at(0), *input);
    if (::dup2(in, STDIN_FILENO) < 0) cannot_start(argv[0], errno);
  }
  std::signal(SIGPIPE, SIG_DFL);
  const std::vector<char*> words = make_argv(argv);
  ::execvp(words[0], words.data());
  const int reason = errno;
  std::signal(SIGPIPE, SIG_IGN);
  cannot_start(argv[0], reason);
}

}  // namespace lbann::base
