// Shape rules of convolution and pooling: extents against hand-counted ones and a count of the legal
// window positions, and every refusal.
#include <boost/test/unit_test.hpp>

#include "graph_fixture.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;

namespace {

constexpr std::int64_t huge = std::int64_t{1} << 62;

struct WindowFixture : Fixture {
  std::string conv(Shape x, Shape w, Ints strides, Ints pads, Ints dilations, std::int64_t groups = 1) {
    return add("conv", {in(x), in(w)}, conv_attrs(strides, pads, dilations, groups));
  }
  std::string pool(Shape x, Ints window, Ints strides, Ints pads, std::string mode = "max") {
    return add("pool", {in(x)}, pool_attrs(mode, window, strides, pads));
  }
};

// Positions a window of the given reach can take: the definition, not the formula.
std::int64_t count_positions(std::int64_t in, std::int64_t k, std::int64_t s, std::int64_t p,
                             std::int64_t d) {
  std::int64_t count = 0;
  for (std::int64_t start = -p; start + d * (k - 1) < in + p; start += s) ++count;
  return count;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(windows, WindowFixture)

BOOST_AUTO_TEST_CASE(conv_shapes) {
  BOOST_CHECK_EQUAL(conv({4, 1, 28, 28}, {6, 1, 5, 5}, {1, 1}, {0, 0}, {1, 1}), "f32[4,6,24,24]");
  BOOST_CHECK_EQUAL(conv({4, 1, 28, 28}, {64, 1, 5, 5}, {2, 2}, {2, 2}, {1, 1}), "f32[4,64,14,14]");
  BOOST_CHECK_EQUAL(conv({1, 3, 224, 224}, {96, 3, 11, 11}, {4, 4}, {0, 0}, {1, 1}), "f32[1,96,54,54]");
  BOOST_CHECK_EQUAL(conv({2, 4, 9}, {6, 2, 3}, {2}, {1}, {2}, 2), "f32[2,6,4]");
  BOOST_CHECK_EQUAL(conv({2, 3, 5, 6, 7}, {4, 3, 1, 2, 3}, {1, 2, 3}, {0, 1, 1}, {1, 1, 1}),
                    "f32[2,4,5,4,3]");
  BOOST_CHECK_EQUAL(conv({2, 8, 5, 5}, {8, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 8), "f32[2,8,5,5]");
  BOOST_CHECK_EQUAL(conv({0, 8, 5, 5}, {8, 8, 3, 3}, {1, 1}, {1, 1}, {1, 1}), "f32[0,8,5,5]");
}

BOOST_AUTO_TEST_CASE(conv_extents_are_the_number_of_window_positions) {
  int legal = 0;
  for (std::int64_t n : {1, 2, 5, 8}) {
    for (std::int64_t k : {1, 2, 3, 5}) {
      for (std::int64_t s : {1, 2, 3}) {
        for (std::int64_t p : {0, 1, 3}) {
          for (std::int64_t d : {1, 2}) {
            const std::int64_t expected = count_positions(n, k, s, p, d);
            const std::string got = conv({1, 1, n}, {1, 1, k}, {s}, {p}, {d});
            if (expected > 0) {
              BOOST_CHECK_EQUAL(got, "f32[1,1," + std::to_string(expected) + "]");
              ++legal;
            } else {
              BOOST_CHECK(got.starts_with("window-exceeds-input: "));
            }
          }
        }
      }
    }
  }
  BOOST_CHECK_GT(legal, 200);
}

BOOST_AUTO_TEST_CASE(conv_refusals) {
  BOOST_CHECK_EQUAL(conv({4, 96, 27, 27}, {256, 48, 5, 5}, {1, 1}, {2, 2}, {1, 1}, 5),
                    "groups-divide-channels: 96 input channels not divisible by groups = 5");
  BOOST_CHECK_EQUAL(conv({4, 96, 27, 27}, {256, 32, 5, 5}, {1, 1}, {2, 2}, {1, 1}, 3),
                    "groups-divide-filters: 256 output channels not divisible by groups = 3");
  BOOST_CHECK_EQUAL(conv({4, 96, 27, 27}, {256, 96, 5, 5}, {1, 1}, {2, 2}, {1, 1}, 0),
                    "groups-positive: groups = 0 is less than 1");
  BOOST_CHECK_EQUAL(
      conv({4, 96, 27, 27}, {256, 96, 5, 5}, {1, 1}, {2, 2}, {1, 1}, 2),
      "kernel-channels: kernel [256,96,5,5] is for 96 input channels per group, the input has 96 / 2 = 48");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {0, 3, 5, 5}, {1, 1}, {2, 2}, {1, 1}),
                    "channels-positive: 0 output channels");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 5}, {1, 1}, {2, 2}, {1, 1}),
                    "kernel-rank: kernel [8,3,5] has 1 spatial dims, the input [4,3,9,9] has 2");
  BOOST_CHECK_EQUAL(
      conv({4, 3}, {8, 3}, {}, {}, {}),
      "input-rank: input [n,c,..] of shape [4,3] has 0 spatial dims, a convolution takes 1 to 3");
  BOOST_CHECK_EQUAL(
      conv({4, 3, 2, 2, 2, 2}, {8, 3, 1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {1, 1, 1, 1}),
      "input-rank: input [n,c,..] of shape [4,3,2,2,2,2] has 4 spatial dims, a convolution takes 1 to 3");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 4}, {8, 3, 5, 5}, {1, 1}, {0, 0}, {1, 1}),
                    "window-exceeds-input: window 5 exceeds input extent 4 with padding 0 on both sides "
                    "(spatial dim 1 of [9,4])");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 3, 3}, {1, 1}, {1, 1}, {1, 6}),
                    "window-exceeds-input: window 3 with dilation 6 (reach 13) exceeds input extent 9 with "
                    "padding 1 on both sides "
                    "(spatial dim 1 of [9,9])");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 3, 3}, {1}, {1, 1}, {1, 1}),
                    "window-rank: 1 strides for 2 spatial dims");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 3, 3}, {1, 0}, {1, 1}, {1, 1}),
                    "stride-positive: strides [1,0]: 0 is less than 1");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 3, 3}, {1, 1}, {1, -1}, {1, 1}),
                    "pad-nonnegative: pads [1,-1]: -1 is less than 0");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 3, 3}, {1, 1}, {1, 1}, {0, 1}),
                    "dilation-positive: dilations [0,1]: 0 is less than 1");
  BOOST_CHECK_EQUAL(conv({4, 3, 9, 9}, {8, 3, 0, 3}, {1, 1}, {1, 1}, {1, 1}),
                    "window-positive: window extents [0,3]: 0 is less than 1");
}

