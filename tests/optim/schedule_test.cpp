// Schedules against the rules LBANN applies at every epoch end and step, replayed as loops.
#include "optim/schedule.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace lbann::optim;
namespace tt = boost::test_tools;

namespace {

const auto within = tt::tolerance(1e-12);

/// lr after `epochs` epoch ends, each of which applies `rule(lr, epoch)`; the first epoch end sees epoch = 1.
template <class Rule>
double replay(double lr, std::int64_t epochs, Rule rule) {
  for (std::int64_t e = 1; e <= epochs; ++e) lr = rule(lr, e);
  return lr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(step_and_drop) {
  const std::vector<std::int64_t> drops{7, 0, 3, 7, 20};
  for (std::int64_t epochs = 0; epochs < 30; ++epochs) {
    const double stepped =
        replay(0.1, epochs, [](double lr, std::int64_t e) { return e % 4 == 0 ? lr * 0.5 : lr; });
    BOOST_TEST(learning_rate_at(StepSchedule{4, 0.5}, 0.1, epochs, 999) == stepped, within);
    const double dropped = replay(0.1, epochs, [&](double lr, std::int64_t e) {
      return std::find(drops.begin(), drops.end(), e) != drops.end() ? lr * 0.3 : lr;
    });
    BOOST_TEST(learning_rate_at(DropFixedSchedule{drops, 0.3}, 0.1, epochs, 999) == dropped, within);
    const double set = replay(0.1, epochs, [](double lr, std::int64_t e) { return e == 5 ? 0.7 : lr; });
    BOOST_TEST(learning_rate_at(SetSchedule{5, 0.7}, 0.1, epochs, 999) == set, within);
  }
}

BOOST_AUTO_TEST_CASE(linear_growth) {
  const LinearGrowthSchedule s{1.0, 4, 3};
  for (std::int64_t epochs = 0; epochs < 12; ++epochs) {
    const double expected = replay(0.2, epochs, [](double lr, std::int64_t e) {
      return e >= 3 && e <= 7 ? 0.2 + (1.0 - 0.2) / 4 * static_cast<double>(e - 3) : lr;
    });
    BOOST_TEST(learning_rate_at(s, 0.2, epochs, 0) == expected, within);
  }
  BOOST_TEST(learning_rate_at(s, 0.2, 100, 0) == 1.0, within);
}

BOOST_AUTO_TEST_CASE(adaptive) {
  // score, then the drops so far, by hand: patience 1 lets one epoch pass that is not better.
  const AdaptiveSchedule s{1, 0.1};
  AdaptiveState state;
  const double nan = std::nan("");
  const std::vector<std::pair<double, std::int64_t>> epochs{
      {5, 0},   {4, 0},   {4, 0},   {4.5, 1},  // the second miss drops, 4.5 is what counts now
      {4.2, 1}, {4.3, 1}, {nan, 2}, {1, 2},   {2, 3}, {1.5, 3}};
  // After the drop at NaN nothing is better than NaN: 1 and 2 are misses.
  for (const auto& [score, drops] : epochs) {
    state.end_epoch(s, score);
    BOOST_TEST(state.drops == drops);
    BOOST_TEST(
        learning_rate_at(s, 0.5, 3, 99, state.drops) == 0.5 * std::pow(0.1, static_cast<double>(drops)),
        within);
  }
  const auto findings = check_schedule(AdaptiveSchedule{-1, -0.5});
  BOOST_REQUIRE(findings.size() == 2U);
  BOOST_TEST(findings[0].field == "patience");
  BOOST_TEST(findings[1].field == "amt");
}

BOOST_AUTO_TEST_CASE(poly) {
  const PolySchedule s{2, 10, 0.01};
  BOOST_TEST(learning_rate_at(s, 0.1, 0, 0) == 0.1, within);
  BOOST_TEST(learning_rate_at(s, 0.1, 0, 5) == 0.09 * 0.25 + 0.01, within);
  BOOST_TEST(learning_rate_at(s, 0.1, 0, 9) == 0.09 * 0.01 + 0.01, within);
  BOOST_TEST(learning_rate_at(s, 0.1, 0, 10) == 0.01, within);
  BOOST_TEST(learning_rate_at(s, 0.1, 0, 1000) == 0.01, within);
}

BOOST_AUTO_TEST_CASE(cosine) {
  const CosineSchedule s{0.4, 0.1, 20, 0.2, 4};
  BOOST_TEST(learning_rate_at(s, 99, 0, 0) == 0.2, within);
  BOOST_TEST(learning_rate_at(s, 99, 0, 1) == 0.25, within);
  BOOST_TEST(learning_rate_at(s, 99, 0, 4) == 0.4, within);
  BOOST_TEST(learning_rate_at(s, 99, 0, 14) == 0.25, within);  // half way: cos(pi/2) = 0
  BOOST_TEST(learning_rate_at(s, 99, 0, 9) == 0.25 + 0.15 * std::sqrt(0.5), within);  // a quarter
  BOOST_TEST(learning_rate_at(s, 99, 0, 24) == 0.1, within);
  BOOST_TEST(learning_rate_at(s, 99, 0, 5000) == 0.1, within);
  BOOST_TEST(learning_rate_at(CosineSchedule{0.4, 0.1, 20, 0, 0}, 99, 0, 0) == 0.4, within);
}

BOOST_AUTO_TEST_CASE(divisions_by_zero_are_refused) {
  const auto field = [](const Schedule& s) {
    const auto findings = check_schedule(s);
    return findings.size() == 1 ? findings[0].field : "";
  };
  BOOST_TEST(field(StepSchedule{0, 0.5}) == "step");
  BOOST_TEST(field(LinearGrowthSchedule{1, 0, 0}) == "num_epochs");
  BOOST_TEST(field(PolySchedule{1, 0, 0}) == "max_iter");
  BOOST_TEST(field(CosineSchedule{1, 0, 0, 0, 0}) == "decay_steps");
  BOOST_TEST(field(DropFixedSchedule{{1}, -1}) == "amt");
  BOOST_TEST(check_schedule(StepSchedule{1, 0.5}).empty());
  BOOST_TEST(check_schedule(CosineSchedule{1, 0, 1, 0, 0}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
