// What the layers of sequences and their relatives refuse: one error each, with its id and both numbers.
#include <boost/test/unit_test.hpp>

#include "lower_fixture.hpp"

using lbann::test::lower_text;
using lbann::test::Lowered;

namespace {

struct Refusal {
  std::string layer;  // its last lines: parents and parameters
  std::string id;
  std::string message;  // a part of it
};

// x [1,28,28], flat [784], t [10], matrix [28,28]
Lowered lower_layer(const std::string& layer) {
  return lower_text(R"(model {
    layer { name: "x" input { data_field: "samples" } }
    layer { name: "t" input { data_field: "labels" } }
    layer { name: "flat" parents: "x" reshape { dims: 784 } }
    layer { name: "matrix" parents: "x" reshape { dims: 28 dims: 28 } }
    layer { name: "row" parents: "t" reshape { dims: 1 dims: 10 } }
    layer { name: "l" )" +
                    layer + " } }");
}

const Refusal refusals[] = {
    {R"(parents: "matrix" parents: "row" matmul {})", "matmul-inner", "28 and 1"},
    {R"(parents: "matrix" parents: "row" matmul { transpose_b: true })", "matmul-inner", "28 and 10"},
    {R"(parents: "matrix" parents: "t" matmul {})", "matmul-dims", "[28,28] and [10]"},
    {R"(parents: "t" channelwise_fully_connected {})", "input-dims", "[10]"},
    {R"(parents: "matrix" channelwise_fully_connected { output_channel_dims: 0 })", "value-out-of-range",
     "0"},
    {R"(parents: "x" permute { axes: 0 axes: 0 })", "axes-permutation", "0 to 2"},
    {R"(parents: "x" permute { axes: 3 })", "axes-permutation", "[3]"},
    {R"(parents: "x" layer_norm { start_dim: 3 })", "axis-out-of-range", "3 dims"},
    {R"(parents: "x" layer_norm { epsilon { value: -1 } })", "value-out-of-range", "-1"},
    {R"(parents: "x" channelwise_softmax { dim: 1 })", "softmax-dim", "[1,28,28]"},
    {R"(parents: "x" channelwise_softmax { dim: -4 })", "axis-out-of-range", "-4"},
    {R"(parents: "t" parents: "x" gather {})", "index-dims", "[1,28,28]"},
    {R"(parents: "matrix" parents: "t" gather {})", "missing-field", "axis"},
    {R"(parents: "matrix" parents: "t" gather { axis { value: 2 } })", "axis-out-of-range", "2"},
    {R"(parents: "x" parents: "t" gather { axis { value: 0 } })", "input-dims", "[1,28,28]"},
    {R"(parents: "flat" parents: "t" scatter { dims: 9 })", "scatter-dims", "[784]"},
    {R"(parents: "x" tessellate { dims: 4 })", "dims-length", "1 dims"},
    {R"(parents: "matrix" parents: "t" crop { dims: 29 dims: 3 })", "value-out-of-range", "29"},
    {R"(parents: "matrix" parents: "t" crop { dims: 9 dims: 3 })", "position-dims", "[10]"},
    {R"(parents: "x" reduction { mode: "median" })", "unknown-word", "median"},
    {R"(parents: "x" multidim_reduction { axes: 3 })", "axis-out-of-range", "axis 3"},
    {R"(parents: "x" multidim_reduction { axes: 0 axes: 1 axes: 2 })", "reduction-axes", "all dims"},
    {R"(parents: "x" parents: "t" covariance {})", "dims-differ", "[10]"},
    {R"(weights_layer {})", "missing-field", "dims"},
    {R"(weights_layer { dims: 0 })", "value-out-of-range", "0"},
    {R"(rowwise_weights_norms {})", "missing-weights", "no weights"},
    {R"(parents: "x" argmax {})", "input-dims", "[1,28,28]"},
    {R"(parents: "t" one_hot { size: 4 })", "not-a-scalar", "[10]"},
    {R"(parents: "x" evaluation {})", "not-a-scalar", "[1,28,28]"},
    {R"(parents: "x" parents: "t" cross_entropy { use_labels: true })", "label-dims", "[1,28,28] and [10]"},
    {R"(parents: "x" operator_layer { ops { parameters {
          [type.googleapis.com/lbann_data.ClampOperator] { min: 2 max: 1 } } } })",
     "value-out-of-range", "2"},
    {R"(parents: "x" operator_layer { ops { parameters {
          [type.googleapis.com/lbann_data.SelectOperator] { constant_if_true: true } } } })",
     "num-parents", "2 parents"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sequence_layers)

BOOST_AUTO_TEST_CASE(refusals_name_both_numbers) {
  for (const Refusal& r : refusals) {
    BOOST_TEST_CONTEXT(r.layer) {
      const Lowered lowered = lower_layer(r.layer);
      BOOST_REQUIRE_EQUAL(lowered.diagnostics.num_errors(), 1);
      const auto& d = lowered.diagnostics.all()[0];
      BOOST_TEST(d.id == r.id);
      BOOST_TEST(d.message.find(r.message) != std::string::npos, d.message);
    }
  }
}

// Lengths of another layer's rows: [out] of an OUT x IN matrix, whichever way it is stored.
BOOST_AUTO_TEST_CASE(rowwise_norms_of_a_matrix) {
  for (const char* transpose : {"false", "true"}) {
    const Lowered r = lower_text(std::string(R"(model {
      layer { name: "x" input { data_field: "samples" } }
      layer { name: "fc" parents: "x" weights: "w" fully_connected { num_neurons: 7 transpose: )") +
                                 transpose + R"( } }
      layer { name: "norms" weights: "w" hint_layer: "fc" rowwise_weights_norms {} }
      weights { name: "w" } })");
    // The hint also asks for equal dims, which the rows of fc's matrix have when it is not transposed.
    BOOST_TEST(r.diagnostics.num_errors() == (std::string(transpose) == "true" ? 1 : 0),
               r.diagnostics.render());
  }
}

BOOST_AUTO_TEST_SUITE_END()
