// cpu.ewise, fused_ewise, update, all_finite, cast, fill against the naive kernels, and the accuracy
// of the elementary functions.
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "cpu_harness.hpp"
#include "kernels/cpu/fast_math.hpp"
#include "kernels/shared/scalar_bodies.hpp"
#include "ops/scalar_functions.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float qnan = std::numeric_limits<float>::quiet_NaN();

// Extremes first, then random values.
Floats with_extremes(std::int64_t count, std::uint64_t seed) {
  Floats values = random_values(count, seed);
  const Floats extremes = {0,    -0.0f, 1e4f, -1e4f, 1e-30f, -1e-30f, 1e-42f,
                           qnan, inf,   -inf, 88.7f, -87.4f, -103.5f, 1};
  for (std::size_t i = 0; i < extremes.size() && i < values.size(); ++i)
    values[(i * 7 + seed) % values.size()] = extremes[i];
  return values;
}

// Largest error in units of the last place, over floats `step` bits apart.
template <class Fast, class Exact>
double worst_ulp(Fast fast, Exact exact, std::uint32_t step, float lo, float hi) {
  double worst = 0;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += step) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!(x >= lo && x <= hi)) continue;
    const double want = exact(static_cast<double>(x));
    const float got = fast(x);
    const float rounded = static_cast<float>(want);
    if (std::isinf(rounded) || std::isnan(rounded)) {
      const bool same = std::isnan(rounded) ? std::isnan(got) : got == rounded;
      // At the very edge of overflow either answer is within an ulp.
      if (!same && std::fabs(want) > 3.4028237e38 * 1.0000002) return inf;
      continue;
    }
    const double unit = std::fabs(static_cast<double>(std::nextafter(std::fabs(rounded), inf)) -
                                  std::fabs(static_cast<double>(rounded)));
    const double error = std::fabs(static_cast<double>(got) - want) / unit;
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_ewise)

BOOST_AUTO_TEST_CASE(elementary_functions_are_within_two_ulp) {
  using kernels::cpu::FastMath;
  const std::uint32_t step = 4001;  // a million floats each
  const auto exp = [](float x) { return FastMath::exp(x); };
  const auto expm1 = [](float x) { return FastMath::expm1(x); };
  const auto log = [](float x) { return FastMath::log(x); };
  const auto tanh = [](float x) { return FastMath::tanh(x); };
  const double e = worst_ulp(
      exp, [](double x) { return std::exp(x); }, step, -inf, inf);
  const double m = worst_ulp(
      expm1, [](double x) { return std::expm1(x); }, step, -inf, inf);
  const double l = worst_ulp(
      log, [](double x) { return std::log(x); }, step, -inf, inf);
  const double t = worst_ulp(
      tanh, [](double x) { return std::tanh(x); }, step, -inf, inf);
  BOOST_TEST(e < 2, "exp " << e);
  BOOST_TEST(m < 2, "expm1 " << m);
  BOOST_TEST(l < 2, "log " << l);
  BOOST_TEST(t < 2, "tanh " << t);
  BOOST_TEST_MESSAGE("worst ulp: exp " << e << ", expm1 " << m << ", log " << l << ", tanh " << t);
  BOOST_TEST(std::isnan(exp(qnan)));
  BOOST_TEST(std::isnan(expm1(qnan)));
  BOOST_TEST(std::isnan(log(qnan)));
  BOOST_TEST(std::isnan(tanh(qnan)));
  BOOST_TEST(log(0.0f) == -inf);
  BOOST_TEST(std::isnan(log(-inf)));
  BOOST_TEST(exp(-inf) == 0.0f);
  BOOST_TEST(expm1(-inf) == -1.0f);
  BOOST_TEST(tanh(-inf) == -1.0f);
}

