// Lowering from text to op graph: dims, weights, objective and metrics of legal models, and for illegal ones
// the diagnostic's id, place and numbers. Values are the table's work (tests/layers).
#include "model/lower.hpp"

#include <boost/test/unit_test.hpp>

#include "base/files.hpp"
#include "lower_fixture.hpp"

using namespace lbann;
using namespace lbann::model;
using lbann::test::lower_text;
using lbann::test::Lowered;
using tensor::Shape;

namespace {

const LoweredWeight* find_weight(const LoweredModel& m, const std::string& name) {
  for (const LoweredWeight& w : m.weights) {
    if (w.name == name) return &w;
  }
  return nullptr;
}

const LayerTrace& trace_of(const LoweredModel& m, const std::string& name) {
  for (const LayerTrace& t : m.layers) {
    if (t.name == name) return t;
  }
  throw std::runtime_error("no trace of " + name);
}

int count_nodes(const graph::Graph& g, const std::string& op) {
  int n = 0;
  for (const graph::NodeId id : g.order) n += g.node(id).op == op;
  return n;
}

std::vector<std::string> output_names(const graph::Graph& g) {
  std::vector<std::string> names;
  for (const graph::Output& o : g.outputs) names.push_back(o.name);
  return names;
}

const std::string head = R"(
model {
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(lowering)

BOOST_AUTO_TEST_CASE(the_small_network) {
  const Lowered r = lower_text(base::read_file(LBANN_SOURCE_DIR "/examples/seed_cnn.prototext"));
  BOOST_TEST_MESSAGE(r.diagnostics.render());
  BOOST_REQUIRE(r.model.has_value());
  const LoweredModel& m = *r.model;

  BOOST_TEST((trace_of(m, "conv").outputs == std::vector<Shape>{{64, 14, 14}}));
  BOOST_TEST((trace_of(m, "pool").outputs == std::vector<Shape>{{64, 7, 7}}));
  BOOST_TEST((trace_of(m, "loss").outputs == std::vector<Shape>{{1}}));
  BOOST_TEST((trace_of(m, "conv").weights == std::vector<std::string>{"conv_kernel", "conv_bias"}));
  BOOST_TEST(trace_of(m, "conv").num_parameters == 64 * 25 + 64);
  // 2 flops per product, one window of 25 per output; the bias may count or not.
  const double products = 2.0 * r.options.batch * 64 * 14 * 14 * 25;
  BOOST_TEST(trace_of(m, "conv").flops >= products);
  BOOST_TEST(trace_of(m, "conv").flops <= products * 1.03);

  BOOST_REQUIRE_EQUAL(m.weights.size(), 7u);
  const LoweredWeight* fc = find_weight(m, "fc_linearity_weights");
  BOOST_REQUIRE(fc != nullptr);
  BOOST_TEST((fc->shape == Shape{64 * 7 * 7, 10}));
  BOOST_TEST(fc->matrix_height == 10);
  BOOST_TEST(fc->fan_in == 64 * 7 * 7);
  BOOST_TEST((fc->initializer.kind == optim::InitializerKind::he_normal));
  BOOST_TEST((fc->optimizer->kind == optim::OptimizerKind::adam));
  BOOST_TEST(find_weight(m, "conv_kernel")->fan_in == 25);
  BOOST_TEST(find_weight(m, "conv_kernel")->fan_out == 64 * 25);
  BOOST_TEST(find_weight(m, "bn_scale")->initializer.value == 1);
  BOOST_TEST(!find_weight(m, "bn_running_variance")->trainable);
  BOOST_TEST(find_weight(m, "bn_running_variance")->initializer.value == 1);
  BOOST_TEST(m.graph.producer(find_weight(m, "bn_running_mean")->value).attrs.get_text("role") == "state");
  BOOST_TEST(m.graph.assignments.size() == 2u);

  BOOST_TEST((output_names(m.graph) == std::vector<std::string>{"term:0", "objective", "metric:accuracy"}));
  for (const graph::Output& o : m.graph.outputs) BOOST_TEST((m.graph.shape(o.value) == Shape{1}));
  BOOST_TEST(count_nodes(m.graph, "input") == 2);
}

BOOST_AUTO_TEST_CASE(evaluation_uses_running_statistics_and_changes_nothing) {
  LowerOptions options = test::default_options();
  options.mode = layers::Mode::evaluate;
  const Lowered r = lower_text(base::read_file(LBANN_SOURCE_DIR "/examples/seed_cnn.prototext"), options);
  BOOST_REQUIRE(r.model.has_value());
  BOOST_TEST(r.model->graph.assignments.empty());
  BOOST_TEST(count_nodes(r.model->graph, "norm_stats") == 0);
  BOOST_TEST(r.model->weights.size() == 7u);
}

BOOST_AUTO_TEST_CASE(one_value_per_channel_moves_no_statistics) {
  LowerOptions options = test::default_options();
  options.batch = 1;
  const std::string text = head + R"(
    layer { name: "flat" parents: "x" reshape { dims: -1 } }
    layer { name: "bn" parents: "flat" batch_normalization {} }
    layer { name: "image" parents: "x" batch_normalization {} } })";
  const Lowered r = lower_text(text, options);
  BOOST_REQUIRE(r.model.has_value());
  BOOST_TEST(r.model->graph.assignments.size() == 2u);  // only of `image`, with 28 x 28 values per channel
}

