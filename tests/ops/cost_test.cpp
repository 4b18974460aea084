// Costs against counts written out by hand (a multiply-add is 2).
#include <boost/test/unit_test.hpp>

#include "graph_fixture.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;

BOOST_FIXTURE_TEST_SUITE(costs, Fixture)

BOOST_AUTO_TEST_CASE(flops_and_bytes) {
  const auto cost = [&](ValueId v) { return ops::cost_of(g, producer(v)); };

  ops::Cost c = cost(b.add("matmul", {in({4, 3}), in({3, 5})}));
  BOOST_CHECK_EQUAL(c.flops, 2 * 4 * 3 * 5);
  BOOST_CHECK_EQUAL(c.bytes, 4 * (12 + 15 + 20));
  c = cost(b.add("matmul", {in({7, 3, 4}), in({7, 5, 3})}, {{"ta", 1}, {"tb", 1}}));
  BOOST_CHECK_EQUAL(c.flops, 2 * 7 * 4 * 3 * 5);
  c = cost(b.add("matmul", {in({4, 3}), in({3, 5}), in({5})}));
  BOOST_CHECK_EQUAL(c.flops, 2 * 4 * 3 * 5 + 20);

  // LeNet's first convolution, batch 4: 24 x 24 x 6 results of 25 taps.
  const ValueId x = in({4, 1, 28, 28}), w = in({6, 1, 5, 5}), dy = in({4, 6, 24, 24});
  lbann::graph::Attrs attrs = conv_attrs({1, 1}, {0, 0}, {1, 1});
  c = cost(b.add("conv", {x, w}, attrs));
  BOOST_CHECK_EQUAL(c.flops, 2.0 * 4 * 6 * 24 * 24 * 25);
  BOOST_CHECK_EQUAL(c.bytes, 4.0 * (4 * 784 + 150 + 4 * 6 * 576));
  c = cost(b.add("conv", {x, w, in({6})}, attrs));
  BOOST_CHECK_EQUAL(c.flops, 2.0 * 4 * 6 * 24 * 24 * 25 + 4 * 6 * 24 * 24);
  attrs.set("input_dims", Ints{4, 1, 28, 28});
  BOOST_CHECK_EQUAL(cost(b.add("conv_bwd_data", {dy, w}, attrs)).flops, 2.0 * 4 * 6 * 24 * 24 * 25);
  attrs.erase("input_dims");
  attrs.set("kernel_dims", Ints{6, 1, 5, 5});
  BOOST_CHECK_EQUAL(cost(b.add("conv_bwd_weights", {x, dy}, attrs)).flops, 2.0 * 4 * 6 * 24 * 24 * 25);
  // Groups divide the work.
  c = cost(b.add("conv", {in({1, 8, 5}), in({8, 2, 3})}, conv_attrs({1}, {1}, {1}, 4)));
  BOOST_CHECK_EQUAL(c.flops, 2.0 * 8 * 5 * 2 * 3);

  c = cost(b.add("pool", {in({4, 6, 24, 24})}, pool_attrs("max", {2, 3}, {2, 3}, {0, 0})));
  BOOST_CHECK_EQUAL(c.flops, 4.0 * 6 * 12 * 8 * 6);
  c = cost(b.ewise("add", {in({4, 3}), in({1, 3})}));
  BOOST_CHECK_EQUAL(c.flops, 12);
  BOOST_CHECK_EQUAL(c.bytes, 4 * (12 + 3 + 12));
  c = cost(b.add("fused_ewise", {in({4, 3})}, {{"program", "t0=neg(i0);t1=relu(t0);o0=t1"}}));
  BOOST_CHECK_EQUAL(c.flops, 24);
  BOOST_CHECK_EQUAL(c.bytes, 4 * 24);
  c = cost(b.reduce("sum", in({4, 3}, DataType::f64), {0}));
  BOOST_CHECK_EQUAL(c.flops, 12);
  BOOST_CHECK_EQUAL(c.bytes, 8 * 15);
}

BOOST_AUTO_TEST_CASE(what_moves_nothing_costs_nothing) {
  const auto cost = [&](ValueId v) { return ops::cost_of(g, producer(v)); };
  BOOST_CHECK_EQUAL(cost(b.reshape(in({4, 3}), {12})).bytes, 0);
  BOOST_CHECK_EQUAL(cost(in({4, 3})).bytes, 0);
  BOOST_CHECK_EQUAL(cost(b.permute(in({4, 3}), {1, 0})).flops, 0);
  BOOST_CHECK_EQUAL(cost(b.permute(in({4, 3}), {1, 0})).bytes, 4 * 24);
  // A slice reads what it writes, not all it could read.
  BOOST_CHECK_EQUAL(cost(b.add("slice", {in({400, 3})}, {{"axis", 0}, {"start", 0}, {"stop", 2}})).bytes,
                    4 * 12);
  BOOST_CHECK_EQUAL(cost(b.fill(0, {DataType::f32, {4, 3}, {}})).bytes, 48);
}

BOOST_AUTO_TEST_SUITE_END()
