// Epoch statistics against numbers computed by hand.
#include "train/epoch_stats.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace lbann::train;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

BOOST_AUTO_TEST_SUITE(epoch_stats)

// 256 samples of 1.0 and 16 of 3.0: (256 + 48) / 272.
BOOST_AUTO_TEST_CASE(a_partial_batch_counts_for_what_it_holds) {
  EpochStats stats(1);
  stats.begin();
  stats.add_step(1.0, {100.0}, 256, 0.5);
  stats.add_step(3.0, {0.0}, 16, 0.25);
  BOOST_TEST(stats.objective() == 304.0 / 272.0);
  BOOST_TEST(stats.metric(0) == 25600.0 / 272.0);
  BOOST_TEST(stats.num_samples() == 272);
  BOOST_TEST(stats.num_steps() == 2);
  stats.begin();
  BOOST_TEST(stats.num_samples() == 0);
  BOOST_TEST(std::isnan(stats.objective()));
}

// Plain double summation of 1e16 + 1 (a million times) - 1e16 gives 0.
BOOST_AUTO_TEST_CASE(small_terms_beside_a_large_one_are_kept) {
  WeightedMean mean;
  mean.add(1e16, 1);
  for (int i = 0; i < 1000000; ++i) mean.add(1.0, 1);
  mean.add(-1e16, 1);
  BOOST_TEST(mean.sum() == 1e6);
  BOOST_TEST(mean.num_samples() == 1000002);
}

BOOST_AUTO_TEST_CASE(nan_and_infinity_come_through) {
  WeightedMean a, b;
  a.add(1, 1);
  a.add(not_a_number, 1);
  a.add(1, 1);
  BOOST_TEST(std::isnan(a.mean()));
  b.add(1, 1);
  b.add(infinity, 1);
  b.add(1, 1);
  BOOST_TEST(b.mean() == infinity);
}

BOOST_AUTO_TEST_CASE(step_times_of_odd_and_even_counts) {
  const auto odd = make_step_time_statistics({5, 1, 3});
  BOOST_TEST(odd.mean == 3.0);
  BOOST_TEST(odd.median == 3.0);
  BOOST_TEST(odd.max == 5.0);
  BOOST_TEST(odd.min == 1.0);
  BOOST_TEST(odd.stdev == 2.0);  // sqrt((4 + 4) / 2)
  BOOST_TEST(make_step_time_statistics({4, 1, 2, 10}).median == 3.0);
}

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_nan) {
  const auto none = make_step_time_statistics({});
  for (const double x : {none.mean, none.median, none.max, none.min, none.stdev}) BOOST_TEST(std::isnan(x));
  const auto one = make_step_time_statistics({0.5});
  BOOST_TEST(one.median == 0.5);
  BOOST_TEST(std::isnan(one.stdev));
}

BOOST_AUTO_TEST_CASE(first_steps_can_be_left_out) {
  EpochStats stats;
  stats.begin();
  for (const double seconds : {9.0, 1.0, 3.0}) stats.add_step(0, {}, 1, seconds);
  BOOST_TEST(stats.step_times(1).mean == 2.0);
  BOOST_TEST(stats.step_times().max == 9.0);
  BOOST_TEST(std::isnan(stats.step_times(7).mean));
}

BOOST_AUTO_TEST_CASE(a_wrong_number_of_metrics_is_a_bug) {
  EpochStats stats(2);
  BOOST_CHECK_THROW(stats.add_step(0, {1.0}, 1, 0), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
