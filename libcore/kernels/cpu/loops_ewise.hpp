// Loops over scalar functions and optimizer rules; the compiler vectorises them. Included by
// isa_*.cpp only, everything internal.
#pragma once

#include "kernels/cpu/fast_math.hpp"
#include "kernels/shared/scalar_bodies.hpp"
#include "kernels/shared/update_bodies.hpp"

namespace lbann::kernels::cpu {
namespace {

// Restrict is not true (out may be an operand), but equal indices only: ivdep is.
template <class F>
void ewise_loop(const float* x, [[maybe_unused]] const float* y, [[maybe_unused]] const float* z, float* out,
                std::int64_t n, float a, float b) {
  LBANN_IVDEP
  for (std::int64_t i = 0; i < n; ++i) {
    float yi = 0;
    float zi = 0;
    if constexpr (F::arity > 1) yi = y[i];
    if constexpr (F::arity > 2) zi = z[i];
    out[i] = F::template apply<FastMath>(x[i], yi, zi, a, b);
  }
}

template <class Rule>
void update_loop(const float* w, const float* g, [[maybe_unused]] const float* s0,
                 [[maybe_unused]] const float* s1, float* w_out, [[maybe_unused]] float* s0_out,
                 [[maybe_unused]] float* s1_out, std::int64_t n, const float* scalars) {
  float h[shared::max_update_scalars];
  for (int k = 0; k < shared::max_update_scalars; ++k) h[k] = scalars[k];
  LBANN_IVDEP
  for (std::int64_t i = 0; i < n; ++i) {
    float wi = w[i];
    float a = 0;
    float b = 0;
    if constexpr (Rule::num_states > 0) a = s0[i];
    if constexpr (Rule::num_states > 1) b = s1[i];
    Rule::template apply<FastMath>(wi, g[i], a, b, h);
    w_out[i] = wi;
    if constexpr (Rule::num_states > 0) s0_out[i] = a;
    if constexpr (Rule::num_states > 1) s1_out[i] = b;
  }
}

// x - x is 0 for finite x only: the largest |x - x| bits of a block tell.
bool all_finite_loop(const float* x, std::int64_t n) {
  while (n > 0) {
    const std::int64_t length = n < 4096 ? n : 4096;
    std::uint32_t bad = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      bad |= (FastMath::to_bits(x[i]) & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
    }
    if (bad != 0) return false;
    x += length;
    n -= length;
  }
  return true;
}

}  // namespace
}  // namespace lbann::kernels::cpu
