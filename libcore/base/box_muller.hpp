// Two standard normal numbers from four random words (Box and Muller, Ann. Math. Stat. 29, 1958):
//
//   x = sqrt(-2 ln u) cos(2 pi v),  y = sqrt(-2 ln u) sin(2 pi v),  u in (0,1], v in [0,1), 53 bits each
//
// Logarithm, sine and cosine are series of our own, from IEEE additions, multiplications, one division and
// one square root: so the numbers are the same bits with every C library, vector width and device (without
// contraction to fma), and the compiler can vectorise. Ranges are reduced exactly; errors stay within a few
// 1e-16 relative to the exact value of each factor.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace lbann::base {

namespace box_muller_detail {

/// An integer below 2^32 as double, in a form that vectorises with every instruction set.
inline double to_double(std::uint32_t i) {
  return std::bit_cast<double>(std::uint64_t{0x4330000000000000u} | i) - 0x1p52;
}

/// The upper 53 of the 64 bits (low, high), as an integer.
inline double upper_53(std::uint32_t low, std::uint32_t high) {
  return to_double(high >> 11) * 0x1p32 + to_double(high << 21 | low >> 11);
}

/// -2 ln u for u in [2^-53, 1]: u = 2^e m with m in [0.707, 1.414), ln m = 2 artanh((m - 1) / (m + 1)).
inline double minus_two_log(double u) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(u);
  const std::uint64_t shifted =
      bits - 0x3FE6A09E667F3BCDu;  // relative to sqrt(1/2): the exponent rounds, not floors
  // e + 2048, from the arithmetic of the biased exponent field; u >= 2^-53 keeps it positive
  const std::uint32_t biased = static_cast<std::uint32_t>((shifted + (std::uint64_t{2048} << 52)) >> 52);
  const double m = std::bit_cast<double>(bits - (shifted & 0xFFF0000000000000u));
  const double e = to_double(biased & 0xFFFu) - 2048.0;
  const double s = (m - 1.0) / (m + 1.0), z = s * s;  // z <= 0.0295
  double p = 1.0 / 23;
  p = p * z + 1.0 / 21;
  p = p * z + 1.0 / 19;
  p = p * z + 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  const double log_m = 2.0 * (s + s * (z * p));
  return -2.0 * (e * 0.693147180559945309417 + log_m);
}

}  // namespace box_muller_detail

inline std::array<double, 2> box_muller(const std::array<std::uint32_t, 4>& w) {
  using namespace box_muller_detail;
  const double u = 1.0 - upper_53(w[0], w[1]) * 0x1p-53;
  const double t = upper_53(w[2], w[3]) * 0x1p-51;  // 4 v: quarter turns
  // The nearest number of quarter turns, 0..4, from the leading bits of v (floor(4 v + 1/2)).
  const std::uint64_t k = (std::uint64_t{w[3]} + 0x20000000u) >> 30;
  const double a = (t - to_double(static_cast<std::uint32_t>(k))) * 1.57079632679489661923;  // -pi/4 .. pi/4
  const double z = a * a;
  double s = -1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = a + a * (z * s);
  double c = 1.0 / 20922789888000.0;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = 1.0 - (z * 0.5 - z * z * c);
  // Odd quarters swap the two, the second and third negate the cosine, the third and fourth the sine; done on
  // the bits, as branches would keep the loop over pairs from being vectorised.
  const std::uint64_t sine = std::bit_cast<std::uint64_t>(s), cosine = std::bit_cast<std::uint64_t>(c);
  const std::uint64_t swap = (sine ^ cosine) & (0 - (k & 1));
  const double x = std::bit_cast<double>((cosine ^ swap) ^ ((k + 1) >> 1 & 1) << 63);
  const double y = std::bit_cast<double>((sine ^ swap) ^ (k >> 1 & 1) << 63);
  const double r = std::sqrt(minus_two_log(u));
  return {r * x, r * y};
}

}  // namespace lbann::base
