// Softmax and log-softmax with their gradients: one contiguous line, or neighbouring lines at once
// (lanes are lines). Shifted by the maximum; sums in double. Results may take an operand's buffer.
// Included by isa_*.cpp only, everything internal.
#pragma once

#include "kernels/cpu/fast_math.hpp"
#include "kernels/cpu/loops_reduce.hpp"

namespace lbann::kernels::cpu {
namespace {

inline constexpr std::int64_t max_width = 256;  // lines at once

double exp_sum(const float* x, float shift, std::int64_t k) {
  float block[block_floats];
  double total = 0;
  for (std::int64_t first = 0; first < k; first += block_floats) {
    const std::int64_t n = k - first < block_floats ? k - first : block_floats;
    for (std::int64_t i = 0; i < n; ++i) block[i] = FastMath::exp(x[first + i] - shift);
    total += sum_loop(block, n);
  }
  return total;
}

void softmax_line_loop(const float* x, float* y, std::int64_t k, bool log) {
  const float shift = extreme_loop(x, k, true);
  if (log) {
    const float log_total = static_cast<float>(__builtin_log(exp_sum(x, shift, k)));
    LBANN_IVDEP
    for (std::int64_t i = 0; i < k; ++i) y[i] = (x[i] - shift) - log_total;
    return;
  }
  LBANN_IVDEP
  for (std::int64_t i = 0; i < k; ++i) y[i] = FastMath::exp(x[i] - shift);
  const float total = static_cast<float>(sum_loop(y, k));
  for (std::int64_t i = 0; i < k; ++i) y[i] = y[i] / total;
}

// Short lines, one after the other: the exponentials of many at once.
void softmax_short_loop(const float* x, float* y, std::int64_t lines, std::int64_t k, bool log) {
  const std::int64_t at_once = block_floats / k;
  float shifted[block_floats];
  float block[block_floats];
  for (std::int64_t first = 0; first < lines; first += at_once) {
    const std::int64_t count = lines - first < at_once ? lines - first : at_once;
    const float* from = x + first * k;
    float* to = y + first * k;
    for (std::int64_t l = 0; l < count; ++l) {
      float shift = from[l * k];
      for (std::int64_t i = 1; i < k; ++i) {
        const float v = from[l * k + i];
        shift = ((v > shift) | (v != v)) ? v : shift;
      }
      for (std::int64_t i = 0; i < k; ++i) shifted[l * k + i] = from[l * k + i] - shift;
    }
    for (std::int64_t i = 0; i < count * k; ++i) block[i] = FastMath::exp(shifted[i]);
    for (std::int64_t l = 0; l < count; ++l) {
      double total = 0;
      for (std::int64_t i = 0; i < k; ++i) total += static_cast<double>(block[l * k + i]);
      if (log) {
        const float log_total = static_cast<float>(__builtin_log(total));
        for (std::int64_t i = 0; i < k; ++i) to[l * k + i] = shifted[l * k + i] - log_total;
      } else {
        const float divisor = static_cast<float>(total);
        for (std::int64_t i = 0; i < k; ++i) to[l * k + i] = block[l * k + i] / divisor;
      }
    }
  }
}

void softmax_lines_loop(const float* x, float* y, std::int64_t k, std::int64_t stride, std::int64_t width,
                        bool log) {
  float shift[max_width];
  double total[max_width] = {};
  for (std::int64_t w = 0; w < width; ++w) shift[w] = x[w];
  for (std::int64_t j = 1; j < k; ++j) {
    const float* row = x + j * stride;
    for (std::int64_t w = 0; w < width; ++w)
      shift[w] = row[w] > shift[w] || row[w] != row[w] ? row[w] : shift[w];
  }
  for (std::int64_t j = 0; j < k; ++j) {
    const float* row = x + j * stride;
    for (std::int64_t w = 0; w < width; ++w)
      total[w] += static_cast<double>(FastMath::exp(row[w] - shift[w]));
  }
  float divisor[max_width];
  for (std::int64_t w = 0; w < width; ++w) {
    divisor[w] = static_cast<float>(log ? __builtin_log(total[w]) : total[w]);
  }
  for (std::int64_t j = 0; j < k; ++j) {
    const float* row = x + j * stride;
    float* out = y + j * stride;
    if (log) {
      LBANN_IVDEP
      for (std::int64_t w = 0; w < width; ++w) out[w] = (row[w] - shift[w]) - divisor[w];
    } else {
      LBANN_IVDEP
      for (std::int64_t w = 0; w < width; ++w) out[w] = FastMath::exp(row[w] - shift[w]) / divisor[w];
    }
  }
}

// dx = y (dy - sum dy y), or dy - exp(y) sum dy for log-softmax
void softmax_bwd_line_loop(const float* dy, const float* y, float* dx, std::int64_t k, bool log) {
  const float total = static_cast<float>(log ? sum_loop(dy, k) : dot_loop(dy, y, k));
  if (log) {
    LBANN_IVDEP
    for (std::int64_t i = 0; i < k; ++i) dx[i] = dy[i] - FastMath::exp(y[i]) * total;
  } else {
    LBANN_IVDEP
    for (std::int64_t i = 0; i < k; ++i) dx[i] = y[i] * (dy[i] - total);
  }
}

void softmax_bwd_lines_loop(const float* dy, const float* y, float* dx, std::int64_t k, std::int64_t stride,
                            std::int64_t width, bool log) {
  double sums[max_width] = {};
  for (std::int64_t j = 0; j < k; ++j) {
    const float* g = dy + j * stride;
    const float* v = y + j * stride;
    if (log) {
      for (std::int64_t w = 0; w < width; ++w) sums[w] += static_cast<double>(g[w]);
    } else {
      for (std::int64_t w = 0; w < width; ++w)
        sums[w] += static_cast<double>(g[w]) * static_cast<double>(v[w]);
    }
  }
  float total[max_width];
  for (std::int64_t w = 0; w < width; ++w) total[w] = static_cast<float>(sums[w]);
  for (std::int64_t j = 0; j < k; ++j) {
    const float* g = dy + j * stride;
    const float* v = y + j * stride;
    float* out = dx + j * stride;
    if (log) {
      LBANN_IVDEP
      for (std::int64_t w = 0; w < width; ++w) out[w] = g[w] - FastMath::exp(v[w]) * total[w];
    } else {
      LBANN_IVDEP
      for (std::int64_t w = 0; w < width; ++w) out[w] = v[w] * (g[w] - total[w]);
    }
  }
}

}  // namespace
}  // namespace lbann::kernels::cpu