BOOST_AUTO_TEST_CASE(user_weights) {
  const Lowered r = lower_text(R"(
    optimizer { sgd { learn_rate: 0.1 momentum: 0.9 } }
    model {
      layer { name: "x" input { data_field: "samples" } }
      layer { name: "a" parents: "x" weights: "w" fully_connected { num_neurons: 784 has_bias: true } }
      layer { name: "b" parents: "a" weights: "w" weights: "bias" fully_connected { num_neurons: 784 has_bias: true } }
      layer { name: "c" parents: "b" weights: "v" weights: "spare" fully_connected { num_neurons: 3 } }
      layer { name: "d" parents: "b" freeze: true fully_connected { num_neurons: 3 } }
      weights { name: "w" initializer { normal_initializer { standard_deviation: 0.5 } }
                optimizer { adam { learn_rate: 1 beta1: 0.5 beta2: 0.5 eps: 1 } } }
      weights { name: "bias" optimizer { no_optimizer {} } }
      weights { name: "v" }
      weights { name: "spare" }
    })");
  BOOST_TEST_MESSAGE(r.diagnostics.render());
  BOOST_REQUIRE(r.model.has_value());
  const LoweredModel& m = *r.model;
  BOOST_REQUIRE_EQUAL(m.weights.size(), 5u);
  BOOST_TEST(find_weight(m, "w")->initializer.deviation == 0.5);
  BOOST_TEST((find_weight(m, "w")->optimizer->kind == optim::OptimizerKind::adam));
  BOOST_TEST(find_weight(m, "a_bias_weights")->optimizer->momentum == 0.9);
  BOOST_TEST(!find_weight(m, "bias")->trainable);
  // Named by the user but without initializer: zeros, not the layer's default.
  BOOST_TEST((find_weight(m, "v")->initializer == optim::InitializerConfig{}));
  BOOST_TEST(find_weight(m, "v")->trainable);
  BOOST_TEST(find_weight(m, "spare") == nullptr);  // c has no bias
  BOOST_TEST(!find_weight(m, "d_linearity_weights")->trainable);
  BOOST_TEST(count_nodes(m.graph, "weight") == 5);
}

BOOST_AUTO_TEST_CASE(types) {
  const Lowered r = lower_text(head + R"(
    layer { name: "wide" parents: "x" datatype: DOUBLE fully_connected { num_neurons: 10 } }
    layer { name: "narrow" parents: "wide" weights: "w" fully_connected { num_neurons: 10 } }
    weights { name: "w" datatype: DOUBLE } })");
  BOOST_REQUIRE(r.model.has_value());
  BOOST_TEST((find_weight(*r.model, "wide_linearity_weights")->type == tensor::DataType::f64));
  BOOST_TEST((find_weight(*r.model, "w")->type == tensor::DataType::f64));
  BOOST_TEST(count_nodes(r.model->graph, "cast") == 3);  // x, the output of `wide`, w
}

BOOST_AUTO_TEST_CASE(objective_terms_metrics_and_penalties) {
  const Lowered r = lower_text(head + R"(
    layer { name: "fc" parents: "x" fully_connected { num_neurons: 10 } }
    layer { name: "mse" parents: "fc" parents: "t" mean_squared_error {} }
    layer { name: "mae" parents: "fc" parents: "t" mean_absolute_error {} }
    objective_function {
      layer_term { layer: "mse" scale_factor: -2 }
      layer_term { layer: "mae" scale_factor: 0 }
      l2_weight_regularization { scale_factor: 0.5 weights: "fc_linearity_weights" }
      l2_weight_regularization {}
    }
    metric { layer_metric { layer: "mae" } }
    metric { layer_metric { layer: "mse" name: "mae" unit: "%" } } })");
  BOOST_TEST_MESSAGE(r.diagnostics.render());
  BOOST_REQUIRE(r.model.has_value());
  const LoweredModel& m = *r.model;
  BOOST_TEST(r.diagnostics.num_warnings() == 1);
  BOOST_TEST(r.diagnostics.all().front().id == "scale-factor-zero");
  BOOST_REQUIRE_EQUAL(m.terms.size(), 2u);
  BOOST_TEST(m.terms[0].scale == -2);
  BOOST_REQUIRE_EQUAL(m.l2_terms.size(), 2u);
  BOOST_TEST(m.l2_terms[0].scale == 0.5);
  BOOST_TEST((m.l2_terms[0].weights == std::vector<std::string>{"fc_linearity_weights"}));
  BOOST_TEST(m.l2_terms[1].scale == 1);
  BOOST_TEST(m.l2_terms[1].weights.empty());
  BOOST_REQUIRE_EQUAL(m.metrics.size(), 2u);
  BOOST_TEST(m.metrics[0].name == "mae");
  BOOST_TEST(m.metrics[0].output == "metric:mae");
  BOOST_TEST(m.metrics[1].output == "metric:mae#2");
  // Only the percentage is scaled.
  const auto scale_of = [&](const std::string& name) {
    for (const graph::Output& o : m.graph.outputs) {
      const graph::Node& n = m.graph.producer(o.value);
      if (o.name == name && n.op == "ewise") return n.attrs.get_real("a", 1);
    }
    return 1.0;
  };
  BOOST_TEST(scale_of("metric:mae") == 1);
  BOOST_TEST(scale_of("metric:mae#2") == 100);
  BOOST_TEST(scale_of("term:0") == -2);
}

