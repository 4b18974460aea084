// Loops of local response normalisation over lines of values whose neighbouring channels are `step` floats
// apart. Lines stand in buffers with room for a window before and behind, where squares and products are 0.
// Included by isa_*.cpp only, everything internal.
#pragma once

#include "kernels/cpu/fast_math.hpp"
#include "kernels/cpu/loops.hpp"

namespace lbann::kernels::cpu {
namespace {

// s^-beta for s >= 0. The two exponents of the usual network cost three roots instead of exp and log.
inline float lrn_power(float s, float beta) { return FastMath::exp(-beta * FastMath::log(s)); }
inline float lrn_power_3_4(float s) {
  const float root = FastMath::sqrt(s);
  return 1.0f / (root * FastMath::sqrt(root));
}

// s[i] = k + alpha * sum of squares of x over the window
inline void lrn_energy(const float* square, float* s, std::int64_t n, const LrnWindow& w) {
  for (std::int64_t i = 0; i < n; ++i) s[i] = square[i - w.before * w.step];
  for (std::int64_t j = 1 - w.before; j <= w.behind; ++j) {
    const float* shifted = square + j * w.step;
    LBANN_IVDEP
    for (std::int64_t i = 0; i < n; ++i) s[i] += shifted[i];
  }
  LBANN_IVDEP
  for (std::int64_t i = 0; i < n; ++i) s[i] = FastMath::fma(w.alpha, s[i], w.k);
}

void lrn_loop(const float* x, float* y, float* square, float* s, std::int64_t n, const LrnWindow& w) {
  LBANN_IVDEP
  for (std::int64_t i = 0; i < n; ++i) square[i] = x[i] * x[i];
  lrn_energy(square, s, n, w);
  if (w.beta == 0.75f) {
    LBANN_IVDEP
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * lrn_power_3_4(s[i]);
  } else {
    LBANN_IVDEP
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * lrn_power(s[i], w.beta);
  }
}

// Windows of the gradient are mirrored: channel i is in those of i - behind .. i + before.
void lrn_bwd_loop(const float* dy, const float* x, float* dx, float* square, float* product, float* s,
                  std::int64_t n, const LrnWindow& w) {
  LBANN_IVDEP
  for (std::int64_t i = 0; i < n; ++i) square[i] = x[i] * x[i];
  lrn_energy(square, s, n, w);
  if (w.beta == 0.75f) {
    LBANN_IVDEP
    for (std::int64_t i = 0; i < n; ++i) {
      const float own = dy[i] * lrn_power_3_4(s[i]);
      product[i] = own * x[i] / s[i];
      dx[i] = own;
    }
  } else {
    LBANN_IVDEP
    for (std::int64_t i = 0; i < n; ++i) {
      const float own = dy[i] * lrn_power(s[i], w.beta);
      product[i] = own * x[i] / s[i];
      dx[i] = own;
    }
  }
  for (std::int64_t i = 0; i < n; ++i) s[i] = product[i - w.behind * w.step];
  for (std::int64_t j = 1 - w.behind; j <= w.before; ++j) {
    const float* shifted = product + j * w.step;
    LBANN_IVDEP
    for (std::int64_t i = 0; i < n; ++i) s[i] += shifted[i];
  }
  const float factor = -2.0f * w.alpha * w.beta;
  LBANN_IVDEP
  for (std::int64_t i = 0; i < n; ++i) dx[i] = FastMath::fma(factor * x[i], s[i], dx[i]);
}

}  // namespace
}  // namespace lbann::kernels::cpu
