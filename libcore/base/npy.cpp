// See npy.hpp. Layout: "\x93NUMPY", major, minor, header length (u16, from version 2 on u32), header, data.
#include "base/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/input_file.hpp"

namespace lbann::base {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are copied as they lie in the file");

struct Header {
  std::string descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` and nothing more general.
class HeaderReader {
public:
  HeaderReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Header read() {
    Header h;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && h.descr.empty()) {
        h.descr = quoted();
      } else if (key == "fortran_order" && !h.fortran_order) {
        h.fortran_order = boolean();
      } else if (key == "shape" && !h.shape) {
        h.shape = tuple();
      } else {
        fail(fmt::format("unexpected entry '{}'", key));
      }
      if (!accept(',') && peek() != '}') fail("no ',' between entries");
    }
    if (peek() != '\0') fail("text after the dictionary");
    if (h.descr.empty() || !h.fortran_order || !h.shape) fail("descr, fortran_order or shape is missing");
    return h;
  }

private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ExitCode::data, fmt::format("{}: bad header of a .npy file: {}", name_, what));
  }
  char peek() {
    while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\n')) ++pos_;
    return pos_ < text_.size() ? text_[pos_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || c == '\0') return false;
    ++pos_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("no '{}' at byte {}", c, pos_));
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail(fmt::format("no text at byte {}", pos_));
    const std::size_t end = text_.find(quote, pos_ + 1);
    if (end == std::string_view::npos) fail("a text does not end");
    std::string value(text_.substr(pos_ + 1, end - pos_ - 1));
    pos_ = end + 1;
    return value;
  }
  bool boolean() {
    peek();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(pos_, word.size()) != word) continue;
      pos_ += word.size();
      return value;
    }
    fail("fortran_order is neither True nor False");
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> dims;
    expect('(');
    while (!accept(')')) {
      if (peek() < '0' || peek() > '9') fail("shape is not a tuple of numbers");
      std::int64_t value = 0;
      while (pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9') {
        value = 10 * value + (text_[pos_++] - '0');
        if (value > std::int64_t{1} << 48) fail("a dim of shape is too large");
      }
      dims.push_back(value);
      if (!accept(',') && peek() != ')') fail("no ',' between dims");
    }
    return dims;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t pos_ = 0;
};

void check_size(const NpyHeader& header, std::uint64_t available, const std::string& name) {
  if (header.data_bytes() == available) return;
  throw Error(ExitCode::data, fmt::format("{}: the shape needs {} bytes of data, {} follow", name,
                                          header.data_bytes(), available));
}

struct TypeRow {
  NpyType type;
  std::string_view descr, name;
  std::int64_t size;
};
constexpr TypeRow types[] = {
    {NpyType::boolean, "|b1", "bool", 1}, {NpyType::u8, "|u1", "uint8", 1},
    {NpyType::i8, "|i1", "int8", 1},      {NpyType::u16, "<u2", "uint16", 2},
    {NpyType::i16, "<i2", "int16", 2},    {NpyType::u32, "<u4", "uint32", 4},
    {NpyType::i32, "<i4", "int32", 4},    {NpyType::i64, "<i8", "int64", 8},
    {NpyType::f32, "<f4", "float32", 4},  {NpyType::f64, "<f8", "float64", 8},
};

template <class T>
void convert(const unsigned char* bytes, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    T value;
    std::memcpy(&value, bytes + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    out[i] = static_cast<float>(value);
  }
}

template <class T>
double element(const unsigned char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

NpyHeader read_header(const InputFile& file) {
  const std::string& path = file.path();
  std::string start(std::min<std::uint64_t>(file.size(), max_npy_header_bytes), '\0');
  file.read(0, start.data(), start.size());
  NpyHeader header = parse_npy_header(start, path);
  check_size(header, file.size() - header.data_offset, path);
  return header;
}

}  // namespace

std::int64_t size_bytes(NpyType type) { return types[static_cast<std::size_t>(type)].size; }
std::string_view to_string(NpyType type) { return types[static_cast<std::size_t>(type)].name; }

NpyHeader parse_npy_header(std::string_view bytes, const std::string& name) {
  const auto fail = [&](const std::string& what, std::string help = {}) {
    throw Error(ExitCode::data, name + ": " + what, std::move(help));
  };
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  if (!bytes.starts_with("\x93NUMPY")) fail("not a .npy file (no NUMPY signature)");
  if (bytes.size() < 12) fail("a .npy file of only " + std::to_string(bytes.size()) + " bytes");
  const std::size_t major = byte(6);
  if (major < 1 || major > 3) fail(fmt::format(".npy version {} is not known, 1 to 3 are", major));
  const std::size_t start = major == 1 ? 10 : 12;
  std::size_t length = byte(8) + (byte(9) << 8);
  if (major > 1) length += (byte(10) << 16) + (byte(11) << 24);
  if (length > bytes.size() - start) {
    fail(fmt::format("the header needs {} bytes, {} follow", length, bytes.size() - start));
  }

  const Header header = HeaderReader(bytes.substr(start, length), name).read();
  NpyHeader result;
  const auto* row = std::find_if(std::begin(types), std::end(types),
                                 [&](const TypeRow& r) { return r.descr == header.descr; });
  if (row == std::end(types)) {
    fail(fmt::format("element type '{}' cannot be read; little-endian integers, float32 and float64 can",
                     header.descr),
         "save a.astype('float32')");
  }
  result.type = row->type;
  result.shape = *header.shape;
  result.data_offset = start + length;
  if (*header.fortran_order && result.shape.size() > 1) {
    fail("the array is in Fortran order", "save numpy.ascontiguousarray(a)");
  }
  const std::uint64_t limit = std::uint64_t{1} << 48;
  const bool empty = std::find(result.shape.begin(), result.shape.end(), 0) != result.shape.end();
  result.num_elements = empty ? 0 : 1;
  for (const std::int64_t d : result.shape) {
    if (empty) break;
    if (result.num_elements > limit / static_cast<std::uint64_t>(d)) fail("the shape has too many entries");
    result.num_elements *= static_cast<std::uint64_t>(d);
  }
  return result;
}

std::string format_npy_header(NpyType type, const std::vector<std::int64_t>& shape) {
  std::string dims;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dims += fmt::format("{}{}", i > 0 ? ", " : "", shape[i]);
  }
  if (shape.size() == 1) dims += ',';  // a tuple of one
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 types[static_cast<std::size_t>(type)].descr, dims);
  const bool is_long = text.size() > 65000;
  const std::size_t start = is_long ? 12 : 10;
  text.append(63 - (start + text.size()) % 64, ' ');
  text += '\n';
  std::string header = std::string("\x93NUMPY") + (is_long ? '\2' : '\1') + '\0';
  for (std::size_t i = 0; i < start - 8; ++i) header += static_cast<char>((text.size() >> (8 * i)) & 0xff);
  return header + text;
}

RawNpyArray parse_raw_npy(std::string bytes, const std::string& name) {
  const NpyHeader header = parse_npy_header(bytes, name);
  check_size(header, bytes.size() - header.data_offset, name);
  return {header.type, header.shape, std::move(bytes), header.data_offset};
}

RawNpyArray load_raw_npy(const std::string& path) {
  const InputFile file(path, "a .npy file");
  const NpyHeader header = read_header(file);
  RawNpyArray array{header.type, header.shape, {}, 0};
  try {
    array.storage.resize(header.data_bytes());
  } catch (const std::exception&) {
    throw Error(ExitCode::out_of_memory,
                fmt::format("{}: no memory for its {} bytes", path, header.data_bytes()));
  }
  file.read(header.data_offset, array.storage.data(), header.data_bytes());
  return array;
}

NpyHeader load_npy_header(const std::string& path) { return read_header(InputFile(path, "a .npy file")); }

void convert_to_float(NpyType type, const unsigned char* bytes, std::int64_t first, std::int64_t n,
                      float* out) {
  bytes += first * size_bytes(type);
  switch (type) {
    case NpyType::boolean:
    case NpyType::u8:
      return convert<std::uint8_t>(bytes, n, out);
    case NpyType::i8:
      return convert<std::int8_t>(bytes, n, out);
    case NpyType::u16:
      return convert<std::uint16_t>(bytes, n, out);
    case NpyType::i16:
      return convert<std::int16_t>(bytes, n, out);
    case NpyType::u32:
      return convert<std::uint32_t>(bytes, n, out);
    case NpyType::i32:
      return convert<std::int32_t>(bytes, n, out);
    case NpyType::i64:
      return convert<std::int64_t>(bytes, n, out);
    case NpyType::f32:
      std::memcpy(out, bytes, static_cast<std::size_t>(n) * sizeof(float));
      return;
    case NpyType::f64:
      return convert<double>(bytes, n, out);
  }
}

double element_at(NpyType type, const unsigned char* bytes, std::int64_t index) {
  bytes += index * size_bytes(type);
  switch (type) {
    case NpyType::boolean:
    case NpyType::u8:
      return element<std::uint8_t>(bytes);
    case NpyType::i8:
      return element<std::int8_t>(bytes);
    case NpyType::u16:
      return element<std::uint16_t>(bytes);
    case NpyType::i16:
      return element<std::int16_t>(bytes);
    case NpyType::u32:
      return element<std::uint32_t>(bytes);
    case NpyType::i32:
      return element<std::int32_t>(bytes);
    case NpyType::i64:
      return element<std::int64_t>(bytes);
    case NpyType::f32:
      return element<float>(bytes);
    case NpyType::f64:
      return element<double>(bytes);
  }
  return 0;
}

NpyArray parse_npy(std::string_view bytes, const std::string& name) {
  const NpyHeader header = parse_npy_header(bytes, name);
  if (header.type != NpyType::f32 && header.type != NpyType::f64) {
    throw Error(
        ExitCode::data,
        fmt::format("{}: element type '{}', only little-endian float32 '<f4' and float64 '<f8' can be "
                    "read here",
                    name, types[static_cast<std::size_t>(header.type)].descr),
        "save a.astype('float32')");
  }
  check_size(header, bytes.size() - header.data_offset, name);
  NpyArray array{header.shape, header.type == NpyType::f64, {}};
  array.values.resize(header.num_elements);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data()) + header.data_offset;
  for (std::size_t i = 0; i < array.values.size(); ++i)
    array.values[i] = element_at(header.type, data, static_cast<std::int64_t>(i));
  return array;
}

NpyArray load_npy(const std::string& path) { return parse_npy(read_file(path, std::size_t{1} << 36), path); }

}  // namespace lbann::base
