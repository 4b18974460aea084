// Which format a file has, and the way to its reader or writer.
#include "checkpoint/array_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace lbann::checkpoint {

std::optional<ArrayFormat> try_format_of_name(const std::string& path) {
  const auto ends = [&](std::string_view ending) { return std::string_view(path).ends_with(ending); };
  if (ends(".npz")) return ArrayFormat::npz;
  if (ends(".safetensors")) return ArrayFormat::safetensors;
  if (ends(".h5") || ends(".hdf5")) return ArrayFormat::hdf5;
  return std::nullopt;
}

std::optional<ArrayFormat> try_format_of_content(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat info {};
  unsigned char start[16] = {};
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t got = regular ? ::pread(fd, start, sizeof start, 0) : 0;
  ::close(fd);
  if (got < 9) return std::nullopt;
  if (std::memcmp(start, "PK\3\4", 4) == 0 || std::memcmp(start, "PK\5\6", 4) == 0) return ArrayFormat::npz;
  if (std::memcmp(start, "\x89HDF\r\n\x1a\n", 8) == 0) return ArrayFormat::hdf5;
  std::uint64_t header = 0;
  for (int i = 7; i >= 0; --i) header = header << 8 | start[i];
  if (start[8] == '{' && header >= 2 && header <= static_cast<std::uint64_t>(info.st_size) - 8)
    return ArrayFormat::safetensors;
  return std::nullopt;
}

std::string_view to_string(ArrayFormat format) {
  switch (format) {
    case ArrayFormat::npz:
      return "npz";
    case ArrayFormat::safetensors:
      return "safetensors";
    case ArrayFormat::hdf5:
      return "HDF5";
  }
  return "";
}

ArrayMap load_arrays(const std::string& path, ArrayFormat format) {
  switch (format) {
    case ArrayFormat::npz:
      return load_npz(path);
    case ArrayFormat::safetensors:
      return load_safetensors(path);
    case ArrayFormat::hdf5:
      return load_hdf5(path);
  }
  return {};
}

std::vector<std::string> save_arrays(const std::string& path, ArrayFormat format, const ArrayMap& arrays) {
  switch (format) {
    case ArrayFormat::npz:
      return save_npz(path, arrays);
    case ArrayFormat::safetensors:
      save_safetensors(path, arrays);
      return {};
    case ArrayFormat::hdf5:
      save_hdf5(path, arrays);
      return {};
  }
  return {};
}

}  // namespace lbann::checkpoint
