// See constant.hpp. Layouts of the number formats: ONNX's onnx.proto (raw_data is little-endian; float16,
// bfloat16, small integers and booleans lie in int32_data when there is no raw_data).
#include "onnx/import/constant.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/diagnostic.hpp"
#include "base/files.hpp"

namespace lbann::onnx {
namespace {

using T = ::onnx::TensorProto;

/// Bytes of an element in raw data; 0: a type that is not read.
std::int64_t element_bytes(int type) {
  switch (type) {
    case T::BOOL:
    case T::INT8:
    case T::UINT8:
      return 1;
    case T::INT16:
    case T::UINT16:
    case T::FLOAT16:
    case T::BFLOAT16:
      return 2;
    case T::FLOAT:
    case T::INT32:
    case T::UINT32:
      return 4;
    case T::DOUBLE:
    case T::INT64:
    case T::UINT64:
      return 8;
    default:
      return 0;
  }
}

double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  double value = 0;
  if (exponent == 31) {
    value =
        fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

double bfloat_to_double(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return static_cast<double>(value);
}

template <class Stored, class Number>
void copy_raw(const char* bytes, std::int64_t n, Number* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    Stored value;
    std::memcpy(&value, bytes + static_cast<std::size_t>(i) * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<Number>(value);
  }
}

template <class Number>
void decode_raw(int type, const char* bytes, std::int64_t n, Number* out) {
  switch (type) {
    case T::BOOL:
    case T::UINT8:
      return copy_raw<std::uint8_t>(bytes, n, out);
    case T::INT8:
      return copy_raw<std::int8_t>(bytes, n, out);
    case T::INT16:
      return copy_raw<std::int16_t>(bytes, n, out);
    case T::UINT16:
      return copy_raw<std::uint16_t>(bytes, n, out);
    case T::INT32:
      return copy_raw<std::int32_t>(bytes, n, out);
    case T::UINT32:
      return copy_raw<std::uint32_t>(bytes, n, out);
    case T::INT64:
      return copy_raw<std::int64_t>(bytes, n, out);
    case T::UINT64:
      return copy_raw<std::uint64_t>(bytes, n, out);
    case T::FLOAT:
      return copy_raw<float>(bytes, n, out);
    case T::DOUBLE:
      return copy_raw<double>(bytes, n, out);
    default:
      break;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes + 2 * i, 2);
    out[i] = static_cast<Number>(type == T::FLOAT16 ? half_to_double(bits) : bfloat_to_double(bits));
  }
}

std::int64_t typed_count(const T& t) {
  switch (t.data_type()) {
    case T::FLOAT:
      return t.float_data_size();
    case T::DOUBLE:
      return t.double_data_size();
    case T::INT64:
      return t.int64_data_size();
    case T::UINT32:
    case T::UINT64:
      return t.uint64_data_size();
    default:
      return t.int32_data_size();
  }
}

template <class Number>
Number typed_element(const T& t, int i) {
  switch (t.data_type()) {
    case T::FLOAT:
      return static_cast<Number>(t.float_data(i));
    case T::DOUBLE:
      return static_cast<Number>(t.double_data(i));
    case T::INT64:
      return static_cast<Number>(t.int64_data(i));
    case T::UINT32:
    case T::UINT64:
      return static_cast<Number>(t.uint64_data(i));
    case T::FLOAT16:
      return static_cast<Number>(half_to_double(static_cast<std::uint16_t>(t.int32_data(i))));
    case T::BFLOAT16:
      return static_cast<Number>(bfloat_to_double(static_cast<std::uint16_t>(t.int32_data(i))));
    default:
      return static_cast<Number>(t.int32_data(i));
  }
}

/// A number of an external_data entry.
std::int64_t parse_entry(const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  if (text.empty() || text.size() > 18) throw Malformed(fmt::format("external data: {} '{}'", key, text));
  for (const char c : text) {
    if (c < '0' || c > '9') throw Malformed(fmt::format("external data: {} '{}' is no number", key, text));
    value = 10 * value + (c - '0');
  }
  return value;
}

std::int64_t file_size(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw base::Error(base::ExitCode::data, "cannot read the external data '" + path + "'");
  return static_cast<std::int64_t>(in.tellg());
}

/// The location may not leave the model's folder: a downloaded model shall not read other files.
std::string checked_location(const std::string& folder, const std::string& location) {
  if (location.empty()) throw Malformed("external data without a location");
  if (location.front() == '/') throw Malformed("external data at the absolute path '" + location + "'");
  std::string part;
  for (std::size_t i = 0; i <= location.size(); ++i) {
    if (i < location.size() && location[i] != '/') {
      part += location[i];
      continue;
    }
    if (part == "..") throw Malformed("external data outside the model's folder: '" + location + "'");
    part.clear();
  }
  return folder.empty() ? location : folder + "/" + location;
}

std::string npy_header(bool wide, const Dims& dims) {
  std::string shape;
  for (const std::int64_t d : dims) shape += fmt::format("{}, ", d);
  if (dims.size() > 1) shape.resize(shape.size() - 2);
  if (dims.size() == 1) shape.pop_back();
  std::string text =
      fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': ({}), }}", wide ? 8 : 4, shape);
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

constexpr std::int64_t piece = std::int64_t{1} << 18;  // elements copied at a time

}  // namespace

bool is_real(int type) {
  return type == T::FLOAT || type == T::DOUBLE || type == T::FLOAT16 || type == T::BFLOAT16;
}

bool is_integer(int type) { return element_bytes(type) > 0 && !is_real(type); }

std::string type_name(int type) {
  return ::onnx::TensorProto_DataType_IsValid(type)
             ? ::onnx::TensorProto_DataType_Name(static_cast<::onnx::TensorProto_DataType>(type))
             : fmt::format("type {}", type);
}

std::int64_t count_elements(const Dims& dims) {
  std::int64_t n = 1;
  for (const std::int64_t d : dims) {
    if (d < 0) throw Malformed(fmt::format("dim {} of {} is negative", d, to_text(dims)));
    if (d != 0 && n > max_elements / d) throw ImportError(to_text(dims) + " has too many elements");
    n *= d;
  }
  return n;
}

std::string to_text(const Dims& dims) {
  std::vector<std::string> parts;
  for (const std::int64_t d : dims) parts.push_back(d == batch_extent ? "N" : std::to_string(d));
  return fmt::format("[{}]", fmt::join(parts, ","));
}

TensorSource::TensorSource(const T& tensor, const std::string& folder)
  : tensor_(&tensor), dims_(tensor.dims().begin(), tensor.dims().end()) {
  size_ = count_elements(dims_);
  const std::int64_t width = element_bytes(tensor.data_type());
  if (width == 0) throw ImportError("elements of type " + type_name(tensor.data_type()) + " cannot be read");
  if (tensor.data_location() == T::EXTERNAL) {
    std::int64_t length = -1;
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() == "location") file_ = checked_location(folder, entry.value());
      if (entry.key() == "offset") offset_ = parse_entry("offset", entry.value());
      if (entry.key() == "length") length = parse_entry("length", entry.value());
    }
    if (file_.empty()) throw Malformed("external data without a location");
    if (length >= 0 && length != size_ * width) {
      throw Malformed(
          fmt::format("external data of {} bytes, {} needs {}", length, to_text(dims_), size_ * width));
    }
    const std::int64_t there = file_size(file_);
    if (offset_ > there || size_ * width > there - offset_) {
      throw Malformed(fmt::format("external data '{}' has {} bytes, {} from byte {} on need {}", file_, there,
                                  to_text(dims_), offset_, size_ * width));
    }
    return;
  }
  if (tensor.has_raw_data()) {
    const auto bytes = static_cast<std::int64_t>(tensor.raw_data().size());
    if (bytes != size_ * width) {
      throw Malformed(fmt::format("{} bytes of data, {} of {} need {}", bytes, to_text(dims_),
                                  type_name(tensor.data_type()), size_ * width));
    }
  } else if (typed_count(tensor) != size_) {
    throw Malformed(
        fmt::format("{} elements for dims {}, which have {}", typed_count(tensor), to_text(dims_), size_));
  }
}

