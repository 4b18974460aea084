// See python_worker.hpp. posix_spawn, not fork: other threads are running.
#include "data/python_worker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "base/diagnostic.hpp"
#include "base/process.hpp"

extern char** environ;

namespace lbann::data {
namespace {

using base::Error;
using base::ExitCode;

constexpr std::int64_t max_rank = 16, max_text = 65536;
constexpr int helper_fd = 3;
constexpr const char* field_names[] = {"samples", "labels", "responses"};

std::string find_interpreter(const PythonOptions& options) {
  std::string wanted = options.interpreter;
  const char* from_environment = std::getenv("LBANN_PYTHON");
  if (wanted.empty() && from_environment != nullptr) wanted = from_environment;
  if (wanted.empty()) wanted = "python3";
  const auto found = base::try_find_program(wanted);
  if (!found)
    throw Error(ExitCode::environment, fmt::format("python reader: there is no program '{}'", wanted),
                "the environment variable LBANN_PYTHON names an interpreter");
  return *found;
}

}  // namespace

PythonWorker::PythonWorker(const PythonOptions& options)
  : who_(options.dataset_path.empty() ? fmt::format("module '{}'", options.module)
                                      : fmt::format("data set '{}'", options.dataset_path)) {
  start(options);
  try {
    receive_info();
  } catch (...) {
    close_and_wait();
    throw;
  }
}

PythonWorker::~PythonWorker() { close_and_wait(); }

void PythonWorker::start(const PythonOptions& o) {
  const std::string program = find_interpreter(o);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error(ExitCode::environment, fmt::format("python reader: no socket: {}", std::strerror(errno)));
  // Not descriptor 3 itself: dup2 onto itself would keep the close-on-exec flag in older C libraries.
  int theirs = ends[1];
  if (theirs == helper_fd) {
    theirs = ::fcntl(ends[1], F_DUPFD_CLOEXEC, helper_fd + 1);
    ::close(ends[1]);
  }
  std::vector<std::string> words{program,
                                 "-u",
                                 "-c",
                                 python_helper_script,
                                 o.module,
                                 o.directory,
                                 o.sample_function,
                                 o.num_samples_function,
                                 o.sample_dims_function,
                                 o.dataset_path};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs, helper_fd);
  // The reader threads block all signals; the helper decides for itself.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int reason = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(theirs);
  fd_ = ends[0];
  if (reason == 0) return;
  ::close(fd_);
  throw Error(ExitCode::environment,
              fmt::format("python reader: cannot start '{}': {}", program, std::strerror(reason)));
}

void PythonWorker::receive_info() {
  const char kind = receive_kind();
  if (kind == 'e') fail_said(who_ + " cannot be used");
  if (kind != 'i') fail_dead();
  const auto fail = [&](const std::string& what) {
    throw Error(ExitCode::data, fmt::format("python reader: {}: {}", who_, what));
  };
  num_samples_ = receive_number();
  const std::int64_t num_fields = receive_number();
  if (num_fields < 1 || num_fields > std::ssize(field_names)) fail("no dims of the samples");
  for (std::int64_t f = 0; f < num_fields; ++f) {
    const std::int64_t name = receive_number(), rank = receive_number();
    if (name < 0 || name >= std::ssize(field_names) || rank < 0 || rank > max_rank)
      fail(fmt::format("{} dims of a sample, at most {} are possible", rank, max_rank));
    FieldSpec field{field_names[static_cast<std::size_t>(name)], {}};
    for (std::int64_t i = 0; i < rank; ++i) field.dims.push_back(receive_number());
    if (field.dims.empty()) field.dims.push_back(1);
    for (const std::int64_t d : field.dims)
      if (d < 1) fail(fmt::format("a dim of {} is {}", field.name, d));
    fields_.push_back(std::move(field));
  }
  if (num_samples_ < 1) fail(fmt::format("has {} samples, at least 1 was expected", num_samples_));
}

const float* PythonWorker::read_kept(std::span<const std::int64_t> indices, std::int64_t row_elements,
                                     std::size_t field) {
  const bool kept = std::equal(indices.begin(), indices.end(), kept_indices_.begin(), kept_indices_.end());
  if (!kept || (served_ >> field & 1u) != 0) {
    kept_indices_.clear();
    kept_.resize(indices.size() * static_cast<std::size_t>(row_elements));
    read(indices, row_elements, kept_.data());
    kept_indices_.assign(indices.begin(), indices.end());
    served_ = 0;
  }
  served_ |= 1u << field;
  return kept_.data();
}

void PythonWorker::read(std::span<const std::int64_t> indices, std::int64_t row_elements, float* out) {
  const std::int64_t count = static_cast<std::int64_t>(indices.size());
  send(&count, sizeof count);
  send(indices.data(), indices.size_bytes());
  const char kind = receive_kind();
  if (kind == 'e') fail_said(who_);
  const std::int64_t expected = count * row_elements * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t bytes = receive_number();
  if (kind != 'd' || bytes != expected)
    throw Error(ExitCode::data, fmt::format("python reader: {}: the helper process answered with {} bytes, "
                                            "{} were expected; something writes to its descriptor {}",
                                            who_, bytes, expected, helper_fd));
  receive(out, static_cast<std::size_t>(bytes));
}

void PythonWorker::send(const void* data, std::size_t n) {
  const auto* at = static_cast<const char*>(data);
  while (n > 0) {
    const ssize_t r = ::send(fd_, at, n, MSG_NOSIGNAL);
    if (r < 0 && errno == EINTR) continue;
    if (r <= 0) fail_dead();
    at += r;
    n -= static_cast<std::size_t>(r);
  }
}

void PythonWorker::receive(void* data, std::size_t n) {
  auto* at = static_cast<char*>(data);
  while (n > 0) {
    const ssize_t r = ::recv(fd_, at, n, 0);
    if (r < 0 && errno == EINTR) continue;
    if (r <= 0) fail_dead();
    at += r;
    n -= static_cast<std::size_t>(r);
  }
}

std::int64_t PythonWorker::receive_number() {
  std::int64_t value = 0;
  receive(&value, sizeof value);
  return value;
}

char PythonWorker::receive_kind() {
  char kind = 0;
  receive(&kind, 1);
  return kind;
}

void PythonWorker::fail_said(const std::string& doing) {
  const std::int64_t n = receive_number();
  std::string text(static_cast<std::size_t>(n < 0 || n > max_text ? 0 : n), '\0');
  receive(text.data(), text.size());
  throw Error(ExitCode::data, fmt::format("python reader: {}: {}", doing, text));
}

void PythonWorker::fail_dead() {
  int status = 0;
  std::string how = "ended";
  ::shutdown(fd_, SHUT_RDWR);
  if (pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_) {
    pid_ = -1;
    how = WIFSIGNALED(status)
              ? fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))
              : fmt::format("ended with exit code {}", WEXITSTATUS(status));
  }
  throw Error(ExitCode::data, fmt::format("python reader: the helper process of {} {}", who_, how),
              "its last words, if any, are above");
}

/// A helper that waits for work ends by itself when its socket closes; one in the middle of a sample is
/// ended.
void PythonWorker::close_and_wait() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  if (pid_ <= 0) return;
  for (int i = 0; i < 100; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      return;
    }
    ::usleep(2000);
  }
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace lbann::data