// The others are made of those above, or of polynomials (erf): within four. In double as judge the formulas
// are the C library's.
BOOST_AUTO_TEST_CASE(composed_functions_are_within_four_ulp) {
  using kernels::cpu::FastMath;
  struct Function {
    const char* name;
    float (*fast)(float);
    double (*exact)(double);
  };
  const Function functions[] = {
      {"log1p", [](float x) { return FastMath::log1p(x); }, [](double x) { return std::log1p(x); }},
      {"erf", [](float x) { return FastMath::erf(x); }, [](double x) { return std::erf(x); }},
      {"sinh", [](float x) { return FastMath::sinh(x); }, [](double x) { return std::sinh(x); }},
      {"cosh", [](float x) { return FastMath::cosh(x); }, [](double x) { return std::cosh(x); }},
      {"asinh", [](float x) { return FastMath::asinh(x); }, [](double x) { return std::asinh(x); }},
      {"acosh", [](float x) { return FastMath::acosh(x); }, [](double x) { return std::acosh(x); }},
      {"atanh", [](float x) { return FastMath::atanh(x); }, [](double x) { return std::atanh(x); }},
      {"softplus", [](float x) { return kernels::shared::scalar::softplus_value<FastMath>(x); },
       [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }},
  };
  for (const Function& f : functions) {
    const double worst = worst_ulp(f.fast, f.exact, 4001, -inf, inf);
    BOOST_TEST_MESSAGE("worst ulp: " << f.name << " " << worst);
    BOOST_TEST(worst < 4, f.name << " " << worst);
    BOOST_TEST(std::isnan(f.fast(qnan)), f.name);
  }
}

// gelu = x sigmoid(2u): the error of u counts |u| times in the exponential, so it is measured against the
// larger of the result and the argument's own rounding there.
BOOST_AUTO_TEST_CASE(gelu_keeps_its_digits_where_the_gate_closes) {
  using kernels::cpu::FastMath;
  double worst = 0;
  for (float x = -6.0f; x < 6.0f; x += 0.00037f) {
    const double d = x, u = 0.7978845608028654 * (d + 0.044715 * d * d * d);
    const double want = d / (1 + std::exp(-2 * u));
    const double got = static_cast<double>(kernels::shared::scalar::gelu_value<FastMath>(x));
    worst = std::max(worst, std::fabs(got - want) / (std::fabs(want) * 1.2e-7 * (2 + std::fabs(2 * u))));
  }
  BOOST_TEST_MESSAGE("gelu: " << worst << " roundings");
  BOOST_TEST(worst < 2);
}

BOOST_AUTO_TEST_CASE(every_function_alike_shapes) {
  for (const auto& f : ops::all_scalar_functions()) {
    Comparison c;
    c.op = "ewise";
    c.attrs = {{"fn", std::string(f.name)}, {"a", 0.3}, {"b", 0.05}};
    const tensor::Shape shape{3, 17, 5, 7};
    for (int k = 0; k < f.arity; ++k)
      c.inputs.push_back({shape, with_extremes(shape.num_elements(), 10u + static_cast<unsigned>(k)), true});
    c.outputs = {shape};
    c.tolerance = 1e-6;
    check_cpu(c, std::string(f.name));
    c.tag = "aBcd16b";
    check_cpu(c, std::string(f.name));
  }
}

