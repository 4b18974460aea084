// lrn and lrn_bwd: the naive kernel by hand, the fast one by the naive one in every layout it takes.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "cpu_harness.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;

namespace {

graph::Attrs lrn_attrs(std::int64_t size, double alpha, double beta, double k) {
  return {{"size", size}, {"alpha", alpha}, {"beta", beta}, {"k", k}};
}

struct Row {
  tensor::Shape shape;
  std::vector<std::string> tags;
};
const std::vector<Row> rows = {
    {{5, 33}, {"", "aB16b"}},
    {{2, 3, 7}, {"", "acb", "aBc8b"}},
    {{2, 17, 7, 11}, {"", "acdb", "aBcd16b", "aBcd8b"}},
    {{1, 96, 6, 6}, {"", "acdb", "aBcd16b"}},
    {{2, 16, 2, 3, 5}, {"", "acdeb", "aBcde16b"}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_lrn)

// Window of 4: one channel before, two behind. s = 1 + 8/4 sum x^2, beta 1: y = x / s.
BOOST_AUTO_TEST_CASE(naive_kernel_by_hand) {
  Case c{"lrn", lrn_attrs(4, 8, 1, 1), {tensor_of({1, 4, 1}, {1, 2, 3, 4})}, {make_tensor({1, 4, 1})}};
  run(c, "ref.lrn");
  const std::vector<float> want = {1.0f / (1 + 2 * 14), 2.0f / (1 + 2 * 30), 3.0f / (1 + 2 * 29),
                                   4.0f / (1 + 2 * 25)};
  BOOST_TEST(largest_difference(values_of(c.outputs[0]), want) < 1e-7);
}

BOOST_AUTO_TEST_CASE(fast_kernels_in_every_layout) {
  for (const auto& [size, beta] :
       {std::pair<std::int64_t, double>{5, 0.75}, {4, 0.75}, {3, 1.3}, {1, 0.75}}) {
    for (const Row& row : rows) {
      for (const std::string& tag : row.tags) {
        const std::string what = row.shape.to_string() + " window " + std::to_string(size);
        Comparison forward;
        forward.op = "lrn";
        forward.attrs = lrn_attrs(size, 0.7, beta, 1.5);
        forward.inputs = {{row.shape, random_values(row.shape, 5)}};
        forward.outputs = {row.shape};
        forward.tag = tag;
        forward.tolerance = 1e-6;
        check_cpu(forward, "lrn " + what);
        Comparison backward = forward;
        backward.op = "lrn_bwd";
        backward.inputs = {{row.shape, random_values(row.shape, 6)},
                           {row.shape, random_values(row.shape, 5)}};
        backward.tolerance = 2e-6;
        check_cpu(backward, "lrn_bwd " + what);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
