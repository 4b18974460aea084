// A regular file that is read at given places, by sizes that were compared with the file's own.
#pragma once

#include <cstdint>
#include <string>

namespace lbann::base {

class InputFile {
public:
  /// Throws Error(data): missing, unreadable, a directory (`wanted` says what was expected: "a zip archive"),
  /// not a regular file.
  InputFile(std::string path, const std::string& wanted);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Exactly `n` bytes from `offset` on. Throws Error(data) when the file has them not.
  void read(std::uint64_t offset, void* out, std::uint64_t n) const;
  /// Throws Error(data): the path and what is wrong.
  [[noreturn]] void fail(const std::string& what) const;

private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace lbann::base