BOOST_AUTO_TEST_CASE(broadcasts_in_every_layout) {
  const std::vector<tensor::Shape> operands = {{1, 1, 1, 1},  {1, 20, 1, 1}, {3, 1, 1, 1},
                                               {3, 20, 1, 1}, {1, 1, 5, 7},  {3, 20, 5, 7},
                                               {1, 20, 5, 7}, {3, 1, 5, 1},  {1, 1, 1, 7}};
  for (const char* tag : {"", "aBcd16b", "aBcd8b", "acdb"}) {
    for (const tensor::Shape& small : operands) {
      for (bool follows : {false, true}) {
        Comparison c;
        c.op = "ewise";
        c.attrs = {{"fn", "sub"}};
        const tensor::Shape shape{3, 20, 5, 7};
        c.inputs = {{shape, random_values(shape, 1), true}, {small, random_values(small, 2), follows}};
        c.outputs = {shape};
        c.tag = tag;
        c.exact = true;
        check_cpu(c, "sub " + small.to_string());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(rows_columns_and_both_sides_broadcast) {
  for (int n : {1, 3, 300}) {
    for (int c0 : {1, 3, 10, 17}) {
      Comparison c;
      c.op = "ewise";
      c.attrs = {{"fn", "add"}};
      c.inputs = {{{n, 1}, random_values(n, 1), true}, {{1, c0}, random_values(c0, 2), true}};
      c.outputs = {{n, c0}};
      c.exact = true;
      check_cpu(c, "outer sum");
    }
  }
}

BOOST_AUTO_TEST_CASE(large_and_threaded) {
  for (const char* tag : {"", "aBcd16b", "acdb"}) {
    Comparison c;
    c.op = "ewise";
    c.attrs = {{"fn", "tanh"}};
    const tensor::Shape shape{8, 17, 33, 31};
    c.inputs = {{shape, random_values(shape, 3, -5, 5), true}};
    c.outputs = {shape};
    c.tag = tag;
    c.tolerance = 1e-6;
    check_cpu(c, "tanh");
  }
}

BOOST_AUTO_TEST_CASE(fused_has_the_bits_of_the_chain) {
  const tensor::Shape shape{3, 17, 5, 9};
  const tensor::Shape channel{1, 17, 1, 1};
  const Floats x = with_extremes(shape.num_elements(), 5);
  const Floats y = random_values(shape, 6);
  const Floats s = random_values(channel, 7);
  for (const char* tag : {"", "aBcd16b", "aBcd8b", "acdb"}) {
    const auto step = [&](const std::string& fn, std::vector<Tensor> inputs, double a = 0, double b = 0) {
      Case c{"ewise",
             {{"fn", fn}, {"a", a}, {"b", b}},
             std::move(inputs),
             {make_tensor(shape, tensor::DataType::f32, tag)}};
      run(c, "cpu.ewise");
      return c.outputs[0];
    };
    const Tensor tx = tensor_of(shape, x, tag);
    const Tensor ty = tensor_of(shape, y, tag);
    const Tensor ts = tensor_of(channel, s);
    const Tensor chain = step("sub", {step("tanh", {step("affine", {step("mul", {tx, ts})}, 0.7, 0.1)}),
                                      step("exp", {step("add", {ty, tx})})});
    for (kernels::cpu::Isa isa : available_isas()) {
      Case fused{
          "fused_ewise",
          {{"program",
            "t0=mul(i0,i1);t1=affine(t0|0.7,0.1);t2=tanh(t1);t3=add(i2,i0);t4=exp(t3);o0=sub(t2,t4);o1=t2"}},
          {tx, ts, ty},
          {make_tensor(shape, tensor::DataType::f32, tag), make_tensor(shape, tensor::DataType::f32, tag)}};
      run_cpu(fused, isa, 2);
      BOOST_TEST(different_bits(values_of(fused.outputs[0]), values_of(chain)) == 0, tag);
      BOOST_TEST(dirty_padding(fused.outputs[0]) == 0, tag);
      BOOST_TEST(dirty_padding(fused.outputs[1]) == 0, tag);
      // In place: the result takes the first operand's buffer.
      Case in_place = fused;
      in_place.attrs = {
          {"program",
           "t0=mul(i0,i1);t1=affine(t0|0.7,0.1);t2=tanh(t1);t3=add(i2,i0);t4=exp(t3);o0=sub(t2,t4)"}};
      in_place.inputs[0] = tensor_of(shape, x, tag);
      in_place.outputs = {in_place.inputs[0]};
      run_cpu(in_place, isa, 2);
      BOOST_TEST(different_bits(values_of(in_place.outputs[0]), values_of(chain)) == 0, tag);
    }
  }
}

BOOST_AUTO_TEST_CASE(updates_have_the_oracles_bits) {
  struct RuleCase {
    const char* name;
    std::vector<double> scalars;
    int states;
  };
  const RuleCase rules[] = {
      {"sgd", {0.1}, 0},
      {"momentum", {0.01, 0.9}, 1},
      {"nesterov", {0.01, 0.9}, 1},
      {"adagrad", {0.1, 0}, 1},
      {"rmsprop", {0.01, 0.9, 0}, 1},
      {"adam", {0.001, 0.9, 0.999, 0, 0.01, std::pow(0.9, 3), std::pow(0.999, 3)}, 2},
  };
  for (const RuleCase& rule : rules) {
    for (const char* tag : {"", "aBcd16b", "ABcd16b16a", "acdb"}) {
      for (double commit : {1.0, 0.0}) {
        const tensor::Shape shape{20, 17, 9, 13};
        Comparison c;
        c.op = "update";
        c.attrs = {{"rule", rule.name}, {"slot", 2}, {"commit", 1}};
        c.inputs = {{shape, random_values(shape, 1), true},
                    {shape, with_extremes(shape.num_elements(), 2), true}};
        c.outputs = {shape};
        for (int k = 0; k < rule.states; ++k) {
          c.inputs.push_back({shape, random_values(shape, 3u + static_cast<unsigned>(k), 0, 2), true});
          c.outputs.push_back(shape);
        }
        std::vector<double> scalars = {7, 8};
        scalars.insert(scalars.end(), rule.scalars.begin(), rule.scalars.end());
        c.raw_inputs = {tensor_of_doubles({static_cast<std::int64_t>(scalars.size())}, scalars),
                        tensor_of({1}, {static_cast<float>(commit)})};
        c.tag = tag;
        c.exact = true;
        check_cpu(c, rule.name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(update_in_place) {
  const tensor::Shape shape{3, 5};
  const Floats w = random_values(shape, 1), g = random_values(shape, 2), v = random_values(shape, 3);
  const Tensor scalars = tensor_of_doubles({2}, {0.01, 0.9});
  Case apart{"update",
             {{"rule", "momentum"}, {"slot", 0}},
             {tensor_of(shape, w), tensor_of(shape, g), tensor_of(shape, v), scalars},
             {make_tensor(shape), make_tensor(shape)}};
  run(apart, "cpu.update");
  Case in_place = apart;
  in_place.outputs = {in_place.inputs[0], in_place.inputs[2]};
  run(in_place, "cpu.update");
  for (std::size_t i = 0; i < 2; ++i)
    BOOST_TEST(different_bits(values_of(in_place.outputs[i]), values_of(apart.outputs[i])) == 0);
}

BOOST_AUTO_TEST_CASE(all_finite_sees_one_bad_element) {
  const tensor::Shape shape{3, 50000};
  for (float bad : {1.0f, qnan, inf, -inf}) {
    for (std::size_t place : {std::size_t{0}, std::size_t{77777}, std::size_t{149999}}) {
      Comparison c;
      c.op = "all_finite";
      Floats values = random_values(shape, 1, -1e38f, 1e38f);
      values[place] = bad;
      c.inputs = {{{5}, Floats(5, 0.0f), true}, {shape, values, true}};
      c.outputs = {{1}};
      c.exact = true;
      const auto result = check_cpu(c, "all_finite");
      BOOST_TEST(result[0][0] == (std::isfinite(bad) ? 1.0f : 0.0f));
    }
  }
}

BOOST_AUTO_TEST_CASE(fill_keeps_padding_zero) {
  Case c{"fill",
         {{"type", "f32"}, {"dims", Ints{2, 3, 4, 4}}, {"value", 2.5}},
         {},
         {make_tensor({2, 3, 4, 4}, tensor::DataType::f32, "aBcd16b")}};
  run(c, "cpu.fill");
  BOOST_TEST((values_of(c.outputs[0]) == Floats(96, 2.5f)));
  BOOST_TEST(dirty_padding(c.outputs[0]) == 0);
}

BOOST_AUTO_TEST_CASE(casts) {
  const Tensor bytes = make_tensor({300, 7}, tensor::DataType::u8);
  for (int i = 0; i < 2100; ++i) bytes.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i);
  Case c{"cast", {{"type", "f32"}}, {bytes}, {make_tensor({300, 7})}};
  run(c, "cpu.cast");
  for (int i = 0; i < 2100; ++i)
    BOOST_REQUIRE_EQUAL(c.outputs[0].as<float>()[i], static_cast<float>(i % 256));
  Case back{"cast", {{"type", "u8"}}, {c.outputs[0]}, {make_tensor({300, 7}, tensor::DataType::u8)}};
  run(back, "cpu.cast");
  for (int i = 0; i < 2100; ++i) BOOST_REQUIRE_EQUAL(back.outputs[0].as<std::uint8_t>()[i], i % 256);
}

BOOST_AUTO_TEST_SUITE_END()
