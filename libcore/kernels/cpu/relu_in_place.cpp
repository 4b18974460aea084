// Contiguous slices per thread; below the grain one thread does it, because waking a team costs
// more than the work. Never a team of another size: the OpenMP runtime would rebuild its pool.
#include "kernels/cpu/relu_in_place.hpp"

#include <omp.h>

#include <algorithm>

#include "base/target_clones.hpp"

namespace lbann::kernels::cpu {
namespace {

constexpr std::int64_t grain = 32 * 1024;  // elements

LBANN_TARGET_CLONES void relu_slice(float* data, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) data[i] = data[i] <= 0.0F ? 0.0F : data[i];
}

}  // namespace

void relu_in_place(float* data, std::int64_t count) {
  if (count < grain) {
    relu_slice(data, count);
    return;
  }
#pragma omp parallel
  {
    const std::int64_t threads = omp_get_num_threads();
    const std::int64_t slice = (count / 16 + threads - 1) / threads * 16;  // whole cache lines
    const std::int64_t begin = std::min(slice * omp_get_thread_num(), count);
    const std::int64_t end = omp_get_thread_num() + 1 == threads ? count : std::min(begin + slice, count);
    relu_slice(data + begin, end - begin);
  }
}

}  // namespace lbann::kernels::cpu
