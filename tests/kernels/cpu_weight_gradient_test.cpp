// cpu.matmul for weight gradients against the naive product, and cpu.update by a product against the two
// kernels it replaces: the same bits for every rule, layout, instruction set and number of threads.
#include <cmath>

#include <boost/test/unit_test.hpp>

#include "cpu_harness.hpp"
#include "kernels/cpu/weight_gradient.hpp"

namespace lbann::kernels::testing {
namespace {

struct Size {
  std::int64_t k, m, n;
};
// Whole blocks, padding in either dim, fewer rows than a panel, one of everything; work for several threads.
const Size sizes[] = {{8, 16, 64}, {24, 30, 250}, {33, 100, 70}, {5, 784, 10},
                      {3, 5, 7},   {1, 1, 1},     {40, 257, 129}};
const char* const tags[] = {"", "BA16a64b", "AB16b64a", "BA8a32b"};

std::int64_t scratch_of(const Size& s, const Tensor& weight) {
  return cpu::WeightGradient::scratch_bytes(weight.spec.shape, weight.layout, s.k);
}

Case product_case(const Size& s, const std::string& tag) {
  Case c{"matmul",
         {{"ta", std::int64_t{1}}},
         {tensor_of({s.k, s.m}, random_values({s.k, s.m}, 1)),
          tensor_of({s.k, s.n}, random_values({s.k, s.n}, 2))},
         {make_tensor({s.m, s.n}, tensor::DataType::f32, tag)}};
  c.scratch_bytes = scratch_of(s, c.outputs[0]);
  return c;
}

struct RuleCase {
  const char* name;
  std::vector<double> scalars;
  int states;
};

std::string name_of(const Size& s, const std::string& tag, cpu::Isa isa, int threads) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + " k=" + std::to_string(s.k) + " [" + tag + "] " +
         std::string(cpu::to_string(isa)) + " x" + std::to_string(threads);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_weight_gradient)

BOOST_AUTO_TEST_CASE(gradients_are_the_oracles_and_have_one_set_of_bits) {
  for (const Size& s : sizes) {
    Case oracle = product_case(s, "");
    run(oracle, "ref.matmul");
    const std::vector<float> want = values_of(oracle.outputs[0]);
    std::vector<float> first;
    for (const std::string tag : tags) {
      for (cpu::Isa isa : available_isas()) {
        for (int threads : {1, 2, 3}) {
          const Case own = product_case(s, tag);
          run_cpu(own, isa, threads);
          const std::vector<float> got = values_of(own.outputs[0]);
          const std::string name = name_of(s, tag, isa, threads);
          BOOST_TEST(largest_difference(got, want) <= 4e-6 * std::sqrt(static_cast<double>(s.k)), name);
          BOOST_TEST(dirty_padding(own.outputs[0]) == 0, name);
          if (first.empty()) first = got;
          BOOST_TEST(different_bits(got, first) == 0, name);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(fused_updates_have_the_bits_of_product_and_update) {
  const RuleCase rules[] = {
      {"sgd", {0.1}, 0},
      {"momentum", {0.01, 0.9}, 1},
      {"nesterov", {0.01, 0.9}, 1},
      {"adagrad", {0.1, 0}, 1},
      {"rmsprop", {0.01, 0.9, 0}, 1},
      {"adam", {0.001, 0.9, 0.999, 0, 0.01, std::pow(0.9, 3), std::pow(0.999, 3)}, 2},
  };
  for (const RuleCase& rule : rules) {
    std::vector<double> scalars = {7};
    scalars.insert(scalars.end(), rule.scalars.begin(), rule.scalars.end());
    const Tensor step = tensor_of_doubles({static_cast<std::int64_t>(scalars.size())}, scalars);
    for (const Size& s : sizes) {
      for (const std::string tag : tags) {
        const tensor::Shape shape{s.m, s.n};
        const Case product = product_case(s, tag);
        run_cpu(product, cpu::detect_isa(), 1);
        Case update{"update", {{"rule", rule.name}, {"slot", 1}}, {}, {}};
        update.inputs = {tensor_of(shape, random_values(shape, 3), tag), product.outputs[0]};
        Case fused{"update", update.attrs, {update.inputs[0]}, {}, product.scratch_bytes};
        fused.attrs.set("product", std::int64_t{1});
        fused.inputs.insert(fused.inputs.end(), product.inputs.begin(), product.inputs.end());
        update.outputs = {make_tensor(shape, tensor::DataType::f32, tag)};
        for (int i = 0; i < rule.states; ++i) {
          const auto seed = static_cast<std::uint64_t>(4 + i);
          update.inputs.push_back(tensor_of(shape, random_values(shape, seed, 0, 2), tag));
          update.outputs.push_back(make_tensor(shape, tensor::DataType::f32, tag));
          fused.inputs.push_back(update.inputs.back());
        }
        update.inputs.push_back(step);
        fused.inputs.push_back(step);
        run(update, "cpu.update");
        for (cpu::Isa isa : available_isas()) {
          for (int threads : {1, 2, 4}) {
            fused.outputs.clear();
            for (std::size_t i = 0; i < update.outputs.size(); ++i)
              fused.outputs.push_back(make_tensor(shape, tensor::DataType::f32, tag));
            run_cpu(fused, isa, threads);
            for (std::size_t i = 0; i < update.outputs.size(); ++i) {
              const std::string name = std::string(rule.name) + " " + name_of(s, tag, isa, threads);
              BOOST_TEST(different_bits(values_of(fused.outputs[i]), values_of(update.outputs[i])) == 0,
                         name);
              BOOST_TEST(dirty_padding(fused.outputs[i]) == 0, name);
            }
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(layouts_without_two_blocks_are_refused) {
  for (const char* tag : {"Ab16a", "BA16a16b"})
    BOOST_TEST(!cpu::WeightGradient::takes(tensor::Layout::from_tag(tag)), tag);
  for (const char* tag : tags) {
    if (*tag != 0) BOOST_TEST(cpu::WeightGradient::takes(tensor::Layout::from_tag(tag)), tag);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace lbann::kernels::testing
