// exp, expm1, log, tanh of a float without branches or calls, so that loops over them vectorise on
// every instruction set with the same bits (all roundings are explicit). At most 1.5 ulp off, measured
// over every third float (a sample: tests/kernels/cpu_ewise_test.cpp); subnormal results, infinities and NaN
// are right.
//
// Argument reduction as usual: exp by x = k ln 2 + r, log by x = 2^e m with m in [sqrt(1/2), sqrt(2)).
// The polynomials are our own minimax fits (weighted least squares with Lawson's iteration) of
//   (e^r - 1 - r) / r^2,   (log(1+f) - f + f^2/2) / f^3,   (tanh(x)/x - 1) / x^2 in x^2.
#pragma once

#include <cstdint>

#include "kernels/shared/host_device.hpp"
#include "kernels/shared/special_functions.hpp"

namespace lbann::kernels::cpu {

struct FastMath {
  static LBANN_HOST_DEVICE float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
  static LBANN_HOST_DEVICE float from_bits(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }
  static LBANN_HOST_DEVICE std::uint32_t to_bits(float x) { return __builtin_bit_cast(std::uint32_t, x); }

  static LBANN_HOST_DEVICE float sqrt(float x) { return __builtin_sqrtf(x); }

  // x = k ln 2 + r, |r| <= ln(2)/2, for |x| < 2^21; k is returned as a float.
  static LBANN_HOST_DEVICE float reduce(float x, float& r) {
    const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const float k = fma(x, 1.44269504f, shifter) - shifter;
    r = fma(k, -0.693145752f, x);
    r = fma(k, -1.42860677e-6f, r);
    return k;
  }

  // e^r - 1 for |r| <= ln(2)/2
  static LBANN_HOST_DEVICE float expm1_reduced(float r) {
    float q = fma(1.381460228e-03f, r, 8.368715644e-03f);
    q = fma(q, r, 4.166838899e-02f);
    q = fma(q, r, 1.666652113e-01f);
    q = fma(q, r, 4.999999404e-01f);
    return fma(q * r, r, r);
  }

  static LBANN_HOST_DEVICE float exp(float x) {
    // Clamped where the result is 0 or infinite anyway; NaN passes both comparisons.
    float clamped = x < -104.0f ? -104.0f : x;
    clamped = clamped > 89.0f ? 89.0f : clamped;
    float r;
    const float k = reduce(clamped, r);
    const float p = expm1_reduced(r) + 1.0f;
    // 2^k in two factors, each a normal number, so that subnormal results round once.
    const std::int32_t whole = static_cast<std::int32_t>(k);
    const std::int32_t half = whole >> 1;
    const float s0 = from_bits(static_cast<std::uint32_t>(half + 127) << 23);
    const float s1 = from_bits(static_cast<std::uint32_t>(whole - half + 127) << 23);
    return p * s0 * s1;
  }

  static LBANN_HOST_DEVICE float expm1(float x) {
    float clamped = x < -30.0f ? -30.0f : x;  // -1 from -17.4 on
    clamped = clamped > 89.0f ? 89.0f : clamped;
    float r;
    const float k = reduce(clamped, r);
    const float p = expm1_reduced(r);
    // 2^k (1 + p) - 1 = 2 (s p + (s - 1/2)), s = 2^(k-1): finite up to the largest result.
    const float s = from_bits(static_cast<std::uint32_t>(static_cast<std::int32_t>(k) + 126) << 23);
    const float y = 2.0f * fma(s, p, s - 0.5f);
    return k == 0.0f ? p : y;
  }

  static LBANN_HOST_DEVICE float log(float x) {
    const bool subnormal = x < 1.17549435e-38f;
    const float scaled = subnormal ? x * 8388608.0f : x;  // 2^23
    const std::uint32_t bits = to_bits(scaled);
    const std::int32_t e = static_cast<std::int32_t>(bits - 0x3f3504f3u) >> 23;  // sqrt(1/2)
    const float m = from_bits(bits - (static_cast<std::uint32_t>(e) << 23));
    const float exponent = static_cast<float>(e) - (subnormal ? 23.0f : 0.0f);
    const float f = m - 1.0f;
    float q = fma(6.746723503e-02f, f, -1.167578250e-01f);
    q = fma(q, f, 1.188819706e-01f);
    q = fma(q, f, -1.240557134e-01f);
    q = fma(q, f, 1.421954632e-01f);
    q = fma(q, f, -1.666799635e-01f);
    q = fma(q, f, 2.000211924e-01f);
    q = fma(q, f, -2.500000894e-01f);
    q = fma(q, f, 3.333331347e-01f);
    const float f2 = f * f;
    float y = fma(exponent, -2.12194440e-4f, q * f * f2);  // ln 2 = 0.693359375 - 2.12194440e-4
    y = fma(f2, -0.5f, y);
    y = fma(exponent, 0.693359375f, f + y);
    y = x == 0.0f ? -__builtin_inff() : y;
    y = x < 0.0f ? __builtin_nanf("") : y;
    return x - x == 0.0f ? y : (x < 0.0f ? __builtin_nanf("") : x);  // inf and NaN: themselves
  }

