// Dividing work among the OpenMP team. Tasks are numbered; a thread gets a contiguous range of them.
// What a task computes never depends on the number of threads, so results do not either. Work below
// the grain runs on one thread: waking the team costs microseconds. A parallel region always is the whole
// team, of which some threads may get nothing: the OpenMP runtime would end and start threads for another
// size.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace lbann::kernels::cpu {

inline constexpr std::int64_t grain_elements = 16384;  // about 2 us of memory-bound work

/// How many of `available` threads share the work: none gets less than a grain, and the longest part is
/// shorter than the whole by at least a grain, which pays for waking the team.
inline int threads_for(std::int64_t num_tasks, std::int64_t work_elements, std::int64_t available) {
  const std::int64_t threads = std::min({num_tasks, work_elements / grain_elements, available});
  if (threads < 2) return 1;
  const std::int64_t longest = (num_tasks + threads - 1) / threads;
  const double saved = static_cast<double>(work_elements) * static_cast<double>(num_tasks - longest) /
                       static_cast<double>(num_tasks);
  return saved < static_cast<double>(grain_elements) ? 1 : static_cast<int>(threads);
}

inline int threads_for(std::int64_t num_tasks, std::int64_t work_elements) {
  return omp_in_parallel() != 0 ? 1 : threads_for(num_tasks, work_elements, omp_get_max_threads());
}

/// Calls body(begin, end) for disjoint ranges that cover [0, num_tasks).
template <class Body>
void parallel_ranges(std::int64_t num_tasks, std::int64_t work_elements, Body&& body) {
  const int threads = threads_for(num_tasks, work_elements);
  if (threads <= 1) {
    if (num_tasks > 0) body(std::int64_t{0}, num_tasks);
    return;
  }
#pragma omp parallel
  {
    const std::int64_t count = std::min(threads, omp_get_num_threads());
    const std::int64_t me = omp_get_thread_num();
    if (me < count) {
      const std::int64_t begin = num_tasks * me / count;
      const std::int64_t end = num_tasks * (me + 1) / count;
      if (begin < end) body(begin, end);
    }
  }
}

/// Calls body(task) for every task.
template <class Body>
void parallel_tasks(std::int64_t num_tasks, std::int64_t work_elements, Body&& body) {
  parallel_ranges(num_tasks, work_elements, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) body(task);
  });
}

}  // namespace lbann::kernels::cpu
