// NumPy's array files (.npy, versions 1 to 3), C order, little-endian.
//
// The header is a Python dictionary; only the three entries and the literals NumPy writes are taken,
// everything else is refused. The announced size must be the size of the file to the byte, and it is compared
// before memory is taken for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbann::base {

/// Element types that are read; `boolean` is one byte, 0 or 1.
enum class NpyType { boolean, u8, i8, u16, i16, u32, i32, i64, f32, f64 };

std::int64_t size_bytes(NpyType type);
/// NumPy's name: "float32".
std::string_view to_string(NpyType type);

struct NpyHeader {
  NpyType type = NpyType::f32;
  std::vector<std::int64_t> shape;  // empty: one number
  std::size_t data_offset = 0;      // from the beginning of the file
  std::uint64_t num_elements = 0;   // at most 2^48
  std::uint64_t data_bytes() const { return num_elements * static_cast<std::uint64_t>(size_bytes(type)); }
};

/// Bytes that hold any header NumPy writes.
constexpr std::size_t max_npy_header_bytes = 65536 + 12;

/// Reads the header from the first bytes of a file; throws Error(data), `name` opens the message.
/// Refused: other types (big-endian, complex, objects, texts), Fortran order, bad headers.
NpyHeader parse_npy_header(std::string_view bytes, const std::string& name);

/// An array in C order (last index fastest) as it lies in the file.
struct RawNpyArray {
  NpyType type = NpyType::f32;
  std::vector<std::int64_t> shape;
  std::string storage;     // the elements, little-endian, from byte `offset` on
  std::size_t offset = 0;  // what comes before is the header: a member of an archive is not copied again
  const unsigned char* data() const {
    return reinterpret_cast<const unsigned char*>(storage.data()) + offset;
  }
  std::int64_t num_elements() const {
    return static_cast<std::int64_t>(storage.size() - offset) / size_bytes(type);
  }
};

/// Reads the file; throws Error(data), or Error(out_of_memory) with the size when it does not fit.
RawNpyArray load_raw_npy(const std::string& path);
/// The same from memory, e.g. a member of a .npz file.
RawNpyArray parse_raw_npy(std::string bytes, const std::string& name);
/// The header of a file; throws Error(data).
NpyHeader load_npy_header(const std::string& path);

/// Elements first..first+n of an array's bytes as floats.
void convert_to_float(NpyType type, const unsigned char* bytes, std::int64_t first, std::int64_t n,
                      float* out);
/// One element, exact for all types but i64 beyond 2^53.
double element_at(NpyType type, const unsigned char* bytes, std::int64_t index);

/// The header of a .npy file, version 1 (2 where it is long), padded so that the data lie at a multiple
/// of 64.
std::string format_npy_header(NpyType type, const std::vector<std::int64_t>& shape);

/// An array of float32 or float64, widened.
struct NpyArray {
  std::vector<std::int64_t> shape;  // empty: one number
  bool is_double = false;           // element type of the file
  std::vector<double> values;       // product of the shape

  bool operator==(const NpyArray&) const = default;
};

/// Throws Error(data) as parse_npy_header does, also for types other than float32 and float64.
NpyArray parse_npy(std::string_view bytes, const std::string& name);
/// Reads the file; throws Error(data).
NpyArray load_npy(const std::string& path);

}  // namespace lbann::base
