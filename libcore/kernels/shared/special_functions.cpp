// erfinv: a rough inverse, then Newton's steps on erf (on erfc where erf has lost its digits, x near 1),
// with the second-order term (Halley). MD5 for messages below 56 bytes: one block.
#include "kernels/shared/special_functions.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace lbann::kernels::shared {
namespace {

using Block = std::array<std::uint32_t, 16>;

// floor(2^32 |sin(i + 1)|), the constants of the algorithm's 64 steps
std::uint32_t sine_word(int i) {
  return static_cast<std::uint32_t>(std::floor(std::fabs(std::sin(i + 1.0)) * 4294967296.0));
}

constexpr int rotations[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/// The last eight bytes of the digest, the first of them lowest.
std::uint64_t md5_tail(const Block& block) {
  static const std::array<std::uint32_t, 64> sines = [] {
    std::array<std::uint32_t, 64> words{};
    for (int i = 0; i < 64; ++i) words[static_cast<std::size_t>(i)] = sine_word(i);
    return words;
  }();
  const std::array<std::uint32_t, 4> start{0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u};
  auto [a, b, c, d] = start;
  for (std::uint32_t i = 0; i < 64; ++i) {
    const std::uint32_t round = i / 16;
    std::uint32_t f = 0;
    std::uint32_t word = 0;
    switch (round) {
      case 0:
        f = (b & c) | (~b & d), word = i;
        break;
      case 1:
        f = (d & b) | (~d & c), word = (5 * i + 1) % 16;
        break;
      case 2:
        f = b ^ c ^ d, word = (3 * i + 5) % 16;
        break;
      default:
        f = c ^ (b | ~d), word = 7 * i % 16;
        break;
    }
    const std::uint32_t sum = a + f + block[word] + sines[i];
    a = d, d = c, c = b;
    b += std::rotl(sum, rotations[round][i % 4]);
  }
  return (static_cast<std::uint64_t>(d + start[3]) << 32) | (c + start[2]);
}

template <class T>
T hash_bytes(T x) {
  std::array<std::uint8_t, 64> bytes{};
  std::memcpy(bytes.data(), &x, sizeof x);
  bytes[sizeof x] = 0x80;    // end of the message
  bytes[56] = 8 * sizeof x;  // its length in bits
  Block block{};
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(block.data(), bytes.data(), sizeof block);
  return std::ldexp(static_cast<T>(md5_tail(block)), -64);
}

}  // namespace

double erfinv(double x) {
  const double size = std::fabs(x);
  if (std::isnan(x)) return x;
  if (size >= 1) return std::copysign(std::numeric_limits<double>::infinity(), x);
  if (size < 1e-8) return x * 0.88622692545275801;  // sqrt(pi) / 2
  // Winitzki's closed form, good to some thousandths.
  const double l = std::log1p(-size * size);
  const double h = 4.3307467508 + l / 2;  // 2 / (pi a), a = 0.147
  double y = std::sqrt(std::sqrt(h * h - l / 0.147) - h);
  for (int i = 0; i < 4; ++i) {
    const double residual = size < 0.5 ? std::erf(y) - size : (1 - size) - std::erfc(y);
    const double step = residual * 0.88622692545275801 * std::exp(y * y);
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}

float uniform_hash(float x) { return hash_bytes(x); }
double uniform_hash(double x) { return hash_bytes(x); }

}  // namespace lbann::kernels::shared
