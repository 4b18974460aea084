// Which layers are exported, how names are kept apart, what is refused. Numbers are judged by check_onnx.py.
#include <algorithm>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include <boost/test/unit_test.hpp>

#include "model/lower.hpp"
#include "onnx/export.hpp"

namespace lbann::onnx {
namespace {

using Names = std::vector<std::string>;

struct Exported {
  base::Diagnostics diagnostics;
  ::onnx::ModelProto model;
};

/// Layers named in `unknown` become of a kind that nobody has.
Exported export_text(const std::string& layers, const Names& unknown = {}) {
  Exported r;
  model::Experiment experiment;
  model::parse_experiment("exp.prototext", "model {\n" + layers + "}\n", experiment, r.diagnostics);
  model::LayerGraph graph = model::make_layer_graph(experiment, r.diagnostics);
  model::LowerOptions options;
  options.mode = layers::Mode::evaluate;
  options.fields = {{"samples", {6}}, {"labels", {6}}};
  const auto lowered = model::lower_model(experiment, graph, options, r.diagnostics);
  BOOST_REQUIRE_MESSAGE(lowered, r.diagnostics.render());
  for (const std::string& name : unknown)
    graph.layers[std::size_t(graph.find_layer(name))].kind = "of_nobody";
  const std::string bytes =
      export_model(experiment, graph, *lowered, make_initial_values(*lowered, 1), {"0"}, r.diagnostics);
  if (unknown.empty()) BOOST_CHECK_MESSAGE(!r.diagnostics.has_errors(), r.diagnostics.render());
  BOOST_REQUIRE(r.model.ParseFromString(bytes));
  return r;
}

template <class List>
Names names_of(const List& list) {
  Names names;
  for (const auto& item : list) names.push_back(item.name());
  return names;
}

void check_names(const Names& got, const Names& expected) {
  BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), expected.begin(), expected.end());
}

BOOST_AUTO_TEST_CASE(what_has_no_form_is_refused_all_at_once) {
  const Exported r = export_text(
      "layer { name: 'x' input { data_field: 'samples' } }\n"
      "layer { name: 'a' parents: 'x' relu {} }\n"
      "layer { name: 'b' parents: 'a' relu {} }\n"
      "layer { name: 'c' parents: 'b' relu {} }\n",
      {"a", "c"});
  BOOST_REQUIRE_EQUAL(r.diagnostics.num_errors(), 2);
  const auto& list = r.diagnostics.all();
  BOOST_CHECK_EQUAL(list[0].id, "no-onnx-form");
  BOOST_CHECK_EQUAL(list[0].message, "layer 'a': layers of kind 'of_nobody' cannot be written as ONNX yet");
  BOOST_CHECK_EQUAL(list[0].span.line, 3);
  BOOST_CHECK_EQUAL(list[1].span.line, 5);
  BOOST_CHECK(r.model.graph().node().empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_exported_needs_no_form) {
  const Exported r = export_text(
      "layer { name: 'x' input { data_field: 'samples' } }\n"
      "layer { name: 'labels' input { data_field: 'labels' } }\n"
      "layer { name: 'smooth' parents: 'labels' relu {} }\n"
      "layer { name: 'p' parents: 'x' softmax {} }\n"
      "layer { name: 'loss' parents: 'p' parents: 'smooth' cross_entropy {} }\n",
      {"smooth"});
  BOOST_CHECK_MESSAGE(!r.diagnostics.has_errors(), r.diagnostics.render());
  check_names(names_of(r.model.graph().node()), {"p"});
  check_names(names_of(r.model.graph().output()), {"p"});
}

BOOST_AUTO_TEST_CASE(a_truth_made_of_the_samples_is_no_output) {
  const Exported r = export_text(
      "layer { name: 'x' input { data_field: 'samples' } }\n"
      "layer { name: 'truth' parents: 'x' relu {} }\n"
      "layer { name: 'code' parents: 'x' fully_connected { num_neurons: 2 } }\n"
      "layer { name: 'back' parents: 'code' fully_connected { num_neurons: 6 } }\n"
      "layer { name: 'loss' parents: 'back' parents: 'truth' mean_squared_error {} }\n"
      "layer { name: 'scaled' parents: 'loss' weighted_sum { scaling_factors: 2 } }\n");
  check_names(names_of(r.model.graph().node()), {"code", "back"});
  check_names(names_of(r.model.graph().output()), {"back"});
  check_names(names_of(r.model.graph().input()), {"samples"});
}

BOOST_AUTO_TEST_CASE(layers_and_weights_of_one_name_are_kept_apart) {
  const Exported r = export_text(
      "layer { name: 'x' input { data_field: 'samples' } }\n"
      "layer { name: 'samples' parents: 'x' relu {} }\n"
      "layer { name: 'w' parents: 'samples' weights: 'w' fully_connected { num_neurons: 6 } }\n"
      "layer { name: 'again' parents: 'w' weights: 'w' fully_connected { num_neurons: 6 } }\n"
      "weights { name: 'w' initializer { constant_initializer { value: 0.5 } } }\n");
  const ::onnx::GraphProto& g = r.model.graph();
  check_names(names_of(g.initializer()), {"w"});  // shared
  Names produced = names_of(g.initializer());
  for (const auto& input : g.input()) produced.push_back(input.name());
  for (const auto& node : g.node()) {
    for (const std::string& x : node.input()) BOOST_CHECK(std::ranges::count(produced, x) == 1);
    produced.insert(produced.end(), node.output().begin(), node.output().end());
  }
  BOOST_CHECK_EQUAL(std::ranges::count(produced, std::string("samples")), 1);
  BOOST_REQUIRE_EQUAL(g.node_size(), 3);
  BOOST_CHECK_EQUAL(g.node(0).input(0), "samples");
  BOOST_CHECK_EQUAL(g.node(1).input(0), g.node(0).output(0));
  BOOST_CHECK_EQUAL(g.node(1).input(1), "w");
  BOOST_CHECK_EQUAL(g.node(2).input(0), g.node(1).output(0));
  BOOST_CHECK_EQUAL(g.node(2).input(1), "w");
}

}  // namespace
}  // namespace lbann::onnx
