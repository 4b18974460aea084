// Eight or sixteen floats as one value, for loops the compiler does not vectorise well by itself.
// Vec8 is an AVX2 register where the including file is compiled for it, else an array; Vec16 is an
// AVX-512 register or two Vec8. Included by isa_*.cpp only, everything internal and always inlined.
//
// load(p, n, rest): the first n lanes from memory, the others from `rest`. select_gt(x, y, a, b):
// x > y ? a : b lane by lane, b where a NaN takes part; select_eq likewise.
#pragma once

#include <cstdint>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace lbann::kernels::cpu {
namespace {

#define LBANN_VEC inline __attribute__((always_inline))

#if defined(__AVX2__)

struct Vec8 {
  static constexpr int lanes = 8;
  __m256 v;
  static LBANN_VEC __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static LBANN_VEC Vec8 zero() { return {_mm256_setzero_ps()}; }
  static LBANN_VEC Vec8 set(float x) { return {_mm256_set1_ps(x)}; }
  static LBANN_VEC Vec8 load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static LBANN_VEC Vec8 load(const float* p, int n, Vec8 rest) {
    const __m256i mask = first(n);
    return {_mm256_blendv_ps(rest.v, _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask))};
  }
  static LBANN_VEC Vec8 load_bytes(const std::uint8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
  }
  LBANN_VEC void store(float* p) const { _mm256_storeu_ps(p, v); }
  LBANN_VEC void store(float* p, int n) const { _mm256_maskstore_ps(p, first(n), v); }
  LBANN_VEC void store_bytes(std::uint8_t* p) const {
    const __m256i words = _mm256_cvttps_epi32(v);
    const __m128i halves =
        _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(halves, halves));
  }
};
LBANN_VEC Vec8 operator+(Vec8 x, Vec8 y) { return {_mm256_add_ps(x.v, y.v)}; }
LBANN_VEC Vec8 operator-(Vec8 x, Vec8 y) { return {_mm256_sub_ps(x.v, y.v)}; }
LBANN_VEC Vec8 operator*(Vec8 x, Vec8 y) { return {_mm256_mul_ps(x.v, y.v)}; }
LBANN_VEC Vec8 fma(Vec8 x, Vec8 y, Vec8 z) { return {_mm256_fmadd_ps(x.v, y.v, z.v)}; }
LBANN_VEC Vec8 select_gt(Vec8 x, Vec8 y, Vec8 a, Vec8 b) {
  return {_mm256_blendv_ps(b.v, a.v, _mm256_cmp_ps(x.v, y.v, _CMP_GT_OQ))};
}
LBANN_VEC Vec8 select_eq(Vec8 x, Vec8 y, Vec8 a, Vec8 b) {
  return {_mm256_blendv_ps(b.v, a.v, _mm256_cmp_ps(x.v, y.v, _CMP_EQ_OQ))};
}
LBANN_VEC bool all_zero(Vec8 x) {
  return _mm256_movemask_ps(_mm256_cmp_ps(x.v, _mm256_setzero_ps(), _CMP_EQ_OQ)) == 0xff;
}

#else

struct Vec8 {
  static constexpr int lanes = 8;
  float v[8];
  template <class F>
  static LBANN_VEC Vec8 of(F f) {
    Vec8 r;
    for (int i = 0; i < 8; ++i) r.v[i] = f(i);
    return r;
  }
  static LBANN_VEC Vec8 zero() { return set(0.0f); }
  static LBANN_VEC Vec8 set(float x) {
    return of([=](int) { return x; });
  }
  static LBANN_VEC Vec8 load(const float* p) {
    return of([=](int i) { return p[i]; });
  }
  static LBANN_VEC Vec8 load(const float* p, int n, const Vec8& rest) {
    Vec8 r = rest;
    for (int i = 0; i < n && i < 8; ++i) r.v[i] = p[i];
    return r;
  }
  static LBANN_VEC Vec8 load_bytes(const std::uint8_t* p) {
    return of([=](int i) { return static_cast<float>(p[i]); });
  }
  LBANN_VEC void store(float* p) const { store(p, 8); }
  LBANN_VEC void store(float* p, int n) const {
    for (int i = 0; i < n && i < 8; ++i) p[i] = v[i];
  }
  LBANN_VEC void store_bytes(std::uint8_t* p) const {
    for (int i = 0; i < 8; ++i) p[i] = static_cast<std::uint8_t>(v[i]);
  }
};
LBANN_VEC Vec8 operator+(const Vec8& x, const Vec8& y) {
  return Vec8::of([&](int i) { return x.v[i] + y.v[i]; });
}
LBANN_VEC Vec8 operator-(const Vec8& x, const Vec8& y) {
  return Vec8::of([&](int i) { return x.v[i] - y.v[i]; });
}
LBANN_VEC Vec8 operator*(const Vec8& x, const Vec8& y) {
  return Vec8::of([&](int i) { return x.v[i] * y.v[i]; });
}
LBANN_VEC Vec8 fma(const Vec8& x, const Vec8& y, const Vec8& z) {
  return Vec8::of([&](int i) { return __builtin_fmaf(x.v[i], y.v[i], z.v[i]); });
}
LBANN_VEC Vec8 select_gt(const Vec8& x, const Vec8& y, const Vec8& a, const Vec8& b) {
  return Vec8::of([&](int i) { return x.v[i] > y.v[i] ? a.v[i] : b.v[i]; });
}
LBANN_VEC Vec8 select_eq(const Vec8& x, const Vec8& y, const Vec8& a, const Vec8& b) {
  return Vec8::of([&](int i) { return x.v[i] == y.v[i] ? a.v[i] : b.v[i]; });
}
LBANN_VEC bool all_zero(const Vec8& x) {
  bool zero = true;
  for (int i = 0; i < 8; ++i) zero = zero && x.v[i] == 0.0f;
  return zero;
}

