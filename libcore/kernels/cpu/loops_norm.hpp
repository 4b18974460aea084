// Batch normalisation. Statistics of a chunk that fits in cache in two steps: s = its mean, roughly,
// then the sums of x - s and (x - s)^2, which are small numbers: mean = s + sum/n, m2 = squares -
// sum^2/n. Float lanes with double behind; the caller combines chunks in double. x is read from memory
// once, and nothing is lost when the mean is large. Included by isa_*.cpp only, all internal.
#pragma once

#include "kernels/cpu/loops_reduce.hpp"

namespace lbann::kernels::cpu {
namespace {

// Calls f(pointer offset, lanes) for the vectors of a run of n floats.
template <class F>
LBANN_VEC void for_each_vector(std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16) f.template operator()<true>(i, 16);
  if (i < n) f.template operator()<false>(i, static_cast<int>(n - i));
}

// --- plain: runs of `rows` floats of one channel

void norm_stats_plain(const float* x, const Chunk& chunk, double* mean, double* m2) {
  double sum = 0;
  for (std::int64_t run = 0; run < chunk.runs; ++run) sum += sum_loop(x + run * chunk.run_stride, chunk.rows);
  const double count = static_cast<double>(chunk.runs * chunk.rows);
  const float shift = static_cast<float>(sum / count);
  const Vec16 m = Vec16::set(shift);
  double sums[16] = {};
  double squares[16] = {};
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    const float* p = x + run * chunk.run_stride;
    for (std::int64_t first = 0; first < chunk.rows; first += block_floats) {
      const std::int64_t rest = chunk.rows - first;
      Vec16 s0 = Vec16::zero(), s1 = s0, t0 = s0, t1 = s0;
      for_each_vector(rest < block_floats ? rest : block_floats, [&]<bool full>(std::int64_t i, int k) {
        __builtin_prefetch(p + first + i + chunk.rows);  // the next chunk, while this one comes from cache
        const Vec16 d = load_lanes<Vec16, full>(p + first + i, k, m) - m;
        s0 = s0 + d;
        t0 = fma(d, d, t0);
        const Vec16 s = s0, t = t0;  // two chains in turn hide the latency
        s0 = s1, t0 = t1, s1 = s, t1 = t;
      });
      add_lanes(s0 + s1, sums);
      add_lanes(t0 + t1, squares);
    }
  }
  const double rest = sum_tree<16>(sums) / count;
  *mean = static_cast<double>(shift) + rest;
  *m2 = sum_tree<16>(squares) - count * rest * rest;
}

// y = fma((x - mean) * rstd, scale, bias), max(y, 0)
template <class V>
struct Affine {
  V mean, rstd, scale, bias;
  LBANN_VEC V xhat(const V& x) const { return (x - mean) * rstd; }
  LBANN_VEC V apply(const V& normal) const { return fma(normal, scale, bias); }
  // NaN stays; the addition makes -0 a +0.
  LBANN_VEC V relu(const V& y) const { return select_gt(V::zero(), y, V::zero(), y) + V::zero(); }
  // dy where the activation let something through
  LBANN_VEC V mask(const V& dy, const V& normal) const {
    return select_gt(apply(normal), V::zero(), dy, V::zero());
  }
};

template <class V>
LBANN_VEC Affine<V> affine_of_channel(const NormParameters& p) {
  return {V::set(*p.mean), V::set(*p.rstd), V::set(*p.scale), V::set(*p.bias)};
}
template <class V>
LBANN_VEC Affine<V> affine_of_lanes(const NormParameters& p) {
  return {V::load(p.mean), V::load(p.rstd), V::load(p.scale), V::load(p.bias)};
}

template <bool relu>
LBANN_VEC void norm_apply_plain(const float* x, float* y, const Chunk& chunk, const NormParameters& p) {
  const Affine<Vec16> a = affine_of_channel<Vec16>(p);
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    const std::int64_t base = run * chunk.run_stride;
    for_each_vector(chunk.rows, [&]<bool full>(std::int64_t i, int k) {
      const Vec16 v = load_lanes<Vec16, full>(x + base + i, k, Vec16::zero());
      const Vec16 out = a.apply(a.xhat(v));
      store_lanes<Vec16, full>(relu ? a.relu(out) : out, y + base + i, k);
    });
  }
}

