// Contiguous slices per thread; below the grain one thread does it, because waking a team costs
// more than the work. Never a team of another size: the OpenMP runtime would rebuild its pool.
#include "kernels/cpu/epilogue.hpp"

#include <omp.h>

#include <algorithm>

#include "base/target_clones.hpp"

namespace lbann::kernels::cpu {
namespace {

constexpr std::int64_t grain = 32 * 1024;  // elements

LBANN_TARGET_CLONES void relu_slice(float* data, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) data[i] = data[i] <= 0.0F ? 0.0F : data[i];
}

LBANN_TARGET_CLONES void bias_rows(float* y, const float* bias, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) y[i * columns + j] += bias[j];
  }
}

// Calls work(begin, end) for every thread's part of [0, count), cut at multiples of `unit`.
template <class Work>
void for_each_slice(std::int64_t count, std::int64_t elements, std::int64_t unit, Work work) {
  if (elements < grain) {
    work(std::int64_t{0}, count);
    return;
  }
#pragma omp parallel
  {
    const std::int64_t threads = omp_get_num_threads();
    const std::int64_t slice = (count / unit + threads - 1) / threads * unit;
    const std::int64_t begin = std::min(slice * omp_get_thread_num(), count);
    const std::int64_t end = omp_get_thread_num() + 1 == threads ? count : std::min(begin + slice, count);
    if (begin < end) work(begin, end);
  }
}

}  // namespace

void relu_in_place(float* data, std::int64_t count) {
  constexpr std::int64_t cache_line = 16;
  for_each_slice(count, count, cache_line,
                 [data](std::int64_t begin, std::int64_t end) { relu_slice(data + begin, end - begin); });
}

void add_bias_in_place(float* y, const float* bias, std::int64_t rows, std::int64_t columns) {
  for_each_slice(rows, rows * columns, 1, [=](std::int64_t begin, std::int64_t end) {
    bias_rows(y + begin * columns, bias, end - begin, columns);
  });
}

}  // namespace lbann::kernels::cpu
