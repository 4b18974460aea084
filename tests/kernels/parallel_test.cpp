// Dividing work: every task once, no part below the grain, and more threads are never a worse choice.
// Counted, not timed: the cost of a division is its longest part, and a grain for waking the team when there
// is more than one.
#include <algorithm>
#include <mutex>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "kernels/cpu/parallel.hpp"

namespace {

using namespace lbann::kernels::cpu;

struct Part {
  std::int64_t begin, end;
};

std::vector<Part> parts_of(std::int64_t tasks, std::int64_t work, int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  std::vector<Part> parts;
  std::mutex mutex;
  parallel_ranges(tasks, work, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    parts.push_back({begin, end});
  });
  omp_set_num_threads(before);
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.begin < b.begin; });
  return parts;
}

double cost(const std::vector<Part>& parts, std::int64_t tasks, std::int64_t work) {
  std::int64_t longest = 0;
  for (const Part& p : parts) longest = std::max(longest, p.end - p.begin);
  const double waking = parts.size() > 1 ? static_cast<double>(grain_elements) : 0;
  return waking + static_cast<double>(work) * static_cast<double>(longest) / static_cast<double>(tasks);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parallel)

BOOST_AUTO_TEST_CASE(more_threads_never_cost_more) {
  for (std::int64_t tasks : {1, 2, 3, 4, 5, 7, 8, 64, 1000}) {
    for (std::int64_t tenths : {0, 1, 9, 10, 15, 19, 20, 21, 25, 29, 30, 35, 40, 50, 80, 1000}) {
      const std::int64_t work = tenths * grain_elements / 10;
      double before = 0;
      for (int threads = 1; threads <= 4; ++threads) {
        const std::vector<Part> parts = parts_of(tasks, work, threads);
        const std::string name = std::to_string(tasks) + " tasks, " + std::to_string(tenths) +
                                 " tenths of a grain, " + std::to_string(threads) + " threads";
        std::int64_t next = 0;
        for (const Part& p : parts) {
          BOOST_TEST(p.begin == next, name);
          BOOST_TEST(p.end > p.begin, name);
          next = p.end;
        }
        BOOST_TEST(next == tasks, name);
        BOOST_TEST(
            static_cast<std::int64_t>(parts.size()) <= std::max<std::int64_t>(1, work / grain_elements),
            name);
        const double now = cost(parts, tasks, work);
        if (threads > 1) BOOST_TEST(now <= before, name << ": cost " << now << " after " << before);
        before = now;
      }
      BOOST_TEST(parts_of(tasks, work, 1).size() == 1u);
    }
  }
  BOOST_TEST(parts_of(64, 100 * grain_elements, 4).size() == 4u);  // and they are used
}

BOOST_AUTO_TEST_CASE(inside_a_team_work_stays_on_the_thread) {
  int most = 0;
  omp_set_num_threads(2);
#pragma omp parallel reduction(max : most)
  most = threads_for(64, 100 * grain_elements);
  BOOST_TEST(most == 1);
}

BOOST_AUTO_TEST_CASE(no_tasks_call_nothing) { BOOST_TEST(parts_of(0, 100 * grain_elements, 4).empty()); }

BOOST_AUTO_TEST_SUITE_END()
