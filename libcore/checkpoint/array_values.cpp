// See array_values.hpp. bfloat16 is float32's upper half; IEEE half has 5 exponent bits, bias 15, and
// subnormals in steps of 2^-24.
#include "checkpoint/array_values.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/diagnostic.hpp"

namespace lbann::checkpoint {
namespace {

using tensor::DataType;

double value_of_bf16(std::uint16_t bits) {
  return double{std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16)};
}

double value_of_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u, mantissa = bits & 1023u;
  if (exponent == 0) {
    const double value = std::ldexp(static_cast<double>(mantissa), -24);
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return double{std::bit_cast<float>(sign | wide << 23 | mantissa << 13)};
}

template <typename T, typename Widen>
std::vector<double> widen(const LoadedArray& a, Widen to_double) {
  std::vector<double> values(a.bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T element;
    std::memcpy(&element, a.bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = to_double(element);
  }
  return values;
}

template <typename T>
void narrow(const std::vector<double>& values, std::vector<std::byte>& bytes) {
  bytes.resize(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T element = static_cast<T>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
  }
}

}  // namespace

std::vector<double> values_of(const LoadedArray& array) {
  const auto cast = [](auto element) { return static_cast<double>(element); };
  switch (array.type) {
    case DataType::f32:
      return widen<float>(array, cast);
    case DataType::f64:
      return widen<double>(array, cast);
    case DataType::bf16:
      return widen<std::uint16_t>(array, value_of_bf16);
    case DataType::f16:
      return widen<std::uint16_t>(array, value_of_f16);
    case DataType::i32:
      return widen<std::int32_t>(array, cast);
    case DataType::i64:
      return widen<std::int64_t>(array, cast);
    case DataType::u8:
      return widen<std::uint8_t>(array, cast);
  }
  return {};
}

LoadedArray convert(const LoadedArray& array, DataType type) {
  LoadedArray result{type, array.shape, {}};
  if (type == DataType::f32) {
    narrow<float>(values_of(array), result.bytes);
  } else if (type == DataType::f64) {
    narrow<double>(values_of(array), result.bytes);
  } else {
    throw base::Error(base::ExitCode::internal, "arrays are converted to f32 and f64 only");
  }
  return result;
}

}  // namespace lbann::checkpoint
