// HDF5 files that exist in memory only.
//
// HDF5 is used to lay bytes out and to find them again, never to do I/O: with a full disk it reports
// success, or crashes when the program ends. Layout: default library version bounds, contiguous data
// sets in the root group, early allocation, no fill values, no time stamps, no compression.
// A data set has the array's name, in which '/' is written %2F, '%' %25 and a lone '.' %2E.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/container.hpp"

namespace lbann::checkpoint {

/// The bytes of a file that holds the arrays. Throws base::Error (internal or out of memory).
std::vector<std::byte> make_hdf5_image(std::span<const NamedArray> arrays);

/// Reads arrays out of such bytes, which must be known to be intact.
class Hdf5Image {
public:
  /// Copies the bytes. Throws base::Error (checkpoint); `path` opens the messages.
  Hdf5Image(std::span<const std::byte> bytes, std::string path);
  Hdf5Image(const Hdf5Image&) = delete;
  Hdf5Image& operator=(const Hdf5Image&) = delete;
  ~Hdf5Image();

  /// Fills `out` with the data set, which must have just this type and shape.
  void read(const std::string& name, tensor::DataType type, const tensor::Shape& shape,
            std::span<std::byte> out) const;

private:
  std::string path_;
  std::int64_t file_;  // hid_t
};

}  // namespace lbann::checkpoint
