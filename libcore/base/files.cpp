// POSIX calls, because streams hide errno and cannot fsync. EINTR is retried; short writes
// are continued. The temporary name holds the process id, so that two processes writing the
// same file do not meet in one temporary.
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::base {

namespace {

class Descriptor {
public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > 2) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes and tells whether that worked: network file systems report late errors here.
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0 || errno == EINTR;
  }

private:
  int fd_;
};

int open_retrying(const char* path, int flags, mode_t mode = 0) {
  int fd = -1;
  do fd = ::open(path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

bool sync_retrying(int fd) {
  int rc = 0;
  do rc = ::fsync(fd);
  while (rc != 0 && errno == EINTR);
  return rc == 0;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string read_file(const std::string& path, std::size_t max_bytes) {
  auto fail = [&](int error) {
    throw Error(ExitCode::data, fmt::format("cannot read '{}': {}", path, std::strerror(error)));
  };
  Descriptor file(path == "-" ? 0 : open_retrying(path.c_str(), O_RDONLY));
  if (file.get() < 0) fail(errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail(errno);
  if (S_ISDIR(info.st_mode)) fail(EISDIR);
  std::string text;
  constexpr std::size_t chunk = 1 << 16;
  std::size_t filled = 0;
  // One byte more than the stated size lets the end be seen without another growth.
  if (S_ISREG(info.st_mode) && info.st_size > 0 && static_cast<std::size_t>(info.st_size) <= max_bytes)
    text.resize(static_cast<std::size_t>(info.st_size) + 1);
  while (true) {
    if (filled == text.size()) text.resize(filled + chunk);
    const ssize_t n = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
    if (filled > max_bytes)
      throw Error(ExitCode::data,
                  fmt::format("cannot read '{}': longer than the limit of {} bytes", path, max_bytes));
  }
  text.resize(filled);
  return text;
}

void atomic_write_file(const std::string& path, std::string_view content) {
  atomic_write_file(path, std::span(&content, 1));
}

void atomic_write_file(const std::string& path, std::span<const std::string_view> pieces) {
  const std::string temporary = fmt::format("{}.tmp.{}", path, ::getpid());
  auto fail = [&](int error) {
    ::unlink(temporary.c_str());
    throw Error(ExitCode::storage, fmt::format("cannot write '{}': {}", path, std::strerror(error)));
  };
  Descriptor file(open_retrying(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666));
  if (file.get() < 0) fail(errno);
  for (const std::string_view piece : pieces) {
    if (!write_all(file.get(), piece)) fail(errno);
  }
  if (!sync_retrying(file.get())) fail(errno);
  if (!file.close()) fail(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail(errno);
  // The rename is durable only once the folder is.
  sync_folder(folder_of(path));
}

void sync_folder(const std::string& path) {
  Descriptor folder(open_retrying(path.c_str(), O_RDONLY | O_DIRECTORY));
  // A file system that cannot sync folders (EINVAL) has nothing better to offer.
  if (folder.get() < 0 || (!sync_retrying(folder.get()) && errno != EINVAL))
    throw Error(ExitCode::storage,
                fmt::format("cannot sync the folder '{}': {}", path, std::strerror(errno)));
}

}  // namespace lbann::base
