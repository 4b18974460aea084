// Pooling. A tile: lanes are channels, one position after the other. Plain: one channel's image, the
// lanes are output columns. Winners are numbers of taps within the window, one byte per output
// element; the first of equal inputs wins, the first NaN wins for good. Included by isa_*.cpp only.
#pragma once

#include "kernels/cpu/loops_reduce.hpp"

namespace lbann::kernels::cpu {
namespace {

// Calls f(output position, ranges of taps, position of tap (0,0,0)) for every output position.
template <class F>
LBANN_VEC void for_each_window(const PoolTile& t, F f) {
  std::int64_t o = 0;
  for (std::int64_t od = 0; od < t.out[0]; ++od) {
    const Range rd = t.taps[0][od];
    for (std::int64_t oh = 0; oh < t.out[1]; ++oh) {
      const Range rh = t.taps[1][oh];
      for (std::int64_t ow = 0; ow < t.out[2]; ++ow, ++o) {
        const Range rw = t.taps[2][ow];
        const std::int64_t base =
            ((od * t.stride[0] - t.pad[0]) * t.in[1] + oh * t.stride[1] - t.pad[1]) * t.in[2] +
            ow * t.stride[2] - t.pad[2];
        f(o, rd, rh, rw, base);
      }
    }
  }
}

// Calls f(position, tap) for the window's taps inside the image, in order.
template <class F>
LBANN_VEC void for_each_inner_tap(const PoolTile& t, Range rd, Range rh, Range rw, std::int64_t base, F f) {
  for (std::int64_t kd = rd.begin; kd < rd.end; ++kd) {
    for (std::int64_t kh = rh.begin; kh < rh.end; ++kh) {
      const std::int64_t tap = (kd * t.kernel[1] + kh) * t.kernel[2];
      const std::int64_t row = base + (kd * t.dilation[0] * t.in[1] + kh * t.dilation[1]) * t.in[2];
      for (std::int64_t kw = rw.begin; kw < rw.end; ++kw) f(row + kw * t.dilation[2], tap + kw);
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

template <class V, bool full>
LBANN_VEC void pool_tile(const float* x, float* y, std::uint8_t* winners, const PoolTile& t) {
  for_each_window(t, [&](std::int64_t o, Range rd, Range rh, Range rw, std::int64_t base) {
    if (t.average) {
      V sum = V::zero();
      for_each_inner_tap(t, rd, rh, rw, base, [&](std::int64_t i, std::int64_t) {
        sum = sum + load_lanes<V, full>(x + i * t.row_stride, t.lanes, V::zero());
      });
      // A true division: 1/count is not exact.
      float lanes[V::lanes];
      sum.store(lanes);
      const float count = average_factor(t, rd, rh, rw);
      for (int l = 0; l < V::lanes; ++l) lanes[l] = lanes[l] / count;
      store_lanes<V, full>(V::load(lanes), y + o * t.row_stride, t.lanes);
      return;
    }
    const std::int64_t first = base +
                               (rd.begin * t.dilation[0] * t.in[1] + rh.begin * t.dilation[1]) * t.in[2] +
                               rw.begin * t.dilation[2];
    V best = load_lanes<V, full>(x + first * t.row_stride, t.lanes, V::zero());
    V winner = V::set(static_cast<float>((rd.begin * t.kernel[1] + rh.begin) * t.kernel[2] + rw.begin));
    for_each_inner_tap(t, rd, rh, rw, base, [&](std::int64_t i, std::int64_t tap) {
      const V v = load_lanes<V, full>(x + i * t.row_stride, t.lanes, V::zero());
      const V k = V::set(static_cast<float>(tap));
      const V larger = select_gt(v, best, k, winner);
      winner = select_eq(v, v, larger, select_eq(best, best, k, winner));
      best = better<true>(best, v);
    });
    store_lanes<V, full>(best, y + o * t.row_stride, t.lanes);
    if (winners == nullptr) return;
    if constexpr (full) {
      winner.store_bytes(winners + o * t.row_stride);
    } else {
      std::uint8_t bytes[V::lanes];
      winner.store_bytes(bytes);
      for (int l = 0; l < t.lanes; ++l) winners[o * t.row_stride + l] = bytes[l];
    }
  });
}

template <class V, bool full>
LBANN_VEC void pool_bwd_tile(const float* dy, const std::uint8_t* winners, float* dx, const PoolTile& t) {
  if (!t.disjoint || !t.covering) {
    for (std::int64_t i = 0; i < t.in[0] * t.in[1] * t.in[2]; ++i) {
      store_lanes<V, full>(V::zero(), dx + i * t.row_stride, t.lanes);
    }
  }
  for_each_window(t, [&](std::int64_t o, Range rd, Range rh, Range rw, std::int64_t base) {
    V g = load_lanes<V, full>(dy + o * t.row_stride, t.lanes, V::zero());
    V winner = V::zero();
    if (t.average) {
      float lanes[V::lanes];
      g.store(lanes);
      const float count = average_factor(t, rd, rh, rw);
      for (int l = 0; l < V::lanes; ++l) lanes[l] = lanes[l] / count;
      g = V::load(lanes);
    } else if constexpr (full) {
      winner = V::load_bytes(winners + o * t.row_stride);
    } else {
      std::uint8_t bytes[V::lanes] = {};
      for (int l = 0; l < t.lanes; ++l) bytes[l] = winners[o * t.row_stride + l];
      winner = V::load_bytes(bytes);
    }
    for_each_inner_tap(t, rd, rh, rw, base, [&](std::int64_t i, std::int64_t tap) {
      float* to = dx + i * t.row_stride;
      V part = t.average ? g : select_eq(winner, V::set(static_cast<float>(tap)), g, V::zero());
      if (!t.disjoint) part = part + load_lanes<V, full>(to, t.lanes, V::zero());
      store_lanes<V, full>(part, to, t.lanes);
    });
  });
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
          best[ow] = (v > best[ow]) | (v != v) ? v : best[ow];
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
      for_each_inner_tap(t, rd, rh, rw, base, [&](std::int64_t i, std::int64_t) { dx[i] += part; });
    }
  });
}

void pool_loop(const float* x, float* y, std::uint8_t* winners, const PoolTile& t) {
  if (t.lanes == 0) return pool_plain(x, y, winners, t);
  with_lanes(t.lanes, [&]<class V, bool full>() { pool_tile<V, full>(x, y, winners, t); });
}

void pool_bwd_loop(const float* dy, const std::uint8_t* winners, float* dx, const PoolTile& t) {
  if (t.lanes == 0) return pool_bwd_plain(dy, winners, dx, t);
  with_lanes(t.lanes, [&]<class V, bool full>() { pool_bwd_tile<V, full>(dy, winners, dx, t); });
}

}  // namespace
}  // namespace lbann::kernels::cpu