BOOST_AUTO_TEST_CASE(conv_refusals_help) {
  try {
    b.add("conv", {in({4, 3, 9, 9}), in({8, 3, 3, 3})}, conv_attrs({1, 1}, {1, 1}, {1, 6}));
    BOOST_ERROR("accepted");
  } catch (const ops::InferError& e) {
    // reach(window 2) = 7 fits into 11, reach(3) = 13 does not; padding 2 gives 13.
    BOOST_CHECK_EQUAL(e.help, "use a window of at most 2 or a padding of at least 2");
  }
}

BOOST_AUTO_TEST_CASE(extreme_numbers_do_not_overflow) {
  BOOST_CHECK_EQUAL(
      conv({1, 1, 9, 9}, {1, 1, 3, 3}, {1, huge}, {1, 1}, {1, 1}),
      "window-too-large: strides [1,4611686018427387904]: 4611686018427387904 is more than 2147483647");
  BOOST_CHECK(
      conv({1, 1, 9, 9}, {1, 1, 3, 3}, {1, 1}, {huge, 1}, {1, 1}).starts_with("window-too-large: pads"));
  BOOST_CHECK(
      conv({1, 1, 9, 9}, {1, 1, 3, 3}, {1, 1}, {1, 1}, {1, huge}).starts_with("window-too-large: dilations"));
  BOOST_CHECK(pool({1, 1, 9, 9}, {3, huge}, {1, 1}, {0, 0}).starts_with("window-too-large: window extents"));
  // The largest that are taken: 2^31 - 1 squared is below 2^62.
  BOOST_CHECK(conv({1, 1, 9}, {1, 1, 2147483647}, {1}, {2147483647}, {2147483647})
                  .starts_with("window-exceeds-input: "));
  // m = 2^31 - 1: 2^62 + 2 m - 1 = m^2 + 4 m, so m + 5 positions.
  BOOST_CHECK_EQUAL(conv({1, 1, huge}, {1, 1, 1}, {2147483647}, {2147483647}, {1}), "f32[1,1,2147483652]");
  // Padding blows the result up beyond 2^62 elements.
  BOOST_CHECK(conv({1, 1, 9, 9}, {3, 1, 1, 1}, {1, 1}, {2147483647, 2147483647}, {1, 1})
                  .starts_with("tensor-too-large: "));
}

