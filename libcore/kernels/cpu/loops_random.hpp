// Philox4x32-10 (base/philox.hpp) for many blocks side by side: `philox_group` numbers per turn.
//
// A lane of 64 bits holds one word of one block; only its lower half counts. Then the widening products give
// both halves where the next round wants them, and a round is two products, two shifts and two three-way
// exclusive ors. At the end words 0, 1 and 2, 3 of a block are joined to 64 bits and the pairs interleaved;
// lanes 0, 2, .. are given the first half of a vector's blocks, so that this leaves them in order.
// Included by isa_*.cpp only, everything internal.
#pragma once

#include <cstdint>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/cpu/loops.hpp"

namespace lbann::kernels::cpu {
namespace {

#if defined(__AVX512F__)

struct Words {  // one word of 8 blocks
  static constexpr int blocks = 8;
  __m512i v;
  static inline Words set(std::uint64_t x) { return {_mm512_set1_epi64(static_cast<long long>(x))}; }
  static inline Words indices() { return {_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7)}; }
  friend inline Words operator+(Words a, Words b) { return {_mm512_add_epi64(a.v, b.v)}; }
  inline Words high() const { return {_mm512_srli_epi64(v, 32)}; }
  static inline Words product(Words a, Words b) { return {_mm512_mul_epu32(a.v, b.v)}; }
  static inline Words xor3(Words a, Words b, Words c) {
    return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)};
  }
  // The words of the vector's blocks in order.
  static inline void store(Words c0, Words c1, Words c2, Words c3, std::uint32_t* to) {
    const __m512i first = _mm512_mask_shuffle_epi32(c0.v, 0xAAAA, c1.v, _MM_PERM_CCAA);
    const __m512i second = _mm512_mask_shuffle_epi32(c2.v, 0xAAAA, c3.v, _MM_PERM_CCAA);
    _mm512_storeu_si512(to, _mm512_unpacklo_epi64(first, second));
    _mm512_storeu_si512(to + 16, _mm512_unpackhi_epi64(first, second));
  }
};

#elif defined(__AVX2__)

struct Words {  // one word of 4 blocks
  static constexpr int blocks = 4;
  __m256i v;
  static inline Words set(std::uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
  static inline Words indices() { return {_mm256_setr_epi64x(0, 2, 1, 3)}; }
  friend inline Words operator+(Words a, Words b) { return {_mm256_add_epi64(a.v, b.v)}; }
  inline Words high() const { return {_mm256_srli_epi64(v, 32)}; }
  static inline Words product(Words a, Words b) { return {_mm256_mul_epu32(a.v, b.v)}; }
  static inline Words xor3(Words a, Words b, Words c) {
    return {_mm256_xor_si256(_mm256_xor_si256(a.v, b.v), c.v)};
  }
  static inline void store(Words c0, Words c1, Words c2, Words c3, std::uint32_t* to) {
    const __m256i first = _mm256_blend_epi32(c0.v, _mm256_slli_epi64(c1.v, 32), 0xAA);
    const __m256i second = _mm256_blend_epi32(c2.v, _mm256_slli_epi64(c3.v, 32), 0xAA);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_unpacklo_epi64(first, second));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), _mm256_unpackhi_epi64(first, second));
  }
};

#else

struct Words {  // one word of a block
  static constexpr int blocks = 1;
  std::uint64_t v;
  static inline Words set(std::uint64_t x) { return {x}; }
  static inline Words indices() { return {0}; }
  friend inline Words operator+(Words a, Words b) { return {a.v + b.v}; }
  inline Words high() const { return {v >> 32}; }
  static inline Words product(Words a, Words b) { return {(a.v & 0xFFFFFFFFu) * (b.v & 0xFFFFFFFFu)}; }
  static inline Words xor3(Words a, Words b, Words c) { return {a.v ^ b.v ^ c.v}; }
  static inline void store(Words c0, Words c1, Words c2, Words c3, std::uint32_t* to) {
    to[0] = static_cast<std::uint32_t>(c0.v);
    to[1] = static_cast<std::uint32_t>(c1.v);
    to[2] = static_cast<std::uint32_t>(c2.v);
    to[3] = static_cast<std::uint32_t>(c3.v);
  }
};

#endif

constexpr int philox_width = Words::blocks == 8 ? 4 : 2;  // vectors whose chains of products overlap
static_assert(philox_group % (4 * philox_width * Words::blocks) == 0);

// The words of `philox_width` vectors of blocks from `first` on.
inline void philox_some(const PhiloxPlace& p, std::uint64_t first, std::uint32_t* words) {
  Words c0[philox_width], c1[philox_width], c2[philox_width], c3[philox_width];
  for (int i = 0; i < philox_width; ++i) {
    c0[i] = Words::set(first + static_cast<std::uint64_t>(i * Words::blocks)) + Words::indices();
    c1[i] = c0[i].high();
    c2[i] = Words::set(p.draw);
    c3[i] = Words::set(p.draw >> 32);
  }
  std::uint32_t k0 = static_cast<std::uint32_t>(p.key), k1 = static_cast<std::uint32_t>(p.key >> 32);
  const Words m0 = Words::set(0xD2511F53u), m1 = Words::set(0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    const Words key0 = Words::set(k0), key1 = Words::set(k1);
    for (int i = 0; i < philox_width; ++i) {
      const Words p0 = Words::product(m0, c0[i]), p1 = Words::product(m1, c2[i]);
      c0[i] = Words::xor3(p1.high(), c1[i], key0);
      c1[i] = p1;
      c2[i] = Words::xor3(p0.high(), c3[i], key1);
      c3[i] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int i = 0; i < philox_width; ++i)
    Words::store(c0[i], c1[i], c2[i], c3[i], words + static_cast<std::ptrdiff_t>(4 * Words::blocks * i));
}

// The words of a group.
inline void philox_words(const PhiloxPlace& p, std::uint64_t first, std::uint32_t* words) {
  constexpr int step = philox_width * Words::blocks;
  for (int b = 0; b < philox_group / 4; b += step)
    philox_some(p, first + static_cast<std::uint64_t>(b), words + static_cast<std::ptrdiff_t>(4 * b));
}

inline float to_uniform(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word >> 8)) * 0x1p-24f;
}

void philox_uniform_loop(const PhiloxPlace& p, std::uint64_t first, std::int64_t groups, float* out) {
  alignas(64) std::uint32_t words[philox_group];
  for (std::int64_t g = 0; g < groups; ++g, first += philox_group / 4, out += philox_group) {
    philox_words(p, first, words);
    for (int i = 0; i < philox_group; ++i) out[i] = to_uniform(words[i]);
  }
}

void philox_bernoulli_loop(const PhiloxPlace& p, std::uint64_t first, std::int64_t groups, float probability,
                           float value, float* out) {
  alignas(64) std::uint32_t words[philox_group];
  for (std::int64_t g = 0; g < groups; ++g, first += philox_group / 4, out += philox_group) {
    philox_words(p, first, words);
    for (int i = 0; i < philox_group; ++i) out[i] = to_uniform(words[i]) < probability ? value : 0.0f;
  }
}

}  // namespace
}  // namespace lbann::kernels::cpu
