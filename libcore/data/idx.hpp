// IDX files (the format of MNIST): big-endian header 00 00 <type> <rank>, `rank` 32-bit extents, values.
//
// Only unsigned bytes (type 08) occur in practice and are read; values stay bytes in memory. A file may be
// gzip-compressed (told by its first bytes, not its name). Everything a header claims is checked against the
// file before memory is allocated for it: a plain file must have exactly the promised length, a compressed
// one at least 1/1032 of it (deflate's best ratio), and it is read piecewise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lbann::data {

struct IdxArray {
  std::vector<std::int64_t> dims;    // as in the header, e.g. {60000,28,28}
  std::vector<std::uint8_t> values;  // C order
};

/// Reads a file of the given rank (3: images, 1: labels). A missing `path` falls back to `path`.gz.
/// Throws base::Error (data, exit 4) that names the file, what was expected and what was found.
IdxArray load_idx(const std::string& path, std::size_t rank);

}  // namespace lbann::data
