// Resolved references, execution order, old inputs; speed and depth on big files.

#include <boost/test/unit_test.hpp>

#include "base/files.hpp"
#include "layers.pb.h"
#include "model/execution_order.hpp"
#include "model/layer_graph.hpp"

using namespace lbann;
using namespace lbann::model;

namespace {

struct Made {
  base::Diagnostics diagnostics;
  Experiment experiment;
  LayerGraph graph;
  explicit Made(std::string text) {
    parse_experiment("f", std::move(text), experiment, diagnostics);
    graph = make_layer_graph(experiment, diagnostics);
  }
  std::string names(const std::vector<int>& list) const {
    std::string out;
    for (int i : list) out += (out.empty() ? "" : " ") + graph.layers[static_cast<std::size_t>(i)].name;
    return out;
  }
  const LayerNode& layer(const std::string& name) const {
    const int i = graph.find_layer(name);
    BOOST_REQUIRE_MESSAGE(i >= 0, name);
    return graph.layers[static_cast<std::size_t>(i)];
  }
  std::string ids() const {
    std::string out;
    for (const auto& d : diagnostics.all()) out += d.id + " ";
    return out;
  }
};

std::string chain(int num_layers) {
  std::string text = "model {\n  layer { name: \"l0\" input { data_field: \"samples\" } }\n";
  for (int i = 1; i < num_layers; ++i)
    text += "  layer {\n    name: \"l" + std::to_string(i) + "\"\n    parents: \"l" + std::to_string(i - 1) +
            "\"\n    convolution { num_dims: 2 out_channels: 8 kernel_size: 3 padding: 1 has_bias { value: "
            "true } }\n  }\n";
  return text + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_example_has_the_edges_that_it_says) {
  const Made m(base::read_file(LBANN_SOURCE_DIR "/examples/lenet.prototext"));
  BOOST_TEST(m.ids() == "");
  BOOST_TEST(m.layer("loss").kind == "cross_entropy");
  BOOST_TEST(m.names(m.layer("loss").parents) == "prob labels");
  BOOST_TEST(m.names(m.layer("prob").children) == "loss accuracy");
  BOOST_REQUIRE(m.graph.objective.size() == 1);
  BOOST_TEST(m.graph.objective[0].layer == m.graph.find_layer("loss"));
  BOOST_REQUIRE(m.graph.metrics.size() == 1);
  BOOST_TEST(m.graph.metrics[0].unit == "%");
  BOOST_TEST(m.graph.callbacks.size() == 2);
  BOOST_TEST(m.graph.callbacks[0].kind == "print");
  BOOST_TEST(m.graph.readers.size() == 1);
  BOOST_TEST(m.graph.optimizer != nullptr);
}

BOOST_AUTO_TEST_CASE(edges_may_be_written_on_either_side) {
  const Made m(
      "model { layer { name: \"in\" children: \"b a\" input { data_field: \"samples\" } }\n"
      "layer { name: \"a\" relu {} } layer { name: \"b\" relu {} }\n"
      "layer { name: \"c\" parents: \"in\" relu {} } layer { name: \"s\" parents: \"b\" sum {} }\n"
      "layer { name: \"d\" parents: \"c\" children: \"s\" relu {} } }");
  BOOST_TEST(m.ids() == "");
  BOOST_TEST(m.names(m.layer("in").children) == "b a c");
  BOOST_TEST(m.names(m.layer("a").parents) == "in");
  BOOST_TEST(m.names(m.layer("s").parents) == "b d");
  BOOST_TEST(m.names(m.graph.order) == "in c d a b s");  // depth first: in, b, s, a, c, d
}

BOOST_AUTO_TEST_CASE(layers_without_a_name_are_counted_from_zero) {
  const Made m("model { layer { input { data_field: \"samples\" } } layer { parents: \"layer0\" relu {} } }");
  BOOST_TEST(m.ids() == "");
  BOOST_TEST(m.names(m.layer("layer1").parents) == "layer0");
  const Made clash(
      "model { layer { name: \"layer1\" input { data_field: \"samples\" } } layer { relu {} } }");
  BOOST_TEST(clash.ids() == "duplicate-name ");
}

BOOST_AUTO_TEST_CASE(an_old_input_feeds_samples_first_and_the_target_second) {
  const Made m(base::read_file(LBANN_SOURCE_DIR "/tests/golden/front/seed_old_spelling.prototext"));
  BOOST_TEST(!m.diagnostics.has_errors());
  const auto field = [&](const std::string& child) {
    const auto& parent = m.graph.layers[static_cast<std::size_t>(m.layer(child).parents.at(0))];
    return dynamic_cast<const lbann_data::Layer::Input&>(*parent.params).data_field();
  };
  BOOST_TEST(field("images") == "samples");
  BOOST_TEST(field("labels") == "labels");
  BOOST_TEST(m.graph.layers.back().second_of == m.graph.find_layer("data"));
  BOOST_TEST(m.graph.order.size() == m.graph.layers.size());
  const std::string regression =
      "model { layer { name: \"d\" children: \"y x\" input { target_mode: \"regression\" } }\n"
      "layer { name: \"x\" parents: \"d\" relu {} } layer { name: \"y\" parents: \"d\" relu {} } }";
  const Made r(regression);
  BOOST_TEST(r.ids() == "");
  const auto& second =
      r.graph.layers[static_cast<std::size_t>(r.layer("x").parents.at(0))];  // `children` rules the order
  BOOST_TEST(dynamic_cast<const lbann_data::Layer::Input&>(*second.params).data_field() == "responses");
}

BOOST_AUTO_TEST_CASE(file_order_is_kept_where_it_can_be_and_inputs_come_first) {
  const Made kept(
      "model { layer { name: \"w\" weights_layer {} } layer { name: \"in\" input { data_field: \"samples\" } "
      "}\n"
      "layer { name: \"b\" parents: \"in\" relu {} } layer { name: \"a\" parents: \"in\" relu {} } }");
  BOOST_TEST(kept.names(kept.graph.order) == "in w b a");
  const Made sorted(
      "model { layer { name: \"c\" parents: \"b\" relu {} } layer { name: \"b\" parents: \"a\" relu {} }\n"
      "layer { name: \"a\" input { data_field: \"samples\" } } }");
  BOOST_TEST(sorted.names(sorted.graph.order) == "a b c");
  const Made hinted(
      "model { layer { name: \"x\" hint_layer: \"y\" weights_layer {} } layer { name: \"y\" weights_layer {} "
      "} }");
  BOOST_TEST(hinted.names(hinted.graph.order) == "y x");
}

BOOST_AUTO_TEST_CASE(the_order_of_a_diamond_is_the_reverse_post_order) {
  // 3 -> {1, 2} -> 0: not in file order; depth first from 3 visits 1, 0, then 2.
  const auto found = find_execution_order({{}, {0}, {0}, {1, 2}}, {false, false, false, false});
  BOOST_TEST(found.order == std::vector<int>({3, 2, 1, 0}), boost::test_tools::per_element());
  const auto two = find_execution_order({{1}, {0}, {3}, {2}}, {false, false, false, false});
  BOOST_TEST(two.order.empty());
  BOOST_TEST(two.cycles.size() == 2);
}

BOOST_AUTO_TEST_CASE(what_follows_from_an_earlier_error_is_not_told_again) {
  // The layer's name cannot be read, so that nobody finds it is no news; nor is the missing kind.
  BOOST_TEST(
      Made("model { layer { name: oops relu {} } layer { name: \"b\" parents: \"oops\" relu {} } }").ids() ==
      "wrong-type ");
  BOOST_TEST(
      Made("model { layer { name: \"a\" reluu {} } layer { name: \"b\" parents: \"a\" relu {} } }").ids() ==
      "unknown-field ");
  BOOST_TEST(Made("model { layer { name: \"a\" relu {} } metric { layer_metric { layr: \"a\" } } }").ids() ==
             "unknown-field ");
}

BOOST_AUTO_TEST_CASE(a_thousand_layers_come_in_the_order_of_the_chain) {
  const Made m(chain(1000));
  BOOST_REQUIRE(m.graph.order.size() == 1000);
  for (std::size_t i = 1; i < m.graph.order.size(); ++i) BOOST_TEST(m.graph.order[i - 1] < m.graph.order[i]);
}

BOOST_AUTO_TEST_CASE(a_long_chain_in_any_order_and_a_long_cycle_exhaust_no_stack) {
  constexpr int n = 50000;
  std::vector<std::vector<int>> backwards(n);
  for (int i = 1; i < n; ++i) backwards[static_cast<std::size_t>(i)].push_back(i - 1);
  const auto found = find_execution_order(backwards, std::vector<bool>(n, false));
  BOOST_REQUIRE(found.order.size() == n);
  BOOST_TEST(found.order.front() == n - 1);
  backwards[0].push_back(n - 1);
  BOOST_TEST(find_execution_order(backwards, std::vector<bool>(n, false)).cycles.size() == 1);
}
