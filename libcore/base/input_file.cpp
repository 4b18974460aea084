// See input_file.hpp.
#include "base/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/diagnostic.hpp"

namespace lbann::base {

InputFile::InputFile(std::string path, const std::string& wanted)
  : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) fail(std::strerror(errno));
  struct stat info {};
  const bool known = ::fstat(fd_, &info) == 0;
  if (known && S_ISREG(info.st_mode)) {
    size_ = static_cast<std::uint64_t>(info.st_size);
    return;
  }
  ::close(fd_);
  fail(known && S_ISDIR(info.st_mode) ? "is a directory, " + wanted + " was expected"
                                      : "is not a regular file");
}

InputFile::~InputFile() { ::close(fd_); }

void InputFile::fail(const std::string& what) const { throw Error(ExitCode::data, path_ + ": " + what); }

void InputFile::read(std::uint64_t offset, void* out, std::uint64_t n) const {
  if (offset > size_ || n > size_ - offset)
    fail(fmt::format("bytes {} to {} are claimed, the file has {}", offset, offset + n, size_));
  for (std::uint64_t got = 0; got < n;) {
    const ssize_t r =
        ::pread(fd_, static_cast<unsigned char*>(out) + got, n - got, static_cast<off_t>(offset + got));
    if (r < 0 && errno == EINTR) continue;
    if (r < 0) fail(std::strerror(errno));
    if (r == 0) fail(fmt::format("ends after {} bytes, {} were there before", offset + got, size_));
    got += static_cast<std::uint64_t>(r);
  }
}

}  // namespace lbann::base