BOOST_AUTO_TEST_CASE(conv_bias_types_and_activation) {
  const ValueId x = in({4, 3, 9, 9}), w = in({8, 3, 3, 3});
  const lbann::graph::Attrs attrs = conv_attrs({1, 1}, {1, 1}, {1, 1});
  BOOST_CHECK_EQUAL(add("conv", {x, w, in({8})}, attrs), "f32[4,8,9,9]");
  BOOST_CHECK_EQUAL(add("conv", {x, w, in({3})}, attrs),
                    "operand-shape: conv: bias has shape [3], expected [8]");
  BOOST_CHECK_EQUAL(add("conv", {x, in({8, 3, 3, 3}, DataType::f64)}, attrs),
                    "type-mismatch: conv: operands of types f32 and f64");
  BOOST_CHECK_EQUAL(add("conv", {in({4, 3, 9, 9}, DataType::i32), in({8, 3, 3, 3}, DataType::i32)}, attrs),
                    "type-mismatch: conv: operand has type i32, expected floating point");
  BOOST_CHECK_EQUAL(add("conv", {x}, attrs), "internal: conv: 1 operands, expected 2 to 3");
  lbann::graph::Attrs act = attrs;
  act.set("act", "relu");
  BOOST_CHECK_EQUAL(add("conv", {x, w}, act), "f32[4,8,9,9]");
  act.set("act", "tanh");
  BOOST_CHECK_EQUAL(add("conv", {x, w}, act), "internal: conv: unknown act 'tanh'");
  BOOST_CHECK_EQUAL(add("conv", {x, w}, {{"strides", Ints{1, 1}}}), "internal: node has no attribute 'pads'");
}

BOOST_AUTO_TEST_CASE(conv_twins) {
  lbann::graph::Attrs attrs = conv_attrs({2, 2}, {2, 2}, {1, 1});
  const ValueId dy = in({4, 64, 14, 14}), w = in({64, 1, 5, 5}), x = in({4, 1, 28, 28});
  attrs.set("input_dims", Ints{4, 1, 28, 28});
  BOOST_CHECK_EQUAL(add("conv_bwd_data", {dy, w}, attrs), "f32[4,1,28,28]");
  attrs.set("input_dims", Ints{4, 1, 27, 28});  // 27 has 14 positions too
  BOOST_CHECK_EQUAL(add("conv_bwd_data", {dy, w}, attrs), "f32[4,1,27,28]");
  attrs.set("input_dims", Ints{4, 1, 26, 28});
  BOOST_CHECK_EQUAL(add("conv_bwd_data", {dy, w}, attrs),
                    "operand-shape: conv_bwd_data: dy has shape [4,64,14,14], expected [4,64,13,14]");
  attrs.erase("input_dims");
  attrs.set("kernel_dims", Ints{64, 1, 5, 5});
  BOOST_CHECK_EQUAL(add("conv_bwd_weights", {x, dy}, attrs), "f32[64,1,5,5]");
  attrs.set("bias", std::int64_t{1});
  const auto outputs = b.add_n("conv_bwd_weights", {x, dy}, attrs);
  BOOST_REQUIRE_EQUAL(outputs.size(), 2u);
  BOOST_CHECK_EQUAL(b.spec(outputs[1]).to_string(), "f32[64]");
  attrs.set("kernel_dims", Ints{64, 1, 3, 5});
  BOOST_CHECK_EQUAL(add("conv_bwd_weights", {x, dy}, attrs),
                    "operand-shape: conv_bwd_weights: dy has shape [4,64,14,14], expected [4,64,15,14]");
}