BOOST_AUTO_TEST_CASE(an_empty_objective_is_zero) {
  const Lowered r = lower_text(head + "}");
  BOOST_REQUIRE(r.model.has_value());
  BOOST_TEST((output_names(r.model->graph) == std::vector<std::string>{"objective"}));
  BOOST_TEST(r.model->graph.producer(r.model->graph.outputs[0].value).attrs.get_real("value") == 0);
}

BOOST_AUTO_TEST_CASE(slices_go_to_children_in_order) {
  const Lowered r = lower_text(head + R"(
    layer { name: "s" parents: "t" slice { slice_points: [0, 3, 10] } }
    layer { name: "first" parents: "s" relu {} }
    layer { name: "second" parents: "s" relu {} } })");
  BOOST_TEST_MESSAGE(r.diagnostics.render());
  BOOST_REQUIRE(r.model.has_value());
  BOOST_TEST((trace_of(*r.model, "first").inputs == std::vector<Shape>{{3}}));
  BOOST_TEST((trace_of(*r.model, "second").inputs == std::vector<Shape>{{7}}));
}

BOOST_AUTO_TEST_CASE(embedding_adds_a_dim_and_zeroes_its_padding_row) {
  const Lowered r = lower_text(head + R"(
  layer { name: "e" parents: "t" embedding { num_embeddings: 7 embedding_dim: 3 padding_idx { value: 5 } } }
  layer { name: "f" parents: "t" embedding { num_embeddings: 4 embedding_dim: 2 } }
})");
  BOOST_REQUIRE_MESSAGE(r.model.has_value(), r.diagnostics.render());
  BOOST_TEST((trace_of(*r.model, "e").outputs == std::vector<Shape>{{10, 3}}));
  BOOST_TEST((trace_of(*r.model, "f").outputs == std::vector<Shape>{{10, 2}}));
  const LoweredWeight* table = find_weight(*r.model, "e_weights");
  const LoweredWeight* plain = find_weight(*r.model, "f_weights");
  BOOST_REQUIRE(table != nullptr);
  BOOST_REQUIRE(plain != nullptr);
  BOOST_TEST((table->shape == Shape{7, 3}));
  BOOST_TEST((table->initializer.kind == optim::InitializerKind::normal));
  BOOST_TEST(table->zero_row == 5);
  BOOST_TEST(plain->zero_row == -1);
}

BOOST_AUTO_TEST_CASE(operators) {
  const auto layer = [](const std::string& parents, const std::string& op) {
    return head + "layer { name: \"o\" " + parents +
           " operator_layer { ops { parameters { [type.googleapis.com/lbann_data." + op +
           "Operator] {} } } } } }";
  };
  BOOST_TEST(lower_text(layer("parents: \"x\"", "Tanh")).model.has_value());
  const Lowered two = lower_text(layer("parents: \"x\"", "Add"));
  BOOST_REQUIRE_EQUAL(two.diagnostics.num_errors(), 1);
  BOOST_TEST(two.diagnostics.all()[0].message.find("takes 2 parents, not 1") != std::string::npos);
  const Lowered unknown = lower_text(layer("parents: \"x\"", "LogSoftmax"));
  BOOST_REQUIRE_EQUAL(unknown.diagnostics.num_errors(), 1);
  BOOST_TEST(unknown.diagnostics.all()[0].id == "not-supported");
}

BOOST_AUTO_TEST_CASE(all_independent_errors_and_no_followers) {
  const Lowered r = lower_text(head + R"(
    layer { name: "a" parents: "x" convolution { out_channels: 3 kernel_size: 99 } }
    layer { name: "after_a" parents: "a" relu {} }
    layer { name: "after_both" parents: "after_a" parents: "b" sum {} }
    layer { name: "b" parents: "x" pooling { pool_mode: "median" } }
    layer { name: "loss" parents: "x" parents: "t" cross_entropy {} }
    objective_function { layer_term { layer: "loss" } layer_term { layer: "x" } } })");
  BOOST_TEST(!r.model.has_value());
  std::vector<std::string> ids;
  for (const base::Diagnostic& d : r.diagnostics.all()) ids.push_back(d.id);
  std::sort(ids.begin(), ids.end());
  BOOST_TEST(
      (ids == std::vector<std::string>{"dims-differ", "not-scalar", "unknown-word", "window-too-large"}));
}

BOOST_AUTO_TEST_SUITE_END()
