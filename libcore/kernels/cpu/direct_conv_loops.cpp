// All rows of the window of one position are kept in registers over the sum over filters: at most 20
// vectors. The last vector of a row is masked, so that a NaN cannot leak to its neighbours.
#include "kernels/cpu/direct_conv_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define LBANN_AVX512 __attribute__((target("avx512f,fma")))

namespace lbann::kernels::cpu {
namespace {

LBANN_AVX512 inline __mmask16 lanes(int count) { return static_cast<__mmask16>((1U << count) - 1U); }

template <int Rows, int Vectors>
LBANN_AVX512 void data_positions(const DataLoop& l, const float* dy, float* dx, std::int64_t count) {
  const __mmask16 last = lanes(static_cast<int>(l.run - (Vectors - 1) * 16));
  for (std::int64_t p = 0; p < count; ++p, dy += l.y_pitch, dx += l.step) {
    __m512 acc[Rows * Vectors];
#pragma GCC unroll 32
    for (int i = 0; i < Rows * Vectors; ++i) acc[i] = _mm512_setzero_ps();
    const float* w = l.weights;
    for (int k = 0; k < l.filters; ++k, w += Rows * Vectors * 16) {
      const __m512 d = _mm512_set1_ps(dy[k]);
#pragma GCC unroll 32
      for (int i = 0; i < Rows * Vectors; ++i)
        acc[i] = _mm512_fmadd_ps(d, _mm512_loadu_ps(w + i * 16), acc[i]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      float* to = dx + r * l.row;
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        const __mmask16 mask = v + 1 < Vectors ? static_cast<__mmask16>(0xffff) : last;
        const __m512 old = _mm512_maskz_loadu_ps(mask, to + v * 16);
        _mm512_mask_storeu_ps(to + v * 16, mask, _mm512_add_ps(old, acc[r * Vectors + v]));
      }
    }
  }
}

using DataFunction = void (*)(const DataLoop&, const float*, float*, std::int64_t);

DataFunction data_function(std::int64_t rows, std::int64_t run) {
  static constexpr DataFunction three[] = {data_positions<3, 1>, data_positions<3, 2>, data_positions<3, 3>,
                                           data_positions<3, 4>};
  static constexpr DataFunction five[] = {data_positions<5, 1>, data_positions<5, 2>, data_positions<5, 3>,
                                          data_positions<5, 4>};
  if (run < 1 || run > 64) return nullptr;
  const std::int64_t vectors = (run + 15) / 16;
  if (rows == 3) return three[vectors - 1];
  if (rows == 5) return five[vectors - 1];
  return nullptr;
}

}  // namespace

bool has_direct_data_loop(std::int64_t rows, std::int64_t run) { return data_function(rows, run) != nullptr; }

void direct_data(const DataLoop& l, const float* dy, float* dx, std::int64_t count) {
  data_function(l.rows, l.run)(l, dy, dx, count);
}

}  // namespace lbann::kernels::cpu

#else

namespace lbann::kernels::cpu {

bool has_direct_data_loop(std::int64_t, std::int64_t) { return false; }
void direct_data(const DataLoop&, const float*, float*, std::int64_t) {}

}  // namespace lbann::kernels::cpu

#endif
