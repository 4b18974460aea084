// See npy.hpp. Layout: "\x93NUMPY", major, minor, header length (u16, from version 2 on u32), header, data.
#include "base/npy.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <optional>

#include "base/diagnostic.hpp"
#include "base/files.hpp"

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

template <class T>
void widen(std::string_view bytes, std::vector<double>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
}

}  // namespace

NpyArray parse_npy(std::string_view bytes, const std::string& name) {
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
  const bool is_float = header.descr == "<f4", is_double = header.descr == "<f8";
  if (!is_float && !is_double) {
    fail(fmt::format("element type '{}', only little-endian float32 '<f4' and float64 '<f8' can be read",
                     header.descr),
         "save a.astype('float32')");
  }
  NpyArray array{*header.shape, is_double, {}};
  if (*header.fortran_order && array.shape.size() > 1) {
    fail("the array is in Fortran order", "save numpy.ascontiguousarray(a)");
  }
  const std::string_view data = bytes.substr(start + length);
  const std::uint64_t limit = std::uint64_t{1} << 48;
  bool empty = false;
  for (const std::int64_t d : array.shape) empty = empty || d == 0;
  std::uint64_t count = empty ? 0 : 1;
  for (const std::int64_t d : array.shape) {
    if (empty) break;
    if (count > limit / static_cast<std::uint64_t>(d)) fail("the shape has too many entries");
    count *= static_cast<std::uint64_t>(d);
  }
  const std::uint64_t size = count * (is_double ? 8 : 4);
  if (size != data.size())
    fail(fmt::format("the shape needs {} bytes of data, {} follow", size, data.size()));
  array.values.resize(count);
  is_double ? widen<double>(data, array.values) : widen<float>(data, array.values);
  return array;
}

NpyArray load_npy(const std::string& path) { return parse_npy(read_file(path, std::size_t{1} << 36), path); }

}  // namespace lbann::base
