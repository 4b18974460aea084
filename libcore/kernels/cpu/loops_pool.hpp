// Pooling. A tile: lanes are channels, one position after the other. Plain: one channel's image, the
// lanes are output columns. Winners are numbers of taps within the window, one byte per output
// element; the first of equal inputs wins, the first NaN wins for good. Included by isa_*.cpp only.
#pragma once

#include "kernels/cpu/loops_reduce.hpp"

namespace lbann::kernels::cpu {
namespace {

// One output position and its window.
struct WindowAt {
  std::int64_t output;  // position
  Range rd, rh, rw;     // taps inside the image
  std::int64_t base;    // input position of tap (0,0,0), possibly outside
  bool whole;           // all taps are inside
};

LBANN_VEC bool is_whole(const PoolTile& t, int d, Range r) { return r.end - r.begin == t.kernel[d]; }

// Calls row(od, oh) before each row of outputs and f(window) for every output position.
template <class Row, class F>
LBANN_VEC void for_each_window(const PoolTile& t, Row row, F f) {
  WindowAt w;
  w.output = 0;
  for (std::int64_t od = 0; od < t.out[0]; ++od) {
    w.rd = t.taps[0][od];
    for (std::int64_t oh = 0; oh < t.out[1]; ++oh) {
      w.rh = t.taps[1][oh];
      const bool whole = is_whole(t, 0, w.rd) && is_whole(t, 1, w.rh);
      w.base = ((od * t.stride[0] - t.pad[0]) * t.in[1] + oh * t.stride[1] - t.pad[1]) * t.in[2] - t.pad[2];
      row(od, oh);
      for (std::int64_t ow = 0; ow < t.out[2]; ++ow) {
        w.rw = t.taps[2][ow];
        w.whole = whole && is_whole(t, 2, w.rw);
        f(static_cast<const WindowAt&>(w));
        w.base += t.stride[2];
        ++w.output;
      }
    }
  }
}

// Calls f(position, tap) for the window's taps inside the image, in order.
template <class F>
LBANN_VEC void for_each_inner_tap(const PoolTile& t, const WindowAt& w, F f) {
  for (std::int64_t kd = w.rd.begin; kd < w.rd.end; ++kd) {
    for (std::int64_t kh = w.rh.begin; kh < w.rh.end; ++kh) {
      const std::int64_t tap = (kd * t.kernel[1] + kh) * t.kernel[2];
      const std::int64_t row = w.base + (kd * t.dilation[0] * t.in[1] + kh * t.dilation[1]) * t.in[2];
      for (std::int64_t kw = w.rw.begin; kw < w.rw.end; ++kw) f(row + kw * t.dilation[2], tap + kw);
    }
  }
}

LBANN_VEC std::int64_t num_inner(Range rd, Range rh, Range rw) {
  return (rd.end - rd.begin) * (rh.end - rh.begin) * (rw.end - rw.begin);
}

LBANN_VEC float average_factor(const PoolTile& t, Range rd, Range rh, Range rw) {
  const std::int64_t count =
      t.count_padding ? t.kernel[0] * t.kernel[1] * t.kernel[2] : num_inner(rd, rh, rw);
  return static_cast<float>(count);
}

// Divides lanes; a product with 1/count would not be exact.
template <class V>
LBANN_VEC V divided(const V& x, float count) {
  float lanes[V::lanes];
  x.store(lanes);
  for (int l = 0; l < V::lanes; ++l) lanes[l] = lanes[l] / count;
  return V::load(lanes);
}

template <class V, bool full>
LBANN_VEC void average_tile(const float* x, float* y, const PoolTile& t) {
  for_each_window(
      t, [](std::int64_t, std::int64_t) {},
      [&](const WindowAt& w) {
        V sum = V::zero();
        for_each_inner_tap(t, w, [&](std::int64_t i, std::int64_t) {
          sum = sum + load_lanes<V, full>(x + i * t.row_stride, t.lanes, V::zero());
        });
        store_lanes<V, full>(divided(sum, average_factor(t, w.rd, w.rh, w.rw)), y + w.output * t.row_stride,
                             t.lanes);
      });
}

template <class V>
struct Winner {
  V best, tap;
};

// Any window, any values.
template <class V, bool full>
LBANN_VEC Winner<V> careful_winner(const float* x, const PoolTile& t, const WindowAt& w) {
  const std::int64_t first = w.base +
                             (w.rd.begin * t.dilation[0] * t.in[1] + w.rh.begin * t.dilation[1]) * t.in[2] +
                             w.rw.begin * t.dilation[2];
  Winner<V> r{load_lanes<V, full>(x + first * t.row_stride, t.lanes, V::zero()),
              V::set(static_cast<float>((w.rd.begin * t.kernel[1] + w.rh.begin) * t.kernel[2] + w.rw.begin))};
  for_each_inner_tap(t, w, [&](std::int64_t i, std::int64_t tap) {
    const V v = load_lanes<V, full>(x + i * t.row_stride, t.lanes, V::zero());
    const V k = V::set(static_cast<float>(tap));
    r.tap = select_eq(v, v, select_gt(v, r.best, k, r.tap), select_eq(r.best, r.best, k, r.tap));
    r.best = better<true>(r.best, v);
  });
  return r;
}

template <class V, bool full>
LBANN_VEC void max_tile(const float* x, float* y, std::uint8_t* winners, const PoolTile& t) {
  const V one = V::set(1.0f);
  for_each_window(
      t, [](std::int64_t, std::int64_t) {},
      [&](const WindowAt& w) {
        Winner<V> r;
        bool done = false;
        if (w.whole) {
          const float* p = x + w.base * t.row_stride;
          r = {load_lanes<V, full>(p, t.lanes, V::zero()), V::zero()};
          V k = one;
          V odd = r.best * V::zero();  // stays 0 unless something is NaN or infinite
          for (std::int64_t tap = 1; tap < t.num_taps; ++tap) {
            const V v = load_lanes<V, full>(p + t.tap_offsets[tap], t.lanes, V::zero());
            r.tap = select_gt(v, r.best, k, r.tap);
            r.best = select_gt(v, r.best, v, r.best);
            odd = fma(v, V::zero(), odd);
            k = k + one;
          }
          done = all_zero(odd);
        }
        if (!done) r = careful_winner<V, full>(x, t, w);
        store_lanes<V, full>(r.best, y + w.output * t.row_stride, t.lanes);
        if (winners == nullptr) return;
        if constexpr (full) {
          r.tap.store_bytes(winners + w.output * t.row_stride);
        } else {
          std::uint8_t bytes[V::lanes];
          r.tap.store_bytes(bytes);
          for (int l = 0; l < t.lanes; ++l) winners[w.output * t.row_stride + l] = bytes[l];
        }
      });
}

template <class V, bool full>
LBANN_VEC V load_winners(const std::uint8_t* winners, int lanes) {
  if constexpr (full) {
    return V::load_bytes(winners);
  } else {
    std::uint8_t bytes[V::lanes] = {};
    for (int l = 0; l < lanes; ++l) bytes[l] = winners[l];
    return V::load_bytes(bytes);
  }
}

template <class V, bool full, bool average>
LBANN_VEC void pool_bwd_tile(const float* dy, const std::uint8_t* winners, float* dx, const PoolTile& t) {
  // Rows are set to zero shortly before their first window, while they are on their way into cache.
  const bool sums = !t.disjoint || !t.covering;
  const std::int64_t rows = sums ? t.in[0] * t.in[1] : 0;
  std::int64_t cleared = 0;
  const auto clear_until = [&](std::int64_t end) {
    end = end < rows ? end : rows;
    for (; cleared < end; ++cleared) {
      float* to = dx + cleared * t.in[2] * t.row_stride;
      for (std::int64_t i = 0; i < t.in[2]; ++i)
        store_lanes<V, full>(V::zero(), to + i * t.row_stride, t.lanes);
    }
  };
  const V one = V::set(1.0f);
  for_each_window(
      t,
      [&](std::int64_t od, std::int64_t oh) {
        const std::int64_t last_d = od * t.stride[0] - t.pad[0] + (t.kernel[0] - 1) * t.dilation[0];
        const std::int64_t last_h = oh * t.stride[1] - t.pad[1] + (t.kernel[1] - 1) * t.dilation[1];
        const bool flat = t.in[0] == 1;
        clear_until(flat ? (last_h + 1) : (last_d + 1) * t.in[1]);
      },
      [&](const WindowAt& w) {
        V g = load_lanes<V, full>(dy + w.output * t.row_stride, t.lanes, V::zero());
        V winner = V::zero();
        if constexpr (average) {
          g = divided(g, average_factor(t, w.rd, w.rh, w.rw));
        } else {
          winner = load_winners<V, full>(winners + w.output * t.row_stride, t.lanes);
        }
        const auto part = [&](const V& k) { return average ? g : select_eq(winner, k, g, V::zero()); };
        const auto add = [&](float* to, const V& value) {
          const V total = sums ? value + load_lanes<V, full>(to, t.lanes, V::zero()) : value;
          store_lanes<V, full>(total, to, t.lanes);
        };
        if (w.whole) {
          float* p = dx + w.base * t.row_stride;
          V k = V::zero();
          for (std::int64_t tap = 0; tap < t.num_taps; ++tap) {
            add(p + t.tap_offsets[tap], part(k));
            k = k + one;
          }
          return;
        }
        for_each_inner_tap(t, w, [&](std::int64_t i, std::int64_t tap) {
          add(dx + i * t.row_stride, part(V::set(static_cast<float>(tap))));
        });
      });
  clear_until(rows);
}

// Calls f(od, oh, offset of the output row) for every row of outputs.
template <class F>
LBANN_VEC void for_each_row(const PoolTile& t, F f) {
  for (std::int64_t od = 0; od < t.out[0]; ++od) {
    for (std::int64_t oh = 0; oh < t.out[1]; ++oh) f(od, oh, (od * t.out[1] + oh) * t.out[2]);
  }
}

// Calls f(tap, input offset of output column 0, columns) for the taps of a row of outputs.
template <class F>
LBANN_VEC void for_each_row_tap(const PoolTile& t, std::int64_t od, std::int64_t oh, F f) {
  const Range rd = t.taps[0][od];
  const Range rh = t.taps[1][oh];
  for (std::int64_t kd = rd.begin; kd < rd.end; ++kd) {
    const std::int64_t id = od * t.stride[0] - t.pad[0] + kd * t.dilation[0];
    for (std::int64_t kh = rh.begin; kh < rh.end; ++kh) {
      const std::int64_t ih = oh * t.stride[1] - t.pad[1] + kh * t.dilation[1];
      for (std::int64_t kw = 0; kw < t.kernel[2]; ++kw) {
        const std::int64_t start = (id * t.in[1] + ih) * t.in[2] - t.pad[2] + kw * t.dilation[2];
        f((kd * t.kernel[1] + kh) * t.kernel[2] + kw, start, t.columns[kw]);
      }
    }
  }
}

// Divides a row of outputs (or their gradients) by their windows' counts.
LBANN_VEC void divide_row(const PoolTile& t, std::int64_t od, std::int64_t oh, const float* from, float* to) {
  const Range rd = t.taps[0][od];
  const Range rh = t.taps[1][oh];
  for (std::int64_t ow = 0; ow < t.out[2]; ++ow) {
    to[ow] = from[ow] / average_factor(t, rd, rh, t.taps[2][ow]);
  }
}

void pool_plain(const float* x, float* y, std::uint8_t* winners, const PoolTile& t) {
  const std::int64_t stride = t.stride[2];
  for_each_row(t, [&](std::int64_t od, std::int64_t oh, std::int64_t row) {
    float* best = y + row;
    if (t.average) {
      for (std::int64_t ow = 0; ow < t.out[2]; ++ow) best[ow] = 0;
      for_each_row_tap(t, od, oh, [&](std::int64_t, std::int64_t start, Range columns) {
        for (std::int64_t ow = columns.begin; ow < columns.end; ++ow) best[ow] += x[start + ow * stride];
      });
      divide_row(t, od, oh, best, best);
      return;
    }
    const Range rd = t.taps[0][od];
    const Range rh = t.taps[1][oh];
    // Starts from the first tap inside, so that -inf everywhere still has a winner inside.
    const std::int64_t id = od * t.stride[0] - t.pad[0] + rd.begin * t.dilation[0];
    const std::int64_t ih = oh * t.stride[1] - t.pad[1] + rh.begin * t.dilation[1];
    std::uint8_t unused[1];
    std::uint8_t* winner = winners == nullptr ? unused : winners + row;
    for (std::int64_t ow = 0; ow < t.out[2]; ++ow) {
      const std::int64_t kw = t.taps[2][ow].begin;
      best[ow] = x[(id * t.in[1] + ih) * t.in[2] + ow * stride - t.pad[2] + kw * t.dilation[2]];
      if (winners != nullptr) {
        winner[ow] = static_cast<std::uint8_t>((rd.begin * t.kernel[1] + rh.begin) * t.kernel[2] + kw);
      }
    }
    for_each_row_tap(t, od, oh, [&](std::int64_t tap, std::int64_t start, Range columns) {
      const std::uint8_t k = static_cast<std::uint8_t>(tap);
      if (winners == nullptr) {
        LBANN_IVDEP
        for (std::int64_t ow = columns.begin; ow < columns.end; ++ow) {
          const float v = x[start + ow * stride];
          best[ow] = ((v > best[ow]) | (v != v)) ? v : best[ow];
        }
        return;
      }
      LBANN_IVDEP
      for (std::int64_t ow = columns.begin; ow < columns.end; ++ow) {
        const float v = x[start + ow * stride];
        const bool wins = (v > best[ow]) | ((v != v) & (best[ow] == best[ow]));
        winner[ow] = wins ? k : winner[ow];
        best[ow] = wins ? v : best[ow];
      }
    });
  });
}

void pool_bwd_plain(const float* dy, const std::uint8_t* winners, float* dx, const PoolTile& t) {
  const std::int64_t stride = t.stride[2];
  for (std::int64_t i = 0; i < t.in[0] * t.in[1] * t.in[2]; ++i) dx[i] = 0;
  for_each_row(t, [&](std::int64_t od, std::int64_t oh, std::int64_t row) {
    const float* g = dy + row;
    if (!t.average) {
      const std::uint8_t* winner = winners + row;
      for_each_row_tap(t, od, oh, [&](std::int64_t tap, std::int64_t start, Range columns) {
        const std::uint8_t k = static_cast<std::uint8_t>(tap);
        LBANN_IVDEP
        for (std::int64_t ow = columns.begin; ow < columns.end; ++ow) {
          dx[start + ow * stride] += winner[ow] == k ? g[ow] : 0.0f;
        }
      });
      return;
    }
    const Range rd = t.taps[0][od];
    const Range rh = t.taps[1][oh];
    for (std::int64_t ow = 0; ow < t.out[2]; ++ow) {
      const Range rw = t.taps[2][ow];
      const float part = g[ow] / average_factor(t, rd, rh, rw);
      const std::int64_t base =
          ((od * t.stride[0] - t.pad[0]) * t.in[1] + oh * t.stride[1] - t.pad[1]) * t.in[2] + ow * stride -
          t.pad[2];
      for_each_inner_tap(t, WindowAt{0, rd, rh, rw, base, false},
                         [&](std::int64_t i, std::int64_t) { dx[i] += part; });
    }
  });
}

void pool_loop(const float* x, float* y, std::uint8_t* winners, const PoolTile& t) {
  if (t.lanes == 0) return pool_plain(x, y, winners, t);
  with_lanes(t.lanes, [&]<class V, bool full>() {
    t.average ? average_tile<V, full>(x, y, t) : max_tile<V, full>(x, y, winners, t);
  });
}

void pool_bwd_loop(const float* dy, const std::uint8_t* winners, float* dx, const PoolTile& t) {
  if (t.lanes == 0) return pool_bwd_plain(dy, winners, dx, t);
  with_lanes(t.lanes, [&]<class V, bool full>() {
    t.average ? pool_bwd_tile<V, full, true>(dy, winners, dx, t)
              : pool_bwd_tile<V, full, false>(dy, winners, dx, t);
  });
}

}  // namespace
}  // namespace lbann::kernels::cpu
