// The naive kernels on cases small enough to compute by hand. (Their larger judge is the golden
// data of tests/layers, made with NumPy and PyTorch.)
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "base/diagnostic.hpp"
#include "kernel_harness.hpp"
#include "kernels/ewise_program.hpp"
#include "kernels/reference/reference_kernels.hpp"
#include "ops/scalar_functions.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;
using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float qnan = std::numeric_limits<float>::quiet_NaN();

Floats evaluate(const std::string& op, graph::Attrs attrs, std::vector<Tensor> inputs, tensor::Shape shape) {
  Case c{op, std::move(attrs), std::move(inputs), {make_tensor(std::move(shape))}};
  run(c, "ref." + op);
  return values_of(c.outputs[0]);
}

void check_equal(const Floats& got, const Floats& want) {
  BOOST_REQUIRE_EQUAL(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(want[i])) {
      BOOST_TEST(std::isnan(got[i]), "element " << i << " is " << got[i] << ", not NaN");
    } else {
      BOOST_TEST(got[i] == want[i], "element " << i << ": " << got[i] << " != " << want[i]);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reference)

BOOST_AUTO_TEST_CASE(bodies_have_the_names_and_arities_of_the_table) {
  const auto table = ops::all_scalar_functions();
  BOOST_REQUIRE_EQUAL(static_cast<int>(table.size()), kernels::shared::num_scalar_functions);
  for (std::size_t i = 0; i < table.size(); ++i) {
    BOOST_TEST(table[i].name == kernels::shared::scalar_names[i].name);
    BOOST_TEST(table[i].arity == kernels::shared::scalar_names[i].arity, table[i].name);
  }
}

BOOST_AUTO_TEST_CASE(zero_at_zero_is_told_truly) {
  for (const auto& f : ops::all_scalar_functions()) {
    if (!f.zero_at_zero) continue;
    std::vector<Tensor> zeros(static_cast<std::size_t>(f.arity), tensor_of({1}, {0}));
    const Floats y = evaluate("ewise", {{"fn", std::string(f.name)}, {"a", 0.5}, {"b", 0.25}}, zeros, {1});
    BOOST_TEST(y[0] == 0.0f, f.name);
  }
}

// Central differences of every function's body against its gradient rule's bodies, in double.
BOOST_AUTO_TEST_CASE(gradients_agree_with_differences) {
  const std::vector<double> points[3] = {{0.7, -1.3, 0.2}, {0.4, 0.9, -0.8}, {0.31, 0.6, 1.7}};
  int checked = 0;
  const auto value = [](std::string_view fn, const std::vector<double>& x) {
    Case c{"ewise",
           {{"fn", std::string(fn)}, {"a", 0.3}, {"b", 0.05}},
           {},
           {make_tensor({1}, tensor::DataType::f64)}};
    for (double e : x) c.inputs.push_back(tensor_of_doubles({1}, {e}));
    run(c, "ref.ewise");
    return c.outputs[0].as<double>()[0];
  };
  for (const auto& f : ops::all_scalar_functions()) {
    for (int p = 0; p < 3; ++p) {
      std::vector<double> x(points[p].begin(), points[p].begin() + f.arity);
      const double y = value(f.name, x);
      if (std::isnan(y)) continue;                       // outside the domain of sqrt, log
      if (f.name == "mod" && x[0] / x[1] < 0) continue;  // the gradient rounds down, fmod truncates
      if (f.name.starts_with("xent") && f.arity == 2 && x[1] <= 0) continue;  // no target is negative
      for (int k = 0; k < f.arity; ++k) {
        const ops::ScalarGradient& rule = f.gradient[k];
        if (rule.fn.empty()) continue;
        std::vector<double> arguments;
        for (char a : rule.args)
          arguments.push_back(a == 'g' ? 1.0 : a == 'y' ? y : x[static_cast<std::size_t>(a - '0')]);
        const double got = value(rule.fn, arguments);
        const double h = 1e-6;
        std::vector<double> up = x, down = x;
        up[static_cast<std::size_t>(k)] += h;
        down[static_cast<std::size_t>(k)] -= h;
        const double want = (value(f.name, up) - value(f.name, down)) / (2 * h);
        BOOST_TEST(std::fabs(got - want) < 1e-6 * std::max(1.0, std::fabs(want)),
                   f.name << " operand " << k << " point " << p << ": " << got << " != " << want);
        ++checked;
      }
    }
  }
  BOOST_TEST(checked >= 90);
}

BOOST_AUTO_TEST_CASE(relu_keeps_nan_and_broadcasts_broadcast) {
  check_equal(evaluate("ewise", {{"fn", "relu"}}, {tensor_of({4}, {-1, 2, qnan, -0.0f})}, {4}),
              {0, 2, qnan, 0});
  check_equal(evaluate("ewise", {{"fn", "max2"}},
                       {tensor_of({4}, {1, qnan, 2, 5}), tensor_of({4}, {3, 1, qnan, -inf})}, {4}),
              {3, qnan, qnan, 5});
  check_equal(
      evaluate("ewise", {{"fn", "sub"}}, {tensor_of({2, 1}, {10, 20}), tensor_of({1, 3}, {1, 2, 3})}, {2, 3}),
      {9, 8, 7, 19, 18, 17});
}

BOOST_AUTO_TEST_CASE(fused_program) {
  Case c{"fused_ewise",
         {{"program", "t0=mul(i0,i1);t1=relu(t0);t2=scale(t1|0x1p-1,0);o0=t2;o1=add(t2,i0)"}},
         {tensor_of({3}, {1, -2, 3}), tensor_of({1}, {4})},
         {make_tensor({3}), make_tensor({3})}};
  run(c, "ref.fused_ewise");
  check_equal(values_of(c.outputs[0]), {2, 0, 6});
  check_equal(values_of(c.outputs[1]), {3, -2, 9});
  for (const char* bad : {"", "o0=relu(t0)", "o0=add(i0)", "o0=nosuch(i0)", "o0=scale(i0|x)", "o1=i0",
                          "t0=i0", "o0=relu(i0", "o0=i0;o0=i0"}) {
    BOOST_CHECK_THROW(kernels::parse_ewise_program(bad), base::Error);
  }
}

BOOST_AUTO_TEST_CASE(movement) {
  const Tensor x = tensor_of({2, 3}, {1, 2, 3, 4, 5, 6});
  check_equal(evaluate("permute", {{"perm", Ints{1, 0}}}, {x}, {3, 2}), {1, 4, 2, 5, 3, 6});
  check_equal(evaluate("slice", {{"axis", 1}, {"start", 1}, {"stop", 3}}, {x}, {2, 2}), {2, 3, 5, 6});
  check_equal(evaluate("pad", {{"axis", 0}, {"before", 1}, {"after", 1}}, {x}, {4, 3}),
              {0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0});
  check_equal(evaluate("concat", {{"axis", 1}}, {x, tensor_of({2, 1}, {7, 8})}, {2, 4}),
              {1, 2, 3, 7, 4, 5, 6, 8});
  check_equal(evaluate("expand", {{"dims", Ints{2, 2}}}, {tensor_of({2, 1}, {1, 2})}, {2, 2}), {1, 1, 2, 2});
  check_equal(evaluate("reshape", {{"dims", Ints{3, 2}}}, {x}, {3, 2}), {1, 2, 3, 4, 5, 6});
}

BOOST_AUTO_TEST_CASE(view_leaves_a_shared_buffer_alone) {
  Case c{"reshape", {{"dims", Ints{6}}}, {tensor_of({2, 3}, {1, 2, 3, 4, 5, 6})}, {make_tensor({6})}};
  c.outputs[0].buffer = c.inputs[0].buffer;
  run(c, "view");
  check_equal(values_of(c.outputs[0]), {1, 2, 3, 4, 5, 6});
}

BOOST_AUTO_TEST_CASE(reorder_pads_with_zero) {
  const Floats values = random_values(2 * 3 * 2 * 2, 1);
  Case c{"reorder",
         {},
         {tensor_of({2, 3, 2, 2}, values)},
         {make_tensor({2, 3, 2, 2}, tensor::DataType::f32, "aBcd8b")}};
  run(c, "ref.reorder");
  BOOST_TEST(different_bits(values_of(c.outputs[0]), values) == 0);
  BOOST_TEST(dirty_padding(c.outputs[0]) == 0);
  BOOST_TEST(c.outputs[0].as<float>()[8] == values[1]);  // n 0, h 0, w 1, c 0
}

BOOST_AUTO_TEST_CASE(reductions) {
  const Tensor x = tensor_of({2, 3}, {1, 5, 3, -4, qnan, 6});
  check_equal(evaluate("reduce", {{"fn", "sum"}, {"axes", Ints{1}}}, {x}, {2, 1}), {9, qnan});
  check_equal(evaluate("reduce", {{"fn", "mean"}, {"axes", Ints{1}}}, {x}, {2, 1}), {3, qnan});
  check_equal(evaluate("reduce", {{"fn", "max"}, {"axes", Ints{0}}}, {x}, {1, 3}), {1, qnan, 6});
  check_equal(evaluate("reduce", {{"fn", "min"}, {"axes", Ints{0}}}, {x}, {1, 3}), {-4, qnan, 3});
  Case c{"arg_reduce",
         {{"fn", "max"}, {"axis", 1}},
         {tensor_of({4, 3}, {1, 5, 5, qnan, 2, qnan, qnan, qnan, qnan, -inf, -inf, -inf})},
         {make_tensor({4, 1}, tensor::DataType::i64)}};
  run(c, "ref.arg_reduce");
  const std::int64_t* winners = c.outputs[0].as<std::int64_t>();
  BOOST_TEST((Ints(winners, winners + 4) == Ints{1, 1, 0, 0}));
}

BOOST_AUTO_TEST_CASE(softmax) {
  const Floats y = evaluate("softmax", {{"axis", 1}, {"log", 0}},
                            {tensor_of({1, 2}, {10000, 10000 + std::log(3.0f)})}, {1, 2});
  BOOST_TEST(std::fabs(y[0] - 0.25f) < 2e-4);  // 10000.x has few bits behind the point
  BOOST_TEST(y[0] + y[1] == 1.0f);
  check_equal(evaluate("softmax", {{"axis", 0}, {"log", 1}}, {tensor_of({2, 1}, {0, 0})}, {2, 1}),
              {-0.693147182f, -0.693147182f});
  check_equal(evaluate("softmax_bwd", {{"axis", 1}, {"log", 0}},
                       {tensor_of({1, 2}, {1, 3}), tensor_of({1, 2}, {0.25, 0.75})}, {1, 2}),
              {-0.375f, 0.375f});
}

BOOST_AUTO_TEST_CASE(matmul) {
  const Tensor a = tensor_of({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor b = tensor_of({3, 2}, {1, 0, 0, 1, 1, 1});
  const Tensor bias = tensor_of({2}, {-10, 100});
  check_equal(evaluate("matmul", {{"ta", 0}, {"tb", 0}}, {a, b}, {2, 2}), {4, 5, 10, 11});
  check_equal(evaluate("matmul", {{"ta", 0}, {"tb", 0}, {"act", "relu"}}, {a, b, bias}, {2, 2}),
              {0, 105, 0, 111});
  check_equal(evaluate("matmul", {{"ta", 1}, {"tb", 1}}, {b, a}, {2, 2}), {4, 10, 5, 11});
}

BOOST_AUTO_TEST_CASE(convolution_and_its_gradients) {
  const graph::Attrs attrs{{"strides", Ints{2}}, {"pads", Ints{1}}, {"dilations", Ints{1}}, {"groups", 1}};
  const Tensor x = tensor_of({1, 1, 4}, {1, 2, 3, 4});
  const Tensor w = tensor_of({1, 1, 3}, {10, 100, 1000});
  // padded 0 1 2 3 4 0: 0*10+1*100+2*1000, 2*10+3*100+4*1000
  check_equal(evaluate("conv", attrs, {x, w}, {1, 1, 2}), {2100, 4320});
  const Tensor dy = tensor_of({1, 1, 2}, {1, 2});
  check_equal(evaluate("conv_bwd_data", attrs, {dy, w}, {1, 1, 4}), {100, 1000 + 20, 200, 2000});
  Case c{"conv_bwd_weights", attrs, {x, dy}, {make_tensor({1, 1, 3}), make_tensor({1})}};
  run(c, "ref.conv_bwd_weights");
  check_equal(values_of(c.outputs[0]), {4, 1 + 6, 2 + 8});
  check_equal(values_of(c.outputs[1]), {3});
}

BOOST_AUTO_TEST_CASE(grouped_convolution_keeps_groups_apart) {
  const graph::Attrs attrs{{"strides", Ints{1, 1}},
                           {"pads", Ints{0, 0}},
                           {"dilations", Ints{1, 1}},
                           {"groups", 2},
                           {"act", "relu"}};
  const Tensor x = tensor_of({1, 2, 1, 2}, {1, 2, 3, 4});
  const Tensor w = tensor_of({2, 1, 1, 1}, {10, -1});
  check_equal(evaluate("conv", attrs, {x, w, tensor_of({2}, {0, 3.5})}, {1, 2, 1, 2}), {10, 20, 0.5, 0});
}

BOOST_AUTO_TEST_CASE(pooling) {
  const graph::Attrs max{
      {"mode", "max"}, {"window", Ints{3}}, {"strides", Ints{2}}, {"pads", Ints{1}}, {"saved", 3}};
  const Tensor x = tensor_of({1, 1, 5}, {-1, -1, qnan, 7, 7});
  Case c{"pool", max, {x}, {make_tensor({1, 1, 3}), make_tensor({3}, tensor::DataType::u8)}};
  run(c, "ref.pool");
  check_equal(values_of(c.outputs[0]), {-1, qnan, 7});
  const std::uint8_t* saved = c.outputs[1].as<std::uint8_t>();
  BOOST_TEST((Ints(saved, saved + 3) == Ints{1, 1, 0}));
  const Tensor dy = tensor_of({1, 1, 3}, {1, 10, 100});
  graph::Attrs backward = max;
  backward.set("input_dims", Ints{1, 1, 5});
  check_equal(evaluate("pool_bwd", backward, {dy, c.outputs[1]}, {1, 1, 5}), {1, 0, 10, 100, 0});
  check_equal(evaluate("pool_bwd", backward, {dy, x}, {1, 1, 5}), {1, 0, 10, 100, 0});
  const Tensor z = tensor_of({1, 1, 3}, {3, 6, 9});
  graph::Attrs avg{{"mode", "avg"}, {"window", Ints{3}}, {"strides", Ints{1}}, {"pads", Ints{1}}};
  check_equal(evaluate("pool", avg, {z}, {1, 1, 3}), {3, 6, 5});
  check_equal(evaluate("pool_bwd", avg, {tensor_of({1, 1, 3}, {3, 6, 9})}, {1, 1, 3}), {3, 6, 5});
  avg.set("mode", std::string("avg_no_pad"));
  check_equal(evaluate("pool", avg, {z}, {1, 1, 3}), {4.5, 6, 7.5});
}

BOOST_AUTO_TEST_CASE(normalization) {
  const Tensor x = tensor_of({2, 2, 2}, {1, 3, 10, 10, 5, 7, 10, 14});
  Case c{"norm_stats", {}, {x}, {make_tensor({2}), make_tensor({2})}};
  run(c, "ref.norm_stats");
  check_equal(values_of(c.outputs[0]), {4, 11});
  check_equal(values_of(c.outputs[1]), {5, 3});
  const Tensor mean = c.outputs[0], rstd = tensor_of({2}, {0.5, 2}), scale = tensor_of({2}, {2, 1}),
               bias = tensor_of({2}, {1, -3});
  check_equal(evaluate("norm_apply", {{"act", "relu"}}, {x, mean, rstd, scale, bias}, {2, 2, 2}),
              {0, 0, 0, 0, 2, 4, 0, 3});
  const Tensor dy = tensor_of({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  Case b{"norm_bwd_stats",
         {{"act", "relu"}},
         {dy, x, mean, rstd, scale, bias},
         {make_tensor({2}), make_tensor({2})}};
  run(b, "ref.norm_bwd_stats");
  check_equal(values_of(b.outputs[0]), {5 + 6, 8});
  check_equal(values_of(b.outputs[1]), {5 * 0.5f + 6 * 1.5f, 8 * 6});
  const Tensor p = tensor_of({2}, {1, 2}), q = tensor_of({2}, {4, 0}), r = tensor_of({2}, {0, 1});
  check_equal(evaluate("norm_bwd_apply", {}, {dy, x, mean, rstd, p, q, r}, {2, 2, 2}),
              {1 - 6, 2 - 2, 7, 9, 5 + 2, 6 + 6, 15, 17});
}

BOOST_AUTO_TEST_CASE(update_and_commit) {
  const Tensor scalars = tensor_of_doubles({3}, {99, 0.5, 0.25});
  Case c{
      "update",
      {{"rule", "momentum"}, {"slot", 1}, {"commit", 1}},
      {tensor_of({2}, {1, 2}), tensor_of({2}, {4, 8}), tensor_of({2}, {0, 16}), scalars, tensor_of({1}, {1})},
      {make_tensor({2}), make_tensor({2})}};
  run(c, "ref.update");
  check_equal(values_of(c.outputs[0]), {1 - 0.5f * 4, 2 - 0.5f * 12});
  check_equal(values_of(c.outputs[1]), {4, 12});
  c.inputs[4] = tensor_of({1}, {0});
  run(c, "ref.update");
  check_equal(values_of(c.outputs[0]), {1, 2});
  check_equal(values_of(c.outputs[1]), {0, 16});
  // Adam, first step: m and v are (1-b) g and (1-b) g^2; the correction makes the step lr sign(g).
  const Tensor adam = tensor_of_doubles({7}, {0.125, 0.5, 0.75, 0, 0, 0.5, 0.75});
  Case a{"update",
         {{"rule", "adam"}, {"slot", 0}},
         {tensor_of({3}, {1, 1, 1}), tensor_of({3}, {4, -2, inf}), tensor_of({3}, {0, 0, 5}),
          tensor_of({3}, {0, 0, 6}), adam},
         {make_tensor({3}), make_tensor({3}), make_tensor({3})}};
  run(a, "ref.update");
  check_equal(values_of(a.outputs[0]), {0.875, 1.125, 1});
  check_equal(values_of(a.outputs[1]), {2, -1, 5});
  check_equal(values_of(a.outputs[2]), {4, 1, 6});
}

BOOST_AUTO_TEST_CASE(casts_round_to_even) {
  const Tensor x = tensor_of({6}, {0.5, 1.5, 2.5, qnan, 1e30f, -3.7f});
  Case c{"cast", {{"type", "i64"}}, {x}, {make_tensor({6}, tensor::DataType::i64)}};
  run(c, "ref.cast");
  const std::int64_t* y = c.outputs[0].as<std::int64_t>();
  BOOST_TEST((Ints(y, y + 6) == Ints{0, 2, 2, 0, std::numeric_limits<std::int64_t>::max(), -4}));
  // Half the unit in the last place above 1 goes to even, below and above it away; overflow is infinite.
  const Tensor z = tensor_of({6}, {1 + 0x1p-8f, 1 + 0x3p-8f, 65519.0f, 65520.0f, 0x1p-24f, 0x1p-26f});
  Case b{"cast", {{"type", "bf16"}}, {z}, {make_tensor({6}, tensor::DataType::bf16)}};
  run(b, "ref.cast");
  BOOST_TEST(b.outputs[0].as<std::uint16_t>()[0] == 0x3f80);
  BOOST_TEST(b.outputs[0].as<std::uint16_t>()[1] == 0x3f82);
  Case h{"cast", {{"type", "f16"}}, {z}, {make_tensor({6}, tensor::DataType::f16)}};
  run(h, "ref.cast");
  const std::uint16_t* half = h.outputs[0].as<std::uint16_t>();
  BOOST_TEST((Ints(half, half + 6) == Ints{0x3c04, 0x3c0c, 0x7bff, 0x7c00, 1, 0}));
  Case back{"cast", {{"type", "f32"}}, {h.outputs[0]}, {make_tensor({6})}};
  run(back, "ref.cast");
  check_equal(values_of(back.outputs[0]), {1 + 0x1p-8f, 1 + 0x3p-8f, 65504, inf, 0x1p-24f, 0});
}

BOOST_AUTO_TEST_CASE(all_finite_and_fill) {
  check_equal(evaluate("all_finite", {}, {tensor_of({2}, {1, 2}), tensor_of({1}, {3e38f})}, {1}), {1});
  check_equal(evaluate("all_finite", {}, {tensor_of({2}, {1, 2}), tensor_of({1}, {-inf})}, {1}), {0});
  check_equal(evaluate("all_finite", {}, {tensor_of({2}, {qnan, 2}), tensor_of({1}, {1})}, {1}), {0});
  check_equal(evaluate("fill", {{"type", "f32"}, {"dims", Ints{2}}, {"value", 2.5}}, {}, {2}), {2.5, 2.5});
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  const Case c{"ewise",
               {{"fn", "relu"}},
               {tensor_of({1, 3, 2, 2}, Floats(12, 1), "aBcd8b")},
               {make_tensor({1, 3, 2, 2})}};
  BOOST_CHECK_THROW(make(c, "ref.ewise"), base::Error);
  BOOST_CHECK_THROW(make(c, "ref.conv"), base::Error);
  BOOST_CHECK_THROW(make(c, "nosuch.ewise"), base::Error);
  BOOST_TEST(kernels::has_reference_kernel("conv"));
  BOOST_TEST(!kernels::has_reference_kernel("redistribute"));
}

BOOST_AUTO_TEST_SUITE_END()
