// Sums, dot products, extremes. A sum runs in four vectors of float over at most block_floats (or
// block_rows rows of a tile), then goes to double: its error does not grow with the length. Included
// by isa_*.cpp only, everything internal.
#pragma once

#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/vec.hpp"

namespace lbann::kernels::cpu {
namespace {

inline constexpr std::int64_t block_floats = 1024;
inline constexpr std::int64_t block_rows = 64;

// Sum over i of term(vector at i); `term(i, n)` yields the last, partial vector with zeros behind n.
template <class Term, class Tail>
LBANN_VEC double blocked_sum(std::int64_t n, Term term, Tail tail) {
  double sums[16] = {};
  std::int64_t i = 0;
  while (i < n) {
    const std::int64_t end = i + block_floats < n ? i + block_floats : n;
    Vec16 a0 = Vec16::zero(), a1 = a0, a2 = a0, a3 = a0;
    for (; i + 64 <= end; i += 64) {
      a0 = term(i, a0);
      a1 = term(i + 16, a1);
      a2 = term(i + 32, a2);
      a3 = term(i + 48, a3);
    }
    for (; i + 16 <= end; i += 16) a0 = term(i, a0);
    if (i < end) a1 = tail(i, static_cast<int>(end - i), a1);
    i = end;
    add_lanes((a0 + a1) + (a2 + a3), sums);
  }
  return sum_tree<16>(sums);
}

double sum_loop(const float* x, std::int64_t n) {
  return blocked_sum(
      n, [x](std::int64_t i, const Vec16& a) { return a + Vec16::load(x + i); },
      [x](std::int64_t i, int k, const Vec16& a) { return a + Vec16::load(x + i, k, Vec16::zero()); });
}

double dot_loop(const float* x, const float* y, std::int64_t n) {
  return blocked_sum(
      n, [=](std::int64_t i, const Vec16& a) { return fma(Vec16::load(x + i), Vec16::load(y + i), a); },
      [=](std::int64_t i, int k, const Vec16& a) {
        return fma(Vec16::load(x + i, k, Vec16::zero()), Vec16::load(y + i, k, Vec16::zero()), a);
      });
}

// The larger (smaller) lane; a NaN in x or already in best wins: NaN != NaN.
template <bool max, class V>
LBANN_VEC V better(const V& best, const V& x) {
  const V winner = max ? select_gt(x, best, x, best) : select_gt(best, x, x, best);
  return select_eq(x, x, winner, x);
}

template <bool max>
LBANN_VEC float extreme_of(const float* x, std::int64_t n) {
  const float start = max ? -__builtin_inff() : __builtin_inff();
  const Vec16 rest = Vec16::set(start);
  Vec16 best[4] = {rest, rest, rest, rest};
  std::int64_t i = 0;
  // A NaN in `best` stays: no comparison with it is true.
  for (; i + 64 <= n; i += 64) {
    for (int k = 0; k < 4; ++k) best[k] = better<max>(best[k], Vec16::load(x + i + 16 * k));
  }
  for (; i + 16 <= n; i += 16) best[0] = better<max>(best[0], Vec16::load(x + i));
  if (i < n) best[0] = better<max>(best[0], Vec16::load(x + i, static_cast<int>(n - i), rest));
  float lanes[16];
  better<max>(better<max>(best[0], best[1]), better<max>(best[2], best[3])).store(lanes);
  float result = start;
  for (int l = 0; l < 16; ++l) {
    const bool wins = max ? lanes[l] > result : lanes[l] < result;
    result = wins || lanes[l] != lanes[l] ? lanes[l] : result;
  }
  return result;
}

float extreme_loop(const float* x, std::int64_t n, bool max) {
  return max ? extreme_of<true>(x, n) : extreme_of<false>(x, n);
}

template <class V, bool full>
LBANN_VEC V load_lanes(const float* p, int lanes, const V& rest) {
  if constexpr (full) {
    return V::load(p);
  } else {
    return V::load(p, lanes, rest);
  }
}

template <class V, bool full>
LBANN_VEC void store_lanes(const V& x, float* p, int lanes) {
  if constexpr (full) {
    x.store(p);
  } else {
    x.store(p, lanes);
  }
}

// Chooses the vector for a tile's lanes: f.template operator()<V, full>().
template <class F>
LBANN_VEC void with_lanes(int lanes, F f) {
  if (lanes == 16) {
    f.template operator()<Vec16, true>();
  } else if (lanes == 8) {
    f.template operator()<Vec8, true>();
  } else if (lanes < 8) {
    f.template operator()<Vec8, false>();
  } else {
    f.template operator()<Vec16, false>();
  }
}

void tile_sum_loop(const float* x, const Chunk& chunk, double* result) {
  with_lanes(chunk.lanes, [&]<class V, bool full>() {
    double sums[V::lanes] = {};
    for (std::int64_t run = 0; run < chunk.runs; ++run) {
      const float* p = x + run * chunk.run_stride;
      for (std::int64_t first = 0; first < chunk.rows; first += block_rows) {
        const std::int64_t end = first + block_rows < chunk.rows ? first + block_rows : chunk.rows;
        V a0 = V::zero(), a1 = a0;
        std::int64_t r = first;
        for (; r + 2 <= end; r += 2) {
          a0 = a0 + load_lanes<V, full>(p + r * chunk.row_stride, chunk.lanes, V::zero());
          a1 = a1 + load_lanes<V, full>(p + (r + 1) * chunk.row_stride, chunk.lanes, V::zero());
        }
        if (r < end) a0 = a0 + load_lanes<V, full>(p + r * chunk.row_stride, chunk.lanes, V::zero());
        add_lanes(a0 + a1, sums);
      }
    }
    for (int l = 0; l < chunk.lanes; ++l) result[l] = sums[l];
  });
}

template <bool max>
LBANN_VEC void tile_extreme(const float* x, const Chunk& chunk, float* result) {
  with_lanes(chunk.lanes, [&]<class V, bool full>() {
    const V rest = V::set(max ? -__builtin_inff() : __builtin_inff());
    V best = rest;
    for (std::int64_t run = 0; run < chunk.runs; ++run) {
      for (std::int64_t r = 0; r < chunk.rows; ++r) {
        const float* p = x + run * chunk.run_stride + r * chunk.row_stride;
        best = better<max>(best, load_lanes<V, full>(p, chunk.lanes, rest));
      }
    }
    store_lanes<V, full>(best, result, chunk.lanes);
  });
}

void tile_extreme_loop(const float* x, const Chunk& chunk, bool max, float* result) {
  max ? tile_extreme<true>(x, chunk, result) : tile_extreme<false>(x, chunk, result);
}

}  // namespace
}  // namespace lbann::kernels::cpu