#endif

#if defined(__AVX512F__)

struct Vec16 {
  static constexpr int lanes = 16;
  __m512 v;
  static LBANN_VEC __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static LBANN_VEC Vec16 zero() { return {_mm512_setzero_ps()}; }
  static LBANN_VEC Vec16 set(float x) { return {_mm512_set1_ps(x)}; }
  static LBANN_VEC Vec16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static LBANN_VEC Vec16 load(const float* p, int n, Vec16 rest) {
    return {_mm512_mask_loadu_ps(rest.v, first(n), p)};
  }
  static LBANN_VEC Vec16 load_bytes(const std::uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  LBANN_VEC void store(float* p) const { _mm512_storeu_ps(p, v); }
  LBANN_VEC void store(float* p, int n) const { _mm512_mask_storeu_ps(p, first(n), v); }
  LBANN_VEC void store_bytes(std::uint8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(v)));
  }
};
LBANN_VEC Vec16 operator+(Vec16 x, Vec16 y) { return {_mm512_add_ps(x.v, y.v)}; }
LBANN_VEC Vec16 operator-(Vec16 x, Vec16 y) { return {_mm512_sub_ps(x.v, y.v)}; }
LBANN_VEC Vec16 operator*(Vec16 x, Vec16 y) { return {_mm512_mul_ps(x.v, y.v)}; }
LBANN_VEC Vec16 fma(Vec16 x, Vec16 y, Vec16 z) { return {_mm512_fmadd_ps(x.v, y.v, z.v)}; }
LBANN_VEC Vec16 select_gt(Vec16 x, Vec16 y, Vec16 a, Vec16 b) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, y.v, _CMP_GT_OQ), b.v, a.v)};
}
LBANN_VEC Vec16 select_eq(Vec16 x, Vec16 y, Vec16 a, Vec16 b) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, y.v, _CMP_EQ_OQ), b.v, a.v)};
}
LBANN_VEC bool all_zero(Vec16 x) {
  return _mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_EQ_OQ) == 0xffff;
}

#else

struct Vec16 {
  static constexpr int lanes = 16;
  Vec8 lo, hi;
  static LBANN_VEC Vec16 zero() { return {Vec8::zero(), Vec8::zero()}; }
  static LBANN_VEC Vec16 set(float x) { return {Vec8::set(x), Vec8::set(x)}; }
  static LBANN_VEC Vec16 load(const float* p) { return {Vec8::load(p), Vec8::load(p + 8)}; }
  static LBANN_VEC Vec16 load(const float* p, int n, const Vec16& rest) {
    return {Vec8::load(p, n, rest.lo), Vec8::load(p + 8, n - 8, rest.hi)};
  }
  static LBANN_VEC Vec16 load_bytes(const std::uint8_t* p) {
    return {Vec8::load_bytes(p), Vec8::load_bytes(p + 8)};
  }
  LBANN_VEC void store(float* p) const {
    lo.store(p);
    hi.store(p + 8);
  }
  LBANN_VEC void store(float* p, int n) const {
    lo.store(p, n);
    hi.store(p + 8, n - 8);
  }
  LBANN_VEC void store_bytes(std::uint8_t* p) const {
    lo.store_bytes(p);
    hi.store_bytes(p + 8);
  }
};
LBANN_VEC Vec16 operator+(const Vec16& x, const Vec16& y) { return {x.lo + y.lo, x.hi + y.hi}; }
LBANN_VEC Vec16 operator-(const Vec16& x, const Vec16& y) { return {x.lo - y.lo, x.hi - y.hi}; }
LBANN_VEC Vec16 operator*(const Vec16& x, const Vec16& y) { return {x.lo * y.lo, x.hi * y.hi}; }
LBANN_VEC Vec16 fma(const Vec16& x, const Vec16& y, const Vec16& z) {
  return {fma(x.lo, y.lo, z.lo), fma(x.hi, y.hi, z.hi)};
}
LBANN_VEC Vec16 select_gt(const Vec16& x, const Vec16& y, const Vec16& a, const Vec16& b) {
  return {select_gt(x.lo, y.lo, a.lo, b.lo), select_gt(x.hi, y.hi, a.hi, b.hi)};
}
LBANN_VEC Vec16 select_eq(const Vec16& x, const Vec16& y, const Vec16& a, const Vec16& b) {
  return {select_eq(x.lo, y.lo, a.lo, b.lo), select_eq(x.hi, y.hi, a.hi, b.hi)};
}
LBANN_VEC bool all_zero(const Vec16& x) { return all_zero(x.lo) && all_zero(x.hi); }

#endif

// Adds the lanes to doubles, one by one.
template <class V>
LBANN_VEC void add_lanes(const V& x, double* sums) {
  float lanes[V::lanes];
  x.store(lanes);
  for (int i = 0; i < V::lanes; ++i) sums[i] += static_cast<double>(lanes[i]);
}

// Sum of an array of lanes, in a fixed order.
template <int N>
LBANN_VEC double sum_tree(const double* lanes) {
  double sums[N];
  for (int i = 0; i < N; ++i) sums[i] = lanes[i];
  for (int width = N / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  return sums[0];
}

}  // namespace
}  // namespace lbann::kernels::cpu
