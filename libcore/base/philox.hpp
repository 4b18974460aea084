// Philox4x32-10: a counter-based random generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011). A number is a pure function of where it is used, so results depend neither on
// threads, ranks, evaluation order nor on what else was drawn.
//
// Every number has four coordinates, 64 bits each:
//   key    = make_random_key(seed, trainer)            which run
//   stream = make_stream(name, purpose, ordinal)       which consumer (layer, weights, reader)
//   draw   = a counter the consumer never resets       which use (step, epoch)
//   index  = position in the C-order logical tensor    which element
// Philox takes a 64-bit key and a 128-bit counter: its key is key ^ stream (both are uniform hashes, so two
// consumers meet with probability 2^-64), its counter is (index / values per block, draw).
// Everything here is constexpr over plain integers, so that a CUDA compiler takes the same text.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/box_muller.hpp"

namespace lbann::base {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Ten rounds; the function the published known-answer vectors are about.
constexpr PhiloxCounter philox4x32(PhiloxCounter c, PhiloxKey k) {
  constexpr std::uint64_t m0 = 0xD2511F53u, m1 = 0xCD9E8D57u;
  constexpr std::uint32_t w0 = 0x9E3779B9u, w1 = 0xBB67AE85u;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = m0 * c[0], p1 = m1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k = {k[0] + w0, k[1] + w1};
  }
  return c;
}

/// The key of a run: a hash of the seed and the trainer's number.
std::uint64_t make_random_key(std::uint64_t seed, std::uint64_t trainer = 0);
/// The stream of a consumer, e.g. ("conv1", "dropout mask", 0): no two purposes share numbers.
std::uint64_t make_stream(std::string_view name, std::string_view purpose, std::uint64_t ordinal = 0);

/// All numbers of one (key, stream, draw), addressed by index. A value type of 16 bytes; no state advances.
/// Different kinds of numbers of the same index share their raw bits: give each kind its own stream or draw.
class RandomStream {
public:
  constexpr RandomStream(std::uint64_t key, std::uint64_t stream, std::uint64_t draw = 0)
    : key_(key ^ stream), draw_(draw) {}

  /// The same consumer's numbers at another draw.
  constexpr RandomStream at(std::uint64_t draw) const {
    RandomStream r = *this;
    r.draw_ = draw;
    return r;
  }
  /// The key as Philox sees it; with `draw` what a device kernel needs.
  constexpr std::uint64_t philox_key() const { return key_; }
  constexpr std::uint64_t draw() const { return draw_; }

  /// Four words of raw bits.
  constexpr PhiloxCounter block(std::uint64_t block_index) const {
    return philox4x32({static_cast<std::uint32_t>(block_index), static_cast<std::uint32_t>(block_index >> 32),
                       static_cast<std::uint32_t>(draw_), static_cast<std::uint32_t>(draw_ >> 32)},
                      {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
  }
  /// 32 random bits: word index % 4 of block index / 4.
  constexpr std::uint32_t word(std::uint64_t index) const { return block(index / 4)[index % 4]; }
  /// 64 random bits: words (0,1) or (2,3) of block index / 2, low word first.
  constexpr std::uint64_t word64(std::uint64_t index) const { return pair(block(index / 2), index % 2); }

  /// Uniform in [0,1), a multiple of 2^-24: from `word(index)`.
  constexpr float uniform(std::uint64_t index) const { return to_uniform(word(index)); }
  /// Uniform in [0,1), a multiple of 2^-53: from `word64(index)`.
  constexpr double uniform_double(std::uint64_t index) const { return to_uniform_double(word64(index)); }

  /// True with probability p: uniform(index) < p, p rounded to float. p = 1 is always true, p = 0 never.
  constexpr bool bernoulli(double p, std::uint64_t index) const {
    return uniform(index) < static_cast<float>(p);
  }

  /// Standard normal, |x| <= 8.58: one block gives the pair of indices (2b, 2b + 1), see box_muller.hpp.
  double normal(std::uint64_t index) const { return normal_pair(index / 2)[index % 2]; }
  /// The normals of indices 2b and 2b + 1.
  std::array<double, 2> normal_pair(std::uint64_t b) const { return box_muller(block(b)); }

  /// Uniform in 0..n-1 without modulo bias (Lemire's multiply and reject), n >= 1, index < 2^48: takes
  /// the 64-bit words of block(index), then, with probability below (n / 2^64)^2, of further blocks.
  constexpr std::uint64_t bounded(std::uint64_t n, std::uint64_t index) const {
    const std::uint64_t threshold = (0 - n) % n;  // 2^64 mod n
    for (std::uint64_t attempt = 0;; ++attempt) {
      const PhiloxCounter w = block(index + (attempt << 48));
      for (unsigned half = 0; half < 2; ++half) {
        const Product p = multiply(pair(w, half), n);
        if (p.low >= threshold) return p.high;
      }
    }
  }

  static constexpr float to_uniform(std::uint32_t w) { return static_cast<float>(w >> 8) * 0x1p-24f; }
  static constexpr double to_uniform_double(std::uint64_t w) {
    return static_cast<double>(w >> 11) * 0x1p-53;
  }

private:
  struct Product {
    std::uint64_t high, low;
  };
  static constexpr std::uint64_t pair(const PhiloxCounter& w, std::uint64_t half) {
    return w[2 * half] | static_cast<std::uint64_t>(w[2 * half + 1]) << 32;
  }
  static constexpr Product multiply(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t a0 = a & 0xFFFFFFFFu, a1 = a >> 32, b0 = b & 0xFFFFFFFFu, b1 = b >> 32;
    const std::uint64_t low = a0 * b0, mid1 = a1 * b0 + (low >> 32), mid2 = a0 * b1 + (mid1 & 0xFFFFFFFFu);
    return {a1 * b1 + (mid1 >> 32) + (mid2 >> 32), (mid2 << 32) | (low & 0xFFFFFFFFu)};
  }

  std::uint64_t key_;
  std::uint64_t draw_;
};

/// out[i] = uniform(first + i); several times faster than one call per element.
void fill_uniform(const RandomStream& stream, std::span<float> out, std::uint64_t first = 0);
/// out[i] = bernoulli(p, first + i) ? value : 0
void fill_bernoulli(const RandomStream& stream, double p, float value, std::span<float> out,
                    std::uint64_t first = 0);
/// out[i] = normal(first + i), rounded to float.
void fill_normal(const RandomStream& stream, std::span<float> out, std::uint64_t first = 0);

/// out[i] = mean + deviation * normal(first + i), computed in double.
void fill_normal(const RandomStream& stream, double mean, double deviation, std::span<float> out,
                 std::uint64_t first = 0);
void fill_normal(const RandomStream& stream, double mean, double deviation, std::span<double> out,
                 std::uint64_t first = 0);
/// out[i] = low + (high - low) * uniform_double(first + i), computed in double and below high whatever the
/// type.
void fill_uniform(const RandomStream& stream, double low, double high, std::span<float> out,
                  std::uint64_t first = 0);
void fill_uniform(const RandomStream& stream, double low, double high, std::span<double> out,
                  std::uint64_t first = 0);

/// Shuffles in place (Fisher-Yates from the end; the partner of position i is bounded(i + 1, i)).
void shuffle(const RandomStream& stream, std::span<std::int64_t> items);
/// A permutation of 0..n-1 that any epoch can ask for directly: draw = epoch.
std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t key, std::uint64_t stream,
                                      std::uint64_t epoch);

}  // namespace lbann::base
