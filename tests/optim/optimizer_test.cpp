// Rules, states and step scalars against the formulas of docs/primitives.md.
#include "optim/optimizer.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace lbann::optim;

BOOST_AUTO_TEST_SUITE(optimizers)

BOOST_AUTO_TEST_CASE(sgd_has_three_rules) {
  OptimizerConfig c;
  c.kind = OptimizerKind::sgd;
  BOOST_TEST(update_rule(c).name == "sgd");
  BOOST_TEST(update_rule(c).states.empty());
  c.nesterov = true;  // without momentum both formulas are w -= lr g
  BOOST_TEST(update_rule(c).name == "sgd");
  c.momentum = 0.9;
  BOOST_TEST(update_rule(c).name == "nesterov");
  c.nesterov = false;
  BOOST_TEST(update_rule(c).name == "momentum");
  BOOST_TEST(update_rule(c).states.size() == 1u);
  BOOST_TEST((scalars_at(c, 0.25, 7) == std::vector<double>{0.25, 0.9}));
}

BOOST_AUTO_TEST_CASE(slots_and_scalars_have_equal_counts) {
  for (const auto kind :
       {OptimizerKind::sgd, OptimizerKind::adagrad, OptimizerKind::rmsprop, OptimizerKind::adam}) {
    OptimizerConfig c;
    c.kind = kind;
    for (const double momentum : {0.0, 0.5}) {
      c.momentum = momentum;
      BOOST_TEST(update_rule(c).slots.size() == scalars_at(c, 0.1, 1).size());
    }
  }
  BOOST_TEST(scalars_at({}, 0.1, 1).empty());
  BOOST_CHECK_THROW(update_rule({}), lbann::base::Error);
}

BOOST_AUTO_TEST_CASE(adam_powers) {
  OptimizerConfig c;
  c.kind = OptimizerKind::adam;
  c.beta1 = 0.9;
  c.beta2 = 0.999;
  c.eps = 1e-8;
  c.weight_decay = 0.01;
  BOOST_TEST((scalars_at(c, 1e-3, 1) == std::vector<double>{1e-3, 0.9, 0.999, 1e-8, 0.01, 0.9, 0.999}));
  for (const std::int64_t t : {2, 3, 10, 1000, 12345, 10000000}) {
    const auto s = scalars_at(c, 1e-3, t);
    const double b1 = std::pow(0.9, static_cast<double>(t)), b2 = std::pow(0.999, static_cast<double>(t));
    BOOST_TEST(std::abs(s[5] - b1) <= 1e-12 * b1 + 1e-300);
    BOOST_TEST(std::abs(s[6] - b2) <= 1e-12 * b2 + 1e-300);
  }
  c.beta1 = 0;  // absent: 1 - 0^t = 1, no correction
  BOOST_TEST(scalars_at(c, 1e-3, 1)[5] == 0);
  BOOST_TEST(int_power(0.3, 0) == 1);
}

BOOST_AUTO_TEST_CASE(ranges) {
  OptimizerConfig c;
  c.kind = OptimizerKind::adam;
  BOOST_TEST(check_optimizer(c).empty());  // all zero is legal (and useless: the reader warns)
  c.beta1 = 1;
  c.beta2 = -0.1;
  c.eps = -1;
  c.learn_rate = std::numeric_limits<double>::infinity();
  c.momentum = 5;  // not a field of adam
  const auto findings = check_optimizer(c);
  BOOST_REQUIRE_EQUAL(findings.size(), 4u);
  BOOST_TEST(findings[1].field == "beta1");
  BOOST_TEST(findings[1].message == "beta1 = 1, must be at least 0 and less than 1");
  c.kind = OptimizerKind::sgd;
  BOOST_TEST(check_optimizer(c).size() == 2u);  // learn_rate, momentum
}

BOOST_AUTO_TEST_SUITE_END()
