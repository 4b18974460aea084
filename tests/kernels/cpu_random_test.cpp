// random: the naive kernel by the generator's own numbers (tests/base holds its known answers), the fast one
// by the naive one's bits in every layout, on 1 and 2 threads; a smaller mini-batch draws a prefix.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "base/philox.hpp"
#include "cpu_harness.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;

namespace {

constexpr std::int64_t stream = -0x123456789abcdef;  // above 2^63 as unsigned
constexpr std::int64_t key = 0x7e57, draw = (std::int64_t{1} << 56) + 3;
constexpr double probability = 0.3, value = 1.75;

Tensor state() {
  Tensor t = make_tensor({2}, tensor::DataType::i64);
  t.as<std::int64_t>()[0] = key;
  t.as<std::int64_t>()[1] = draw;
  return t;
}

Case random_case(const std::string& distribution, const tensor::Shape& shape, const std::string& tag = {}) {
  Case c{"random",
         {{"distribution", distribution}, {"type", "f32"}, {"dims", shape.dims()}, {"stream", stream}},
         {state()},
         {make_tensor(shape, tensor::DataType::f32, tag)}};
  if (distribution == "bernoulli") {
    c.attrs.set("slot", std::int64_t{2});
    c.inputs.push_back(tensor_of_doubles({4}, {9, 9, probability, value}));
  }
  return c;
}

const char* const distributions[] = {"uniform", "normal", "bernoulli"};

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_random)

BOOST_AUTO_TEST_CASE(naive_kernel_draws_the_stream) {
  const base::RandomStream numbers(static_cast<std::uint64_t>(key), static_cast<std::uint64_t>(stream),
                                   static_cast<std::uint64_t>(draw));
  for (const std::string distribution : distributions) {
    Case c = random_case(distribution, {3, 7, 5});
    run(c, "ref.random");
    const std::vector<float> got = values_of(c.outputs[0]);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float u = numbers.uniform(i);
      const float want = distribution == "uniform"  ? u
                         : distribution == "normal" ? static_cast<float>(numbers.normal(i))
                         : u < 0.3f                 ? 1.75f
                                                    : 0.0f;
      BOOST_REQUIRE_MESSAGE(got[i] == want, distribution << " " << i << ": " << got[i] << ", not " << want);
    }
  }
}

BOOST_AUTO_TEST_CASE(fast_kernel_has_the_naive_ones_bits_in_every_layout) {
  struct Row {
    tensor::Shape shape;
    std::vector<std::string> tags;
  };
  const std::vector<Row> rows = {
      {{1}, {""}},
      {{9001}, {""}},
      {{3, 129}, {"", "ba", "aB16b"}},
      {{2, 5, 3}, {"", "acb", "aBc8b"}},
      {{3, 17, 7, 9}, {"", "acdb", "aBcd16b", "aBcd8b", "bacd", "Abcd16a"}},
      {{2, 20, 3, 5, 130}, {"", "acdeb", "aBcde16b"}},
      {{2, 0, 3}, {""}},
  };
  for (const std::string distribution : distributions) {
    for (const Row& row : rows) {
      Case oracle = random_case(distribution, row.shape);
      run(oracle, "ref.random");
      for (const std::string& tag : row.tags) {
        for (const kernels::cpu::Isa isa : available_isas()) {
          for (int threads : {1, 2, 3}) {
            Case own = random_case(distribution, row.shape, tag);
            run_cpu(own, isa, threads);
            const std::string what = distribution + " " + row.shape.to_string() + " " + tag + " " +
                                     std::string(kernels::cpu::to_string(isa));
            BOOST_TEST(different_bits(values_of(own.outputs[0]), values_of(oracle.outputs[0])) == 0, what);
            BOOST_TEST(dirty_padding(own.outputs[0]) == 0, what);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_smaller_mini_batch_draws_a_prefix) {
  for (const std::string distribution : distributions) {
    Case full = random_case(distribution, {8, 33}), part = random_case(distribution, {3, 33});
    run_cpu(full, kernels::cpu::Isa::generic, 2);
    run_cpu(part, kernels::cpu::Isa::generic, 2);
    std::vector<float> prefix = values_of(full.outputs[0]);
    prefix.resize(99);
    BOOST_TEST(different_bits(values_of(part.outputs[0]), prefix) == 0);
  }
}

BOOST_AUTO_TEST_CASE(double_draws_what_float_draws) {
  for (const std::string distribution : distributions) {
    Case single = random_case(distribution, {77}), wide = random_case(distribution, {77});
    wide.attrs.set("type", "f64");
    wide.outputs[0] = make_tensor({77}, tensor::DataType::f64);
    run(single, "ref.random");
    run(wide, "ref.random");
    const std::vector<float> want = values_of(single.outputs[0]);
    for (std::size_t i = 0; i < want.size(); ++i) {
      BOOST_TEST(static_cast<float>(wide.outputs[0].as<double>()[i]) == want[i]);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