std::string TensorSource::load_bytes(std::int64_t first, std::int64_t n) const {
  const std::int64_t width = element_bytes(type());
  std::string bytes(static_cast<std::size_t>(n * width), '\0');
  std::ifstream in(file_, std::ios::binary);
  in.seekg(offset_ + first * width);
  in.read(bytes.data(), n * width);
  if (!in) throw base::Error(base::ExitCode::data, "cannot read the external data '" + file_ + "'");
  return bytes;
}

template <class Number>
void TensorSource::read_as(std::int64_t first, std::int64_t n, Number* out) const {
  if (!file_.empty()) {
    decode_raw(type(), load_bytes(first, n).data(), n, out);
  } else if (tensor_->has_raw_data()) {
    decode_raw(type(), tensor_->raw_data().data() + first * element_bytes(type()), n, out);
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      out[i] = typed_element<Number>(*tensor_, static_cast<int>(first + i));
    }
  }
}

void TensorSource::read(std::int64_t first, std::int64_t n, double* out) const { read_as(first, n, out); }
void TensorSource::read(std::int64_t first, std::int64_t n, std::int64_t* out) const {
  if (is_real(type())) throw ImportError("integers are needed, these are " + type_name(type()));
  read_as(first, n, out);
}

Constant::Constant(int type, Dims dims, std::vector<double> values)
  : type_(type), dims_(std::move(dims)), size_(count_elements(dims_)), reals_(std::move(values)) {
  if (is_integer(type)) {
    for (const double v : reals_) integers_.push_back(static_cast<std::int64_t>(v));
  }
}

