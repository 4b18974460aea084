// Numbers of any run-time type as double. The 16-bit formats are rounded to nearest even.
#include <bit>
#include <limits>

#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {
namespace {

template <class T>
double get(const void* data, std::int64_t i) {
  return static_cast<double>(static_cast<const T*>(data)[i]);
}

template <class T>
void put_integer(void* data, std::int64_t i, double value) {
  T& target = static_cast<T*>(data)[i];
  const double rounded = std::nearbyint(value);
  // 2^63 is the first double above the range of i64: >= and not >.
  if (std::isnan(rounded)) {
    target = 0;
  } else if (rounded >= static_cast<double>(std::numeric_limits<T>::max())) {
    target = std::numeric_limits<T>::max();
  } else if (rounded <= static_cast<double>(std::numeric_limits<T>::min())) {
    target = std::numeric_limits<T>::min();
  } else {
    target = static_cast<T>(rounded);
  }
}

double bf16_to_double(std::uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
}

// Value of a half: sign, 5 exponent bits (bias 15), 10 fraction bits.
double f16_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
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

// Rounds |value| to a format of `fraction_bits` whose smallest normal is 2^min_exponent: to a
// multiple of the unit in the last place at its magnitude. nearbyint rounds to nearest even.
double round_to_format(double value, int fraction_bits, int min_exponent) {
  const int exponent = std::max(std::ilogb(value), min_exponent);
  const double unit = std::ldexp(1.0, exponent - fraction_bits);
  return std::nearbyint(value / unit) * unit;
}

std::uint16_t double_to_bf16(double value) {
  if (std::isnan(value)) return 0x7fc0;
  if (value != 0 && !std::isinf(value)) value = round_to_format(value, 7, -126);
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16);
}

std::uint16_t double_to_f16(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return 0x7e00;
  double size = std::fabs(value);
  if (size == 0) return sign;
  if (!std::isinf(size)) size = round_to_format(size, 10, -14);
  if (size > 65504) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (size < std::ldexp(1.0, -14)) {
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::ldexp(size, 24)));
  }
  const int exponent = std::ilogb(size);
  const int fraction = static_cast<int>(std::ldexp(size, 10 - exponent)) - 1024;
  return static_cast<std::uint16_t>(sign | ((exponent + 15) << 10) | fraction);
}

}  // namespace

double load(const void* data, tensor::DataType type, std::int64_t i) {
  switch (type) {
    case tensor::DataType::f32:
      return get<float>(data, i);
    case tensor::DataType::f64:
      return get<double>(data, i);
    case tensor::DataType::bf16:
      return bf16_to_double(static_cast<const std::uint16_t*>(data)[i]);
    case tensor::DataType::f16:
      return f16_to_double(static_cast<const std::uint16_t*>(data)[i]);
    case tensor::DataType::i32:
      return get<std::int32_t>(data, i);
    case tensor::DataType::i64:
      return get<std::int64_t>(data, i);
    case tensor::DataType::u8:
      return get<std::uint8_t>(data, i);
  }
  return 0;
}

void store(void* data, tensor::DataType type, std::int64_t i, double value) {
  switch (type) {
    case tensor::DataType::f32:
      static_cast<float*>(data)[i] = static_cast<float>(value);
      return;
    case tensor::DataType::f64:
      static_cast<double*>(data)[i] = value;
      return;
    case tensor::DataType::bf16:
      static_cast<std::uint16_t*>(data)[i] = double_to_bf16(value);
      return;
    case tensor::DataType::f16:
      static_cast<std::uint16_t*>(data)[i] = double_to_f16(value);
      return;
    case tensor::DataType::i32:
      put_integer<std::int32_t>(data, i, value);
      return;
    case tensor::DataType::i64:
      put_integer<std::int64_t>(data, i, value);
      return;
    case tensor::DataType::u8:
      put_integer<std::uint8_t>(data, i, value);
      return;
  }
}

}  // namespace lbann::kernels::reference