template <bool relu>
LBANN_VEC void norm_bwd_stats_plain(const float* dy, const float* x, const Chunk& chunk,
                                    const NormParameters& p, double* sum_dy, double* sum_dy_xhat) {
  const Affine<Vec16> a = affine_of_channel<Vec16>(p);
  double sums[16] = {};
  double products[16] = {};
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    const std::int64_t base = run * chunk.run_stride;
    for (std::int64_t first = 0; first < chunk.rows; first += block_floats) {
      const std::int64_t rest = chunk.rows - first;
      Vec16 s = Vec16::zero(), t = Vec16::zero();
      for_each_vector(rest < block_floats ? rest : block_floats, [&]<bool full>(std::int64_t i, int k) {
        const std::int64_t at = base + first + i;
        Vec16 g = load_lanes<Vec16, full>(dy + at, k, Vec16::zero());
        // Lanes behind the end count nothing: their xhat is 0.
        const Vec16 normal = a.xhat(load_lanes<Vec16, full>(x + at, k, a.mean));
        if constexpr (relu) g = a.mask(g, normal);
        s = s + g;
        t = fma(g, normal, t);
      });
      add_lanes(s, sums);
      add_lanes(t, products);
    }
  }
  *sum_dy = sum_tree<16>(sums);
  *sum_dy_xhat = sum_tree<16>(products);
}

template <bool relu>
LBANN_VEC void norm_bwd_apply_plain(const float* dy, const float* x, float* dx, const Chunk& chunk,
                                    const NormParameters& p) {
  const Affine<Vec16> a = affine_of_channel<Vec16>(p);
  const Vec16 vp = Vec16::set(*p.p), vq = Vec16::set(*p.q), vr = Vec16::set(*p.r);
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    const std::int64_t base = run * chunk.run_stride;
    for_each_vector(chunk.rows, [&]<bool full>(std::int64_t i, int k) {
      Vec16 g = load_lanes<Vec16, full>(dy + base + i, k, Vec16::zero());
      const Vec16 normal = a.xhat(load_lanes<Vec16, full>(x + base + i, k, Vec16::zero()));
      if constexpr (relu) g = a.mask(g, normal);
      store_lanes<Vec16, full>(fma(vp, g, fma(vq, normal, vr)), dx + base + i, k);
    });
  }
}

// --- tiles: lanes are channels

template <class V, bool full>
LBANN_VEC void norm_stats_tile(const float* x, const Chunk& chunk, double* mean, double* m2) {
  double totals[16];
  tile_sum_loop(x, chunk, totals);
  const double count = static_cast<double>(chunk.runs * chunk.rows);
  float shift[V::lanes] = {};
  for (int l = 0; l < chunk.lanes; ++l) shift[l] = static_cast<float>(totals[l] / count);
  const V m = V::load(shift);
  double sums[V::lanes] = {};
  double squares[V::lanes] = {};
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    const float* p = x + run * chunk.run_stride;
    for (std::int64_t first = 0; first < chunk.rows; first += block_rows) {
      const std::int64_t end = first + block_rows < chunk.rows ? first + block_rows : chunk.rows;
      V s0 = V::zero(), s1 = s0, t0 = s0, t1 = s0;
      std::int64_t r = first;
      for (; r + 2 <= end; r += 2) {
        // The next chunk, while this one comes from cache; where rows are apart it would evict this one.
        if (chunk.row_stride == V::lanes) {
          __builtin_prefetch(p + (r + chunk.rows) * chunk.row_stride);
          __builtin_prefetch(p + (r + 1 + chunk.rows) * chunk.row_stride);
        }
        const V d0 = load_lanes<V, full>(p + r * chunk.row_stride, chunk.lanes, m) - m;
        const V d1 = load_lanes<V, full>(p + (r + 1) * chunk.row_stride, chunk.lanes, m) - m;
        s0 = s0 + d0;
        s1 = s1 + d1;
        t0 = fma(d0, d0, t0);
        t1 = fma(d1, d1, t1);
      }
      if (r < end) {
        const V d = load_lanes<V, full>(p + r * chunk.row_stride, chunk.lanes, m) - m;
        s0 = s0 + d;
        t0 = fma(d, d, t0);
      }
      add_lanes(s0 + s1, sums);
      add_lanes(t0 + t1, squares);
    }
  }
  for (int l = 0; l < chunk.lanes; ++l) {
    const double rest = sums[l] / count;
    mean[l] = static_cast<double>(shift[l]) + rest;
    m2[l] = squares[l] - count * rest * rest;
  }
}

template <class V, bool full, bool relu>
LBANN_VEC void norm_apply_tile(const float* x, float* y, const Chunk& chunk, const NormParameters& p) {
  const Affine<V> a = affine_of_lanes<V>(p);
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    for (std::int64_t r = 0; r < chunk.rows; ++r) {
      const std::int64_t at = run * chunk.run_stride + r * chunk.row_stride;
      const V out = a.apply(a.xhat(load_lanes<V, full>(x + at, chunk.lanes, V::zero())));
      store_lanes<V, full>(relu ? a.relu(out) : out, y + at, chunk.lanes);
    }
  }
}

