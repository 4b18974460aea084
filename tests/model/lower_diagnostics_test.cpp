// One case per refusal of layers, weights, objective and metrics: id, place, and the numbers in the message.
#include <boost/test/unit_test.hpp>

#include "lower_fixture.hpp"

using namespace lbann;
using lbann::test::lower_text;

namespace {

/// `^` in the text stands before the place that the diagnostic must point to (and is taken out).
struct Case {
  std::string id, text, message;
};

void check(const Case& c, const std::string& before, const std::string& after) {
  std::string text = before + c.text + after;
  const std::size_t at = text.find('^');
  BOOST_REQUIRE(at != std::string::npos);
  text.erase(at, 1);
  int line = 1, column = 1;
  for (std::size_t i = 0; i < at; ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n';
  }
  const test::Lowered r = lower_text(text);
  BOOST_TEST_CONTEXT(c.text << "\n" << r.diagnostics.render()) {
    BOOST_TEST(!r.model.has_value());
    BOOST_REQUIRE_EQUAL(r.diagnostics.num_errors(), 1);
    for (const base::Diagnostic& d : r.diagnostics.all()) {
      if (d.severity != base::Severity::error) continue;
      BOOST_TEST(d.id == c.id);
      BOOST_TEST(d.span.line == line);
      BOOST_TEST(d.span.column == column);
      BOOST_TEST(d.message.find(c.message) != std::string::npos);
    }
  }
}

const std::string head = R"(model {
layer { name: "x" input { data_field: "samples" } }
layer { name: "t" input { data_field: "labels" } }
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(lower_diagnostics)

BOOST_AUTO_TEST_CASE(layers) {
  const Case cases[] = {
      {"unknown-data-field", R"(layer { name: "a" input { data_field: ^"sample" } })", "data field 'sample'"},
      {"groups-divide-channels",
       R"(layer { name: "a" parents: "x" convolution { out_channels: 6 kernel_size: 3 ^groups { value: 5 } } })",
       "1 input channels not divisible by groups = 5"},
      {"groups-divide-channels",
       R"(layer { name: "c" parents: "x" convolution { out_channels: 6 kernel_size: 3 } }
        layer { name: "a" parents: "c" convolution { out_channels: 5 kernel_size: 3 ^groups { value: 2 } } })",
       "out_channels = 5 not divisible by groups = 2"},
      {"padding-index-range",
       R"(layer { name: "a" parents: "t" embedding { num_embeddings: 4 embedding_dim: 9 ^padding_idx { value: 4 } } })",
       "padding_idx = 4, but the 4 embeddings have the indices 0 to 3"},
      {"value-out-of-range",
       R"(layer { name: "a" parents: "t" embedding { num_embeddings: ^0 embedding_dim: 9 } })",
       "num_embeddings = 0"},
      {"missing-field", R"(layer { name: "a" parents: "t" ^embedding { num_embeddings: 4 } })",
       "needs 'embedding_dim'"},
      {"missing-field", R"(layer { name: "a" parents: "x" ^convolution { out_channels: 6 } })",
       "needs 'kernel_size'"},
      {"missing-field", R"(layer { name: "a" parents: "x" ^convolution { kernel_size: 6 } })",
       "needs 'out_channels'"},
      {"value-out-of-range",
       R"(layer { name: "a" parents: "x" convolution { out_channels: ^0 kernel_size: 6 } })",
       "out_channels = 0"},
      {"value-out-of-range",
       R"(layer { name: "a" parents: "x" convolution { out_channels: 2 kernel_size: 3 padding: ^-1 } })",
       "padding = -1"},
      {"list-length",
       R"(layer { name: "a" parents: "x" convolution { out_channels: 2 kernel_size: 3 stride: [^1, 2, 3] } })",
       "stride has 3 entries, the input has 2 spatial dims"},
      {"num-dims",
       R"(layer { name: "a" parents: "x" convolution { num_dims: ^3 out_channels: 2 kernel_size: 3 } })",
       "num_dims = 3"},
      {"spatial-dims", R"(^layer { name: "a" parents: "t" convolution { out_channels: 2 kernel_size: 3 } })",
       "input [10] has 0 spatial dims"},
      {"window-too-large",
       R"(layer { name: "a" parents: "x" convolution { out_channels: 2 kernel_size: ^15 dilation: 2 } })",
       "covers 29 entries of spatial dim 0, the padded input has 28"},
      {"unknown-word",
       R"(layer { name: "a" parents: "x" pooling { pool_mode: ^"maximum" pool_dims_i: 2 pool_strides_i: 2 } })",
       "pool_mode = 'maximum'"},
      {"missing-field", R"(layer { name: "a" parents: "x" ^pooling { pool_mode: "max" pool_dims_i: 2 } })",
       "needs 'pool_strides_i'"},
      {"padding-too-wide",
       R"(layer { name: "a" parents: "x" pooling { pool_mode: "max" pool_dims_i: 2 pool_strides_i: 2 pool_pads_i: ^2 } })",
       "padding 2 is not smaller than the window 2"},
      {"missing-field", R"(layer { name: "a" parents: "x" ^fully_connected {} })", "num_neurons"},
      {"value-out-of-range", R"(layer { name: "a" parents: "x" fully_connected { num_neurons: ^-3 } })",
       "num_neurons = -3, must be at least 1"},
      {"reshape-size", R"(layer { name: "a" parents: "x" reshape { dims: [^10, -1] } })",
       "[1,28,28] has 784 entries per sample, dims ask for a multiple of 10"},
      {"reshape-size", R"(layer { name: "a" parents: "x" reshape { dims: [^10, 10] } })",
       "dims ask for 100 entries"},
      {"axis-out-of-range", R"(layer { name: "a" parents: "x" concatenation { axis: ^3 } })",
       "axis = 3, but the input has 3 dims"},
      {"dims-differ", R"(^layer { name: "a" parents: "x" parents: "t" concatenation {} })", "[1,28,28]"},
      {"slice-points-missing", R"(layer { name: "a" parents: "t" slice { slice_points: ^5 } })",
       "1 slice points"},
      {"slice-points-range", R"(layer { name: "a" parents: "t" slice { slice_points: [^0, 11] } })",
       "0 to 11 are not within axis 0 of extent 10"},
      {"slice-points-order", R"(layer { name: "a" parents: "t" slice { slice_points: [^4, 4] } })",
       "child 0 empty"},
      {"dims-differ", R"(^layer { name: "a" parents: "x" parents: "t" sum {} })",
       "'x' [1,28,28] and 't' [10] must have equal dims"},
      {"list-length", R"(layer { name: "a" parents: "x" weighted_sum { scaling_factors: [^1, 2] } })",
       "2 scaling factors for 1 parents"},
      {"unknown-word", R"(layer { name: "a" parents: "x" softmax { softmax_mode: ^"chanel" } })", "'chanel'"},
      {"value-out-of-range", R"(layer { name: "a" parents: "x" batch_normalization { decay: ^1 } })",
       "decay = 1"},
      {"value-out-of-range", R"(layer { name: "a" parents: "x" batch_normalization { epsilon: ^-1 } })",
       "epsilon = -1"},
      {"dims-differ", R"(^layer { name: "a" parents: "x" parents: "t" cross_entropy {} })", "[1,28,28]"},
      {"label-dims", R"(layer { name: "a" parents: "x" parents: "t" cross_entropy { use_labels: ^true } })",
       "[10]"},
      {"num-parents", R"(layer { name: "a" parents: ^"x" mean_squared_error {} })", "1 parent, takes 2"},
      {"num-parents", R"(^layer { name: "a" relu {} })", "0 parents, takes 1"},
      {"operator-count", R"(layer { name: "a" parents: "x" ^operator_layer {} })", "0 operators"},
      {"not-supported", R"(layer { name: "a" parents: "x" ^external { filename: "f" } })", "external"},
      {"not-supported", R"(layer { name: "a" parents: "x" datatype: ^FP16 relu {} })", "FP16"},
      {"not-supported", R"(layer { name: "a" parents: "x" ^parallel_strategy { height_groups: 2 } relu {} })",
       "2 groups"},

      {"unknown-word", R"(layer { name: "a" parents: "x" data_layout: ^"parallel" relu {} })", "'parallel'"},
      {"tensor-too-large", R"(^layer { name: "a" parents: "x" reshape { dims: [4294967296, 4294967296] } })",
       "layer 'a'"},
  };
  for (const Case& c : cases) check(c, head, "\n}");
}

