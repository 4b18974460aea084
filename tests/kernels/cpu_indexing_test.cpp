// gather, scatter_add, update_rows: the naive kernels by hand, the fast ones by the naive ones' bits.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "cpu_harness.hpp"

using namespace lbann;
using namespace lbann::kernels::testing;
using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;

namespace {

Tensor tensor_of_indices(tensor::Shape shape, const Indices& values) {
  Tensor t = make_tensor(std::move(shape), tensor::DataType::i64);
  std::copy(values.begin(), values.end(), t.as<std::int64_t>());
  return t;
}

/// Indices into `rows` rows: many repeated, some outside.
Indices mixed_indices(std::int64_t count, std::int64_t rows) {
  Indices result;
  for (std::int64_t i = 0; i < count; ++i) {
    result.push_back(i % 11 == 3 ? -1 - i : i % 13 == 5 ? rows + i : (i * i * 7 + i) % rows);
  }
  return result;
}

/// Oracle and own kernel on the same operands, on 1 and 2 threads and every instruction set.
void check_same_bits(Case oracle, const std::string& what) {
  run(oracle, "ref." + oracle.op);
  for (kernels::cpu::Isa isa : available_isas()) {
    for (int threads : {1, 2}) {
      Case own = oracle;
      for (Tensor& t : own.outputs) t = make_tensor(t.spec.shape);
      run_cpu(own, isa, threads);
      for (std::size_t i = 0; i < own.outputs.size(); ++i) {
        BOOST_TEST(different_bits(values_of(own.outputs[i]), values_of(oracle.outputs[i])) == 0,
                   what << " result " << i << ", " << threads << " threads");
      }
    }
  }
}

struct RuleCase {
  const char* name;
  std::vector<double> scalars;
  int states;
};
const RuleCase rules[] = {
    {"sgd", {0.1}, 0},
    {"momentum", {0.01, 0.9}, 1},
    {"nesterov", {0.01, 0.9}, 1},
    {"adagrad", {0.1, 1e-8}, 1},
    {"rmsprop", {0.01, 0.9, 1e-8}, 1},
    {"adam", {0.001, 0.9, 0.999, 1e-8, 0.01, std::pow(0.9, 3), std::pow(0.999, 3)}, 2},
};

/// w, indices, g, states, scalars behind two unused slots, flag.
Case rows_case(const RuleCase& rule, std::int64_t rows, std::int64_t width, const Indices& index,
               float commit) {
  const auto count = static_cast<std::int64_t>(index.size());
  Case c{"update_rows",
         {{"rule", rule.name}, {"slot", 2}, {"commit", 1}},
         {tensor_of({rows, width}, random_values(rows * width, 1)), tensor_of_indices({count}, index),
          tensor_of({count, width}, random_values(count * width, 2))},
         {make_tensor({rows, width})}};
  for (int k = 0; k < rule.states; ++k) {
    c.inputs.push_back(
        tensor_of({rows, width}, random_values(rows * width, 3u + static_cast<unsigned>(k), 0, 2)));
    c.outputs.push_back(make_tensor({rows, width}));
  }
  std::vector<double> scalars = {7, 8};
  scalars.insert(scalars.end(), rule.scalars.begin(), rule.scalars.end());
  c.inputs.push_back(tensor_of_doubles({static_cast<std::int64_t>(scalars.size())}, scalars));
  c.inputs.push_back(tensor_of({1}, {commit}));
  return c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(gather_and_scatter_add_by_hand) {
  const Tensor index = tensor_of_indices({2, 3}, {2, 0, 2, -1, 3, 0});
  for (const char* family : {"ref.", "cpu."}) {
    Case gather{"gather", {}, {tensor_of({3, 2}, {1, 2, 3, 4, 5, 6}), index}, {make_tensor({2, 3, 2})}};
    run(gather, std::string(family) + "gather");
    BOOST_TEST((values_of(gather.outputs[0]) == Floats{5, 6, 1, 2, 5, 6, 0, 0, 0, 0, 1, 2}));
    Case scatter{"scatter_add",
                 {{"rows", 3}},
                 {index, tensor_of({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})},
                 {make_tensor({3, 2})}};
    run(scatter, std::string(family) + "scatter_add");
    BOOST_TEST((values_of(scatter.outputs[0]) == Floats{14, 16, 0, 0, 6, 8}));
  }
}

// In float (1e8 + 1) - 1e8 = 0, but (1e8 - 1e8) + 1 = 1: the order of the indices is the order of the sum.
BOOST_AUTO_TEST_CASE(rows_are_summed_in_index_order) {
  for (const char* kernel : {"ref.scatter_add", "cpu.scatter_add"}) {
    Case c{"scatter_add",
           {{"rows", 2}},
           {tensor_of_indices({6}, {0, 1, 0, 1, 0, 1}), tensor_of({6, 1}, {1e8f, 1e8f, 1, -1e8f, -1e8f, 1})},
           {make_tensor({2, 1})}};
    run(c, kernel);
    BOOST_TEST((values_of(c.outputs[0]) == Floats{0, 1}));
  }
}

BOOST_AUTO_TEST_CASE(update_rows_by_hand) {
  for (const char* kernel : {"ref.update_rows", "cpu.update_rows"}) {
    Case c{"update_rows",
           {{"rule", "sgd"}, {"slot", 0}},
           {tensor_of({3, 2}, {1, 2, 3, 4, 5, 6}), tensor_of_indices({4}, {2, 0, 2, 7}),
            tensor_of({4, 2}, {1, 1, 2, 4, 3, 5, 100, 100}), tensor_of_doubles({1}, {0.5})},
           {make_tensor({3, 2})}};
    run(c, kernel);
    BOOST_TEST((values_of(c.outputs[0]) == Floats{0, 0, 3, 4, 3, 3}));
  }
}

BOOST_AUTO_TEST_CASE(fast_kernels_have_the_oracles_bits) {
  for (const std::int64_t width : {1, 3, 17, 300, 2500}) {
    for (const std::int64_t count : {1, 7, 400}) {
      const std::int64_t rows = 50;
      const Indices index = mixed_indices(count, rows);
      const std::string what = std::to_string(count) + " x " + std::to_string(width);
      check_same_bits(
          {"gather",
           {},
           {tensor_of({rows, width}, random_values(rows * width, 1)), tensor_of_indices({count}, index)},
           {make_tensor({count, width})}},
          "gather " + what);
      check_same_bits(
          {"scatter_add",
           {{"rows", rows}},
           {tensor_of_indices({count}, index), tensor_of({count, width}, random_values(count * width, 2))},
           {make_tensor({rows, width})}},
          "scatter_add " + what);
      for (const RuleCase& rule : rules) {
        for (float commit : {1.0f, 0.0f}) {
          check_same_bits(rows_case(rule, rows, width, index, commit),
                          "update_rows " + std::string(rule.name) + " " + what);
        }
      }
    }
  }
}

// What `update` makes of the dense sum in the rows named; the other rows keep every bit.
BOOST_AUTO_TEST_CASE(named_rows_are_updated_as_by_the_dense_update) {
  const std::int64_t rows = 40, width = 9;
  const Indices index = mixed_indices(25, rows);
  for (const RuleCase& rule : rules) {
    Case sparse = rows_case(rule, rows, width, index, 1);
    run(sparse, "cpu.update_rows");
    Case sum{
        "scatter_add", {{"rows", rows}}, {sparse.inputs[1], sparse.inputs[2]}, {make_tensor({rows, width})}};
    run(sum, "ref.scatter_add");
    Case dense = sparse;
    dense.op = "update";
    dense.inputs.erase(dense.inputs.begin() + 1);
    dense.inputs[1] = sum.outputs[0];
    for (Tensor& t : dense.outputs) t = make_tensor({rows, width});
    run(dense, "ref.update");
    int untouched = 0;
    for (std::size_t o = 0; o < sparse.outputs.size(); ++o) {
      const Floats got = values_of(sparse.outputs[o]), all = values_of(dense.outputs[o]);
      const Floats before = values_of(sparse.inputs[o == 0 ? 0 : 2 + o]);
      for (std::int64_t r = 0; r < rows; ++r) {
        const bool named = std::count(index.begin(), index.end(), r) > 0;
        untouched += named ? 0 : 1;
        for (std::int64_t at = r * width; at < (r + 1) * width; ++at) {
          const auto i = static_cast<std::size_t>(at);
          BOOST_TEST(got[i] == (named ? all[i] : before[i]), rule.name << " result " << o << " row " << r);
        }
      }
    }
    BOOST_TEST(untouched > 0);
  }
}

BOOST_AUTO_TEST_CASE(update_rows_in_place) {
  for (const RuleCase& rule : rules) {
    Case apart = rows_case(rule, 30, 5, mixed_indices(40, 30), 1);
    run(apart, "cpu.update_rows");
    Case in_place = apart;
    in_place.outputs[0] = in_place.inputs[0];
    for (std::size_t o = 1; o < in_place.outputs.size(); ++o) in_place.outputs[o] = in_place.inputs[2 + o];
    run(in_place, "cpu.update_rows");
    for (std::size_t o = 0; o < apart.outputs.size(); ++o)
      BOOST_TEST(different_bits(values_of(in_place.outputs[o]), values_of(apart.outputs[o])) == 0);
  }
}