BOOST_AUTO_TEST_CASE(pool_shapes_and_refusals) {
  BOOST_CHECK_EQUAL(pool({4, 6, 24, 24}, {2, 2}, {2, 2}, {0, 0}), "f32[4,6,12,12]");
  BOOST_CHECK_EQUAL(pool({4, 64, 14, 14}, {3, 3}, {2, 2}, {1, 1}), "f32[4,64,7,7]");
  BOOST_CHECK_EQUAL(pool({4, 64, 55, 55}, {3, 3}, {2, 2}, {0, 0}, "avg"), "f32[4,64,27,27]");
  BOOST_CHECK_EQUAL(pool({1, 2, 5}, {3}, {2}, {1}, "avg_no_pad"), "f32[1,2,3]");
  BOOST_CHECK_EQUAL(pool({4, 6, 2, 24}, {3, 2}, {2, 2}, {0, 0}),
                    "window-exceeds-input: window 3 exceeds input extent 2 with padding 0 on both sides "
                    "(spatial dim 0 of [2,24])");
  BOOST_CHECK_EQUAL(pool({4, 6, 24, 24}, {2, 2}, {2, 2}, {0, 2}),
                    "pad-below-window: padding 2 is not below the window 2 (spatial dim 1)");
  BOOST_CHECK_EQUAL(pool({4, 6, 24, 24}, {2}, {2, 2}, {0, 0}),
                    "window-rank: 1 window extents for 2 spatial dims");
  BOOST_CHECK_EQUAL(pool({4, 6, 24, 24}, {2, 2}, {0, 2}, {0, 0}),
                    "stride-positive: strides [0,2]: 0 is less than 1");
  BOOST_CHECK_EQUAL(pool({4, 6}, {}, {}, {}),
                    "input-rank: input [n,c,..] of shape [4,6] has 0 spatial dims, a pooling takes 1 to 3");
  BOOST_CHECK_EQUAL(pool({4, 6, 24}, {2}, {2}, {0}, "median"), "internal: pool: unknown mode 'median'");
}

BOOST_AUTO_TEST_CASE(pool_saved_and_twin) {
  const ValueId x = in({4, 6, 8, 8}), dy = in({4, 6, 4, 4});
  lbann::graph::Attrs attrs = pool_attrs("max", {2, 2}, {2, 2}, {0, 0});
  attrs.set("saved", std::int64_t{96});
  const auto outputs = b.add_n("pool", {x}, attrs);
  BOOST_REQUIRE_EQUAL(outputs.size(), 2u);
  BOOST_CHECK_EQUAL(b.spec(outputs[1]).to_string(), "u8[96]");
  attrs.set("input_dims", Ints{4, 6, 8, 8});
  BOOST_CHECK_EQUAL(add("pool_bwd", {dy, outputs[1]}, attrs), "f32[4,6,8,8]");
  BOOST_CHECK_EQUAL(add("pool_bwd", {dy, x}, attrs),
                    "operand-shape: pool_bwd: saved has shape [4,6,8,8], expected [96]");
  attrs.erase("saved");
  BOOST_CHECK_EQUAL(add("pool_bwd", {dy, x}, attrs), "f32[4,6,8,8]");
  BOOST_CHECK_EQUAL(add("pool_bwd", {x, x}, attrs),
                    "operand-shape: pool_bwd: dy has shape [4,6,8,8], expected [4,6,4,4]");
  BOOST_CHECK_EQUAL(add("pool_bwd", {dy}, attrs), "internal: pool_bwd: 1 operands, expected 2");
  attrs.set("mode", "avg");
  BOOST_CHECK_EQUAL(add("pool_bwd", {dy}, attrs), "f32[4,6,8,8]");
  BOOST_CHECK_EQUAL(add("pool_bwd", {dy, x}, attrs), "internal: pool_bwd: 2 operands, expected 1");
}

BOOST_AUTO_TEST_SUITE_END()