BOOST_AUTO_TEST_CASE(weights) {
  const std::string fc = R"(fully_connected { num_neurons: 10 has_bias: true } } )";
  const Case cases[] = {
      {"too-many-weights",
       R"(layer { name: "a" parents: "x" weights: [^"u", "v", "w"] )" + fc +
           R"(weights { name: "u" } weights { name: "v" } weights { name: "w" })",
       "3 weights listed, holds 2"},
      {"shared-weights-shape",
       R"(layer { name: "a" parents: "x" weights: "w" )" + fc +
           R"(layer { name: "b" parents: "t" weights: ^"w" )" + fc + R"(weights { name: "w" })",
       "need [10,10] and [784,10]"},
      {"shared-weights-freeze",
       R"(layer { name: "a" parents: "t" weights: "w" )" + fc +
           R"(layer { name: "b" parents: "t" freeze: true weights: ^"w" )" + fc + R"(weights { name: "w" })",
       "only 'b' is frozen"},
      {"duplicate-weights",
       R"(^layer { name: "a" parents: "x" )" + fc + R"(weights { name: "a_bias_weights" })",
       "'a_bias_weights'"},
      {"list-length",
       R"(layer { name: "a" parents: "t" weights: "w" )" + fc +
           R"(weights { name: "w" initializer { ^value_initializer { values: [1, 2] } } })",
       "2 values for weights 'w' [10,10] of 100 entries"},
      {"no-fans",
       R"(layer { name: "a" parents: "x" weights: "w" batch_normalization {} }
        weights { name: "w" initializer { ^he_normal_initializer {} } })",
       "weights 'w' [1] have no fan-in"},
      {"numpy-file",
       R"(layer { name: "a" parents: "t" weights: "w" )" + fc +
           R"(weights { name: "w" initializer { numpy_initializer { file: ^"/nonexistent.npy" } } })",
       "/nonexistent.npy"},
      {"value-out-of-range",
       R"(layer { name: "a" parents: "t" weights: "w" )" + fc +
           R"(weights { name: "w" optimizer { adam { learn_rate: 1 beta1: ^1.5 beta2: 0 eps: 1 } } })",
       "adam: beta1 = 1.5"},
      {"not-supported",
       R"(layer { name: "a" parents: "t" weights: "w" )" + fc +
           R"(weights { name: "w" optimizer { ^hypergradient_adam {} } })",
       "hypergradient_adam"},
      {"not-supported",
       R"(layer { name: "a" parents: "t" weights: "w" )" + fc + R"(weights { name: "w" datatype: ^FP16 })",
       "FP16"},
  };
  for (const Case& c : cases) check(c, head, "\n}");
}

