// Layer norm, row after row: statistics as in loops_norm.hpp, then the map while the row is in cache.
// Included by isa_*.cpp only, all internal.
#pragma once

#include "kernels/cpu/loops_norm.hpp"

namespace lbann::kernels::cpu {
namespace {

// Rows whose terms of dscale and dbias are summed in float before they go to double.
inline constexpr std::int64_t affine_rows = 16;

void layer_norm_loop(const float* x, float* y, const RowBlock& b, double epsilon, const float* scale,
                     const float* bias, float* mean, float* rstd) {
  Chunk chunk;
  chunk.rows = b.length;
  for (std::int64_t r = 0; r < b.rows; ++r) {
    const float* from = x + r * b.length;
    float* to = y + r * b.length;
    double m = 0;
    double m2 = 0;
    norm_stats_plain(from, chunk, &m, &m2);
    const double var = m2 / static_cast<double>(b.length);
    mean[r] = static_cast<float>(m);
    rstd[r] = b.length == 1 ? 1.0f : static_cast<float>(1.0 / __builtin_sqrt(var + epsilon));
    const Vec16 vm = Vec16::set(mean[r]), vr = Vec16::set(rstd[r]);
    for_each_vector(b.length, [&]<bool full>(std::int64_t i, int k) {
      Vec16 v = (load_lanes<Vec16, full>(from + i, k, vm) - vm) * vr;
      if (scale != nullptr) {
        v = fma(v, load_lanes<Vec16, full>(scale + i, k, vm), load_lanes<Vec16, full>(bias + i, k, vm));
      }
      store_lanes<Vec16, full>(v, to + i, k);
    });
  }
}

// dx = rstd (h - mean of h - xhat mean of (h xhat)), h = dy scale. With scale, dscale and dbias have the
// rows' sums added; `terms` is room for 2 length floats.
void layer_norm_bwd_loop(const float* dy, const float* x, float* dx, const RowBlock& b, const float* mean,
                         const float* rstd, const float* scale, float* terms, double* dscale, double* dbias) {
  const Vec16 zero = Vec16::zero();
  const bool affine = scale != nullptr;
  float *scale_terms = terms, *bias_terms = terms + b.length;
  for (std::int64_t i = 0; affine && i < 2 * b.length; ++i) terms[i] = 0;
  for (std::int64_t r = 0; r < b.rows; ++r) {
    const float* g = dy + r * b.length;
    const float* v = x + r * b.length;
    float* out = dx + r * b.length;
    const Vec16 vm = Vec16::set(mean[r]), vr = Vec16::set(rstd[r]);
    double sums[16] = {};
    double products[16] = {};
    for (std::int64_t first = 0; first < b.length; first += block_floats) {
      const std::int64_t rest = b.length - first;
      Vec16 s = zero, t = zero;
      for_each_vector(rest < block_floats ? rest : block_floats, [&]<bool full>(std::int64_t i, int k) {
        const std::int64_t at = first + i;
        Vec16 h = load_lanes<Vec16, full>(g + at, k, zero);
        const Vec16 xhat = (load_lanes<Vec16, full>(v + at, k, vm) - vm) * vr;
        if (affine) {
          const Vec16 ds = load_lanes<Vec16, full>(scale_terms + at, k, zero);
          const Vec16 db = load_lanes<Vec16, full>(bias_terms + at, k, zero);
          store_lanes<Vec16, full>(fma(h, xhat, ds), scale_terms + at, k);
          store_lanes<Vec16, full>(db + h, bias_terms + at, k);
          h = h * load_lanes<Vec16, full>(scale + at, k, zero);
        }
        s = s + h;
        t = fma(h, xhat, t);
      });
      add_lanes(s, sums);
      add_lanes(t, products);
    }
    const double n = static_cast<double>(b.length);
    const Vec16 mean_h = Vec16::set(static_cast<float>(sum_tree<16>(sums) / n));
    const Vec16 mean_h_xhat = Vec16::set(static_cast<float>(sum_tree<16>(products) / n));
    for_each_vector(b.length, [&]<bool full>(std::int64_t i, int k) {
      Vec16 h = load_lanes<Vec16, full>(g + i, k, zero);
      const Vec16 xhat = (load_lanes<Vec16, full>(v + i, k, vm) - vm) * vr;
      if (affine) h = h * load_lanes<Vec16, full>(scale + i, k, zero);
      store_lanes<Vec16, full>(vr * (h - mean_h - xhat * mean_h_xhat), out + i, k);
    });
    if (affine && ((r + 1) % affine_rows == 0 || r + 1 == b.rows)) {
      for (std::int64_t i = 0; i < b.length; ++i) {
        dscale[i] += static_cast<double>(scale_terms[i]);
        dbias[i] += static_cast<double>(bias_terms[i]);
      }
      for (std::int64_t i = 0; i < 2 * b.length; ++i) terms[i] = 0;
    }
  }
}

}  // namespace
}  // namespace lbann::kernels::cpu
