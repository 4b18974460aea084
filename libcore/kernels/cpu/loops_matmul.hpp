// Matrix products of a few rows or columns, one matrix of a batch: what word vectors and small heads do,
// too small for the library's calls. Included by isa_*.cpp only, all internal.
#pragma once

#include "kernels/cpu/loops_reduce.hpp"

namespace lbann::kernels::cpu {
namespace {

// y[0..n) = sum over l of factor[l * factor_stride] * rows[l * row_stride + 0..n)
LBANN_VEC void combine_rows(const float* factor, std::int64_t factor_stride, const float* rows,
                            std::int64_t row_stride, std::int64_t k, float* y, std::int64_t n) {
  std::int64_t j = 0;
  for (; j + 32 <= n; j += 32) {
    Vec16 s = Vec16::zero(), t = s;
    for (std::int64_t l = 0; l < k; ++l) {
      const Vec16 f = Vec16::set(factor[l * factor_stride]);
      s = fma(f, Vec16::load(rows + l * row_stride + j), s);
      t = fma(f, Vec16::load(rows + l * row_stride + j + 16), t);
    }
    s.store(y + j);
    t.store(y + j + 16);
  }
  for (; j < n; j += 16) {
    const int lanes = static_cast<int>(n - j < 16 ? n - j : 16);
    Vec16 s = Vec16::zero();
    for (std::int64_t l = 0; l < k; ++l) {
      s = fma(Vec16::set(factor[l * factor_stride]),
              Vec16::load(rows + l * row_stride + j, lanes, Vec16::zero()), s);
    }
    s.store(y + j, lanes);
  }
}

// Rows `r` of a tile, and its columns from `column` on.
template <int Rows, int Vectors>
LBANN_VEC void product_tile_part(const float* rows, const float* columns, std::int64_t k, float* y,
                                 std::int64_t stride) {
  Vec16 sum[Rows][Vectors];
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < Vectors; ++j) sum[i][j] = Vec16::zero();
  }
  for (std::int64_t l = 0; l < k; ++l) {
    Vec16 column[Vectors];
    for (int j = 0; j < Vectors; ++j) column[j] = Vec16::load(columns + l * 32 + 16 * j);
    for (int i = 0; i < Rows; ++i) {
      const Vec16 row = Vec16::set(rows[l * 8 + i]);
      for (int j = 0; j < Vectors; ++j) sum[i][j] = fma(row, column[j], sum[i][j]);
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < Vectors; ++j) sum[i][j].store(y + i * stride + 16 * j);
  }
}

void product_tile_loop(const float* rows, const float* columns, std::int64_t k, float* y,
                       std::int64_t stride) {
#if defined(__AVX512F__)
  product_tile_part<8, 2>(rows, columns, k, y, stride);  // 16 sums and 3 operands of 32 registers
#else
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 32; j += 16)
      product_tile_part<4, 1>(rows + i, columns + j, k, y + i * stride + j, stride);
  }
#endif
}

void small_matmul_loop(const float* a, const float* b, float* y, const SmallProduct& p) {
  if (p.n > 1 && p.bn == 1) {
    for (std::int64_t i = 0; i < p.m; ++i) combine_rows(a + i * p.am, p.ak, b, p.bk, p.k, y + i * p.n, p.n);
    return;
  }
  if (p.ak == 1 && p.bk == 1) {
    for (std::int64_t i = 0; i < p.m; ++i) {
      for (std::int64_t j = 0; j < p.n; ++j) {
        y[i * p.n + j] = static_cast<float>(dot_loop(a + i * p.am, b + j * p.bn, p.k));
      }
    }
    return;
  }
  if (p.am == 1 && p.n == 1) {
    combine_rows(b, p.bk, a, p.ak, p.k, y, p.m);
    return;
  }
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l) {
        sum += static_cast<double>(a[i * p.am + l * p.ak]) * static_cast<double>(b[l * p.bk + j * p.bn]);
      }
      y[i * p.n + j] = static_cast<float>(sum);
    }
  }
}

}  // namespace
}  // namespace lbann::kernels::cpu
