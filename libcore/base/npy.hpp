// NumPy's array files (.npy, versions 1 to 3): float32 and float64 arrays, little-endian.
//
// The header is a Python dictionary; only the three entries and the literals NumPy writes are taken,
// everything else is refused. The announced size must be the size of the file to the byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::base {

/// An array in C order (last index fastest).
struct NpyArray {
  std::vector<std::int64_t> shape;  // empty: one number
  bool is_double = false;           // element type of the file
  std::vector<double> values;       // product of the shape; float32 widened

  bool operator==(const NpyArray&) const = default;
};

/// Throws Error(data); `name` opens the message. Refused: other types, Fortran order, wrong sizes, bad
/// headers.
NpyArray parse_npy(std::string_view bytes, const std::string& name);
/// Reads the file; throws Error(data).
NpyArray load_npy(const std::string& path);

}  // namespace lbann::base