BOOST_AUTO_TEST_CASE(objective_and_metrics) {
  const Case cases[] = {
      {"not-scalar", R"(objective_function { layer_term { layer: ^"t" } })", "layer 't' produces [10]"},
      {"not-scalar", R"(metric { layer_metric { layer: ^"t" name: "m" } })", "metric 'm' needs one number"},

      {"not-supported", R"(^metric { python_metric { name: "m" } })", "metric 'm'"},

      {"unknown-weights", R"(objective_function { l2_weight_regularization { weights: ^"nobody" } })",
       "'nobody'"},
      {"not-supported", R"(^amp { enabled: true })", "mixed precision"},
  };
  for (const Case& c : cases) check(c, head, "\n}");
}

BOOST_AUTO_TEST_CASE(absent_optimizer_values_are_warned_about) {
  const test::Lowered r = lower_text("optimizer { adam { learn_rate: 0.1 beta1: 0.9 } }\n" + head + "}");
  BOOST_TEST(r.model.has_value());
  BOOST_TEST(r.diagnostics.num_warnings() == 2);
  for (const base::Diagnostic& d : r.diagnostics.all()) {
    BOOST_TEST(d.id == "absent-is-zero");
    BOOST_TEST(d.span.line == 1);
    BOOST_TEST(d.span.column == 13);
  }
}

BOOST_AUTO_TEST_SUITE_END()