  static LBANN_HOST_DEVICE float tanh(float x) {
    const float size = x < 0.0f ? -x : x;
    const float z = x * x;
    float q = fma(2.147539984e-03f, z, -8.182677440e-03f);
    q = fma(q, z, 2.170296945e-02f);
    q = fma(q, z, -5.394720286e-02f);
    q = fma(q, z, 1.333321035e-01f);
    q = fma(q, z, -3.333333135e-01f);
    const float near_zero = fma(q * z, x, x);
    const float far = 1.0f - 2.0f / (exp(2.0f * size) + 1.0f);
    const float signed_far = x < 0.0f ? -far : far;
    return size < 0.625f ? near_zero : signed_far;
  }

  // log(u), u = 1 + x rounded, and what the rounding took away.
  static LBANN_HOST_DEVICE float log1p(float x) {
    const float u = 1.0f + x;
    const float lost = x - (u - 1.0f);
    const float rough = log(u);
    float y = rough + lost / u;
    y = u == 1.0f ? x : y;
    y = u == 0.0f ? rough : y;
    return u - u == 0.0f ? y : rough;
  }

  // Near 0: x + x p(x^2). Else 1 - exp(-t (1 + q(t))), t = |x| up to 4, where it is 1.
  static LBANN_HOST_DEVICE float erf(float x) {
    const float size = x < 0.0f ? -x : x;
    const float z = x * x;
    float p = fma(-5.95373924e-04f, z, 4.98594007e-03f);
    p = fma(p, z, -2.67617195e-02f);
    p = fma(p, z, 1.12816825e-01f);
    p = fma(p, z, -3.76124811e-01f);
    p = fma(p, z, 1.28379148e-01f);
    const float near_zero = fma(p, x, x);
    const float t = size > 4.0f ? 4.0f : size;
    float q = fma(-2.13985925e-04f, t, 3.21496309e-03f);
    q = fma(q, t, -2.28899865e-02f);
    q = fma(q, t, 1.05261875e-01f);
    q = fma(q, t, 6.35718292e-01f);
    q = fma(q, t, 1.28514367e-01f);
    const float far = 1.0f - exp(-fma(q, t, t));
    const float signed_far = x < 0.0f ? -far : far;
    return size < 0.93f ? near_zero : signed_far;
  }

  static LBANN_HOST_DEVICE float sinh(float x) {
    const float size = x < 0.0f ? -x : x;
    const float e = expm1(size);
    const float small = 0.5f * (e + e / (e + 1.0f));
    const float root = exp(0.5f * size);  // exp(size) may overflow although half of it does not
    const float y = size < 20.0f ? small : 0.5f * root * root;
    return x < 0.0f ? -y : y;
  }

  static LBANN_HOST_DEVICE float cosh(float x) {
    const float size = x < 0.0f ? -x : x;
    const float root = exp(0.5f * size);
    const float e = exp(size);
    return size < 20.0f ? 0.5f * (e + 1.0f / e) : 0.5f * root * root;
  }

  static LBANN_HOST_DEVICE float asinh(float x) {
    const float size = x < 0.0f ? -x : x;
    const float z = size * size;
    const float small = log1p(size + z / (1.0f + sqrt(1.0f + z)));
    const float y = size < 1e6f ? small : log(size) + 0.693147181f;
    return x < 0.0f ? -y : y;
  }

  static LBANN_HOST_DEVICE float acosh(float x) {
    const float t = x - 1.0f;
    const float small = log1p(t + sqrt(t * (t + 2.0f)));
    const float y = x > 1e6f ? log(x) + 0.693147181f : small;
    return x < 1.0f ? __builtin_nanf("") : y;
  }

  static LBANN_HOST_DEVICE float atanh(float x) {
    const float size = x < 0.0f ? -x : x;
    const float y = 0.5f * log1p(2.0f * size / (1.0f - size));
    return x < 0.0f ? -y : y;
  }

  // The C library's: a few nanoseconds each, within 1 ulp.
  static LBANN_HOST_DEVICE float sin(float x) { return __builtin_sinf(x); }
  static LBANN_HOST_DEVICE float cos(float x) { return __builtin_cosf(x); }
  static LBANN_HOST_DEVICE float tan(float x) { return __builtin_tanf(x); }
  static LBANN_HOST_DEVICE float asin(float x) { return __builtin_asinf(x); }
  static LBANN_HOST_DEVICE float acos(float x) { return __builtin_acosf(x); }
  static LBANN_HOST_DEVICE float atan(float x) { return __builtin_atanf(x); }
  static LBANN_HOST_DEVICE float fmod(float x, float y) { return __builtin_fmodf(x, y); }
  static LBANN_HOST_DEVICE float pow(float x, float y) { return __builtin_powf(x, y); }
  static LBANN_HOST_DEVICE float floor(float x) { return __builtin_floorf(x); }
  static LBANN_HOST_DEVICE float ceil(float x) { return __builtin_ceilf(x); }
  static LBANN_HOST_DEVICE float trunc(float x) { return __builtin_truncf(x); }
  static LBANN_HOST_DEVICE float erfinv(float x) {
    return static_cast<float>(shared::erfinv(static_cast<double>(x)));
  }
  static LBANN_HOST_DEVICE float uniform_hash(float x) { return shared::uniform_hash(x); }
};

}  // namespace lbann::kernels::cpu