Constant::Constant(int type, Dims dims, std::vector<std::int64_t> values)
  : type_(type), dims_(std::move(dims)), size_(count_elements(dims_)), integers_(std::move(values)) {
  for (const std::int64_t v : integers_) reals_.push_back(static_cast<double>(v));
}

Constant::Constant(std::string name, TensorSource source)
  : type_(source.type()),
    dims_(source.dims()),
    size_(source.size()),
    name_(std::move(name)),
    source_(std::make_unique<TensorSource>(std::move(source))),
    loaded_(false) {}

std::shared_ptr<const Constant> Constant::reshaped(Dims dims) const {
  auto c = source_ != nullptr  ? std::make_shared<Constant>(name_, *source_)
           : is_integer(type_) ? std::make_shared<Constant>(type_, dims_, integers_)
                               : std::make_shared<Constant>(type_, dims_, reals_);
  c->name_ = name_;
  c->dims_ = std::move(dims);
  return c;
}

const std::vector<double>& Constant::reals() const {
  if (!loaded_) {
    reals_.resize(static_cast<std::size_t>(size_));
    source_->read(0, size_, reals_.data());
    if (is_integer(type_)) {
      integers_.resize(static_cast<std::size_t>(size_));
      source_->read(0, size_, integers_.data());
    }
    loaded_ = true;
  }
  return reals_;
}

const std::vector<std::int64_t>& Constant::integers() const {
  if (!is_integer(type_)) throw ImportError("integers are needed, these are " + type_name(type_));
  reals();
  return integers_;
}

bool Constant::is_uniform(double& value) const {
  if (size_ == 0) return false;
  if (!loaded_) {  // a large weight is told by its first elements
    double head[2] = {};
    const std::int64_t n = std::min<std::int64_t>(size_, 2);
    source_->read(0, n, head);
    if (n == 2 && head[0] != head[1]) return false;
  }
  const std::vector<double>& all = reals();
  value = all[0];
  return std::all_of(all.begin(), all.end(), [&](double v) { return v == all[0]; });
}

void Constant::write_npy(const std::string& path, const Dims& dims) const {
  if (count_elements(dims) != size_) throw std::logic_error("write_npy: dims of another size");
  const bool wide = type_ == T::DOUBLE;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const std::string header = npy_header(wide, dims);
  out.write(header.data(), static_cast<std::streamsize>(header.size()));
  std::vector<double> numbers;
  std::vector<float> narrow;
  for (std::int64_t first = 0; first < size_ && out; first += piece) {
    const std::int64_t n = std::min(piece, size_ - first);
    const auto count = static_cast<std::size_t>(n);
    numbers.resize(count);
    if (loaded_) {
      std::copy_n(reals_.begin() + first, n, numbers.begin());
    } else {
      source_->read(first, n, numbers.data());
    }
    if (wide) {
      out.write(reinterpret_cast<const char*>(numbers.data()), n * 8);
    } else {
      narrow.assign(numbers.begin(), numbers.end());
      out.write(reinterpret_cast<const char*>(narrow.data()), n * 4);
    }
  }
  out.close();
  if (!out) throw base::Error(base::ExitCode::storage, "cannot write '" + path + "'");
}

}  // namespace lbann::onnx