template <class V, bool full, bool relu>
LBANN_VEC void norm_bwd_stats_tile(const float* dy, const float* x, const Chunk& chunk,
                                   const NormParameters& p, double* sum_dy, double* sum_dy_xhat) {
  const Affine<V> a = affine_of_lanes<V>(p);
  double sums[V::lanes] = {};
  double products[V::lanes] = {};
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    for (std::int64_t first = 0; first < chunk.rows; first += block_rows) {
      const std::int64_t end = first + block_rows < chunk.rows ? first + block_rows : chunk.rows;
      V s = V::zero(), t = V::zero();
      for (std::int64_t r = first; r < end; ++r) {
        const std::int64_t at = run * chunk.run_stride + r * chunk.row_stride;
        V g = load_lanes<V, full>(dy + at, chunk.lanes, V::zero());
        const V normal = a.xhat(load_lanes<V, full>(x + at, chunk.lanes, V::zero()));
        if constexpr (relu) g = a.mask(g, normal);
        s = s + g;
        t = fma(g, normal, t);
      }
      add_lanes(s, sums);
      add_lanes(t, products);
    }
  }
  for (int l = 0; l < chunk.lanes; ++l) {
    sum_dy[l] = sums[l];
    sum_dy_xhat[l] = products[l];
  }
}

template <class V, bool full, bool relu>
LBANN_VEC void norm_bwd_apply_tile(const float* dy, const float* x, float* dx, const Chunk& chunk,
                                   const NormParameters& p) {
  const Affine<V> a = affine_of_lanes<V>(p);
  const V vp = V::load(p.p), vq = V::load(p.q), vr = V::load(p.r);
  for (std::int64_t run = 0; run < chunk.runs; ++run) {
    for (std::int64_t r = 0; r < chunk.rows; ++r) {
      const std::int64_t at = run * chunk.run_stride + r * chunk.row_stride;
      V g = load_lanes<V, full>(dy + at, chunk.lanes, V::zero());
      const V normal = a.xhat(load_lanes<V, full>(x + at, chunk.lanes, V::zero()));
      if constexpr (relu) g = a.mask(g, normal);
      store_lanes<V, full>(fma(vp, g, fma(vq, normal, vr)), dx + at, chunk.lanes);
    }
  }
}

// --- the table's entries

void norm_stats_loop(const float* x, const Chunk& chunk, double* mean, double* m2) {
  if (chunk.lanes == 0) return norm_stats_plain(x, chunk, mean, m2);
  with_lanes(chunk.lanes, [&]<class V, bool full>() { norm_stats_tile<V, full>(x, chunk, mean, m2); });
}

void norm_apply_loop(const float* x, float* y, const Chunk& chunk, const NormParameters& p, bool relu) {
  if (chunk.lanes == 0) {
    return relu ? norm_apply_plain<true>(x, y, chunk, p) : norm_apply_plain<false>(x, y, chunk, p);
  }
  with_lanes(chunk.lanes, [&]<class V, bool full>() {
    relu ? norm_apply_tile<V, full, true>(x, y, chunk, p) : norm_apply_tile<V, full, false>(x, y, chunk, p);
  });
}

void norm_bwd_stats_loop(const float* dy, const float* x, const Chunk& chunk, const NormParameters& p,
                         bool relu, double* sum_dy, double* sum_dy_xhat) {
  if (chunk.lanes == 0) {
    return relu ? norm_bwd_stats_plain<true>(dy, x, chunk, p, sum_dy, sum_dy_xhat)
                : norm_bwd_stats_plain<false>(dy, x, chunk, p, sum_dy, sum_dy_xhat);
  }
  with_lanes(chunk.lanes, [&]<class V, bool full>() {
    relu ? norm_bwd_stats_tile<V, full, true>(dy, x, chunk, p, sum_dy, sum_dy_xhat)
         : norm_bwd_stats_tile<V, full, false>(dy, x, chunk, p, sum_dy, sum_dy_xhat);
  });
}

void norm_bwd_apply_loop(const float* dy, const float* x, float* dx, const Chunk& chunk,
                         const NormParameters& p, bool relu) {
  if (chunk.lanes == 0) {
    return relu ? norm_bwd_apply_plain<true>(dy, x, dx, chunk, p)
                : norm_bwd_apply_plain<false>(dy, x, dx, chunk, p);
  }
  with_lanes(chunk.lanes, [&]<class V, bool full>() {
    relu ? norm_bwd_apply_tile<V, full, true>(dy, x, dx, chunk, p)
         : norm_bwd_apply_tile<V, full, false>(dy, x, dx, chunk, p);
  });
}

}  // namespace
}  // namespace lbann::kernels::cpu
