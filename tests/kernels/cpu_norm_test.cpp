// Batch normalisation: cpu.norm_* against ref.norm_*.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "cpu_harness.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;
using Floats = std::vector<float>;

namespace {

const float qnan = std::numeric_limits<float>::quiet_NaN();

struct Lie {
  tensor::Shape shape;
  std::vector<std::string> tags;
};

// Odd channels and batches, small and large enough for two threads and several chunks.
std::vector<Lie> lies() {
  std::vector<Lie> all;
  const std::vector<std::string> two{"", "aBcd16b", "aBcd8b", "acdb"};
  for (std::int64_t c : {1, 3, 10, 17, 20}) {
    for (std::int64_t n : {1, 3}) all.push_back({{n, c, 5, 7}, two});
    all.push_back({{3, c}, {""}});
    all.push_back({{700, c}, {""}});
  }
  all.push_back({{13, 20, 14, 14}, two});
  all.push_back({{2, 17, 70, 71}, two});  // an image is several chunks
  all.push_back({{2, 17, 3, 4, 5}, {"", "aBcde16b", "aBcde8b", "acdeb"}});
  all.push_back({{3, 10, 9}, {"", "aBc16b", "acb"}});
  return all;
}

Floats constant(std::int64_t count, float value) { return Floats(static_cast<std::size_t>(count), value); }

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_norm)

BOOST_AUTO_TEST_CASE(statistics) {
  for (const Lie& lie : lies()) {
    for (const std::string& tag : lie.tags) {
      Comparison c;
      c.op = "norm_stats";
      c.inputs = {{lie.shape, random_values(lie.shape, 1), true}};
      c.outputs = {{lie.shape[1]}, {lie.shape[1]}};
      c.tag = tag;
      c.tolerance = 1e-6;
      check_cpu(c, "norm_stats " + lie.shape.to_string());
    }
  }
}

// The textbook E[x^2] - m^2 in float leaves nothing of these variances.
BOOST_AUTO_TEST_CASE(statistics_far_from_zero) {
  const tensor::Shape shape{7, 17, 14, 14};
  for (float offset : {1e4f, -1e6f}) {
    Floats x = random_values(shape, 1, -1, 1);
    for (float& v : x) v += offset;
    x[0] = 0;  // an outlier at the start
    for (const char* tag : {"", "aBcd16b", "aBcd8b", "acdb"}) {
      Case oracle{"norm_stats", {}, {tensor_of(shape, x)}, {make_tensor({17}), make_tensor({17})}};
      run(oracle, "ref.norm_stats");
      Case own{"norm_stats", {}, {tensor_of(shape, x, tag)}, {make_tensor({17}), make_tensor({17})}};
      run(own, "cpu.norm_stats");
      for (std::size_t k = 0; k < 2; ++k) {
        const Floats got = values_of(own.outputs[k]), want = values_of(oracle.outputs[k]);
        for (std::size_t i = 0; i < got.size(); ++i) {
          BOOST_TEST(std::fabs(got[i] - want[i]) <= 2e-6f * std::fabs(want[i]),
                     tag << " " << got[i] << " != " << want[i]);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(constant_input_has_no_variance) {
  const tensor::Shape shape{9, 3, 14, 14};
  for (const char* tag : {"", "aBcd16b", "acdb"}) {
    Case c{"norm_stats",
           {},
           {tensor_of(shape, constant(shape.num_elements(), 0.1f), tag)},
           {make_tensor({3}), make_tensor({3})}};
    run(c, "cpu.norm_stats");
    for (float mean : values_of(c.outputs[0])) BOOST_TEST(mean == 0.1f);
    for (float var : values_of(c.outputs[1])) BOOST_TEST((var >= 0 && var < 1e-16f));
  }
}

BOOST_AUTO_TEST_CASE(apply_and_backward) {
  for (const Lie& lie : lies()) {
    const std::int64_t c0 = lie.shape[1];
    const auto channel = [&](std::uint64_t seed, float lo, float hi) {
      return Operand{{c0}, random_values(c0, seed, lo, hi), false};
    };
    Floats values = random_values(lie.shape, 1);
    if (values.size() > 4) values[3] = qnan, values[4] = 1e30f;
    const Operand x{lie.shape, values, true};
    const Operand dy{lie.shape, random_values(lie.shape, 2), true};
    const Operand mean = channel(3, -1, 1), rstd = channel(4, 0.5, 3), scale = channel(5, -2, 2),
                  bias = channel(6, -1, 1);
    const Operand p = channel(7, -2, 2), q = channel(8, -1, 1), r = channel(9, -1, 1);
    for (const std::string& tag : lie.tags) {
      for (const char* act : {"", "relu"}) {
        Comparison c;
        c.attrs = {{"act", act}};
        c.tag = tag;
        c.exact = true;
        c.op = "norm_apply";
        c.inputs = {x, mean, rstd, scale, bias};
        c.outputs = {lie.shape};
        check_cpu(c, "norm_apply " + lie.shape.to_string() + act);
        c.op = "norm_bwd_apply";
        c.inputs = {dy, x, mean, rstd, p, q, r};
        if (*act != 0) c.inputs.insert(c.inputs.end(), {scale, bias});
        check_cpu(c, "norm_bwd_apply " + lie.shape.to_string() + act);
        c.op = "norm_bwd_stats";
        Operand finite = x;
        finite.values = random_values(lie.shape, 10);
        c.inputs = {dy, finite, mean, rstd};
        if (*act != 0) c.inputs.insert(c.inputs.end(), {scale, bias});
        c.outputs = {{c0}, {c0}};
        c.exact = false;
        c.tolerance = 1e-6 + 6e-8 * static_cast<double>(lie.shape.num_elements() / c0);  // eps x length
        check_cpu(c, "norm_bwd_stats " + lie.shape.to_string() + act);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
