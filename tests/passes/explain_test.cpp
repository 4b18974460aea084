// Reasons of edges: each rule with a graph where it is the one that counts.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "ops/builder.hpp"
#include "passes/explain_edges.hpp"
#include "passes/passes.hpp"

namespace {

using namespace lbann;
using graph::ValueId;

const tensor::TensorSpec spec{tensor::DataType::f32, tensor::Shape{8, 32}, {}};

/// Two pointwise nodes in a row, x -> a -> b, as a finished plan would have them.
struct Chain {
  Chain() : b(c.graph) {
    const ValueId x = b.input("x", spec);
    first = b.ewise("exp", {x});
    second = b.ewise("tanh", {first});
    c.graph.outputs.push_back({"y", second});
    for (graph::NodeId id : c.graph.order) c.graph.node(id).kernel = "cpu.ewise";
    for (graph::Value& v : c.graph.values) v.layout = tensor::Layout::plain(2);
  }
  graph::Node& node(ValueId v) { return c.graph.node(c.graph.value(v).producer); }
  std::string reason() const {
    for (const passes::EdgeNote& e : passes::explain_edges(c)) {
      if (e.id == first) return e.reason;
    }
    return "no such edge";
  }
  passes::Compilation c;
  ops::Builder b;
  ValueId first, second;
};

bool contains(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  BOOST_TEST_MESSAGE(text);
  return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_value_with_another_reader_goes_through_memory) {
  Chain chain;
  chain.c.graph.outputs.push_back({"z", chain.first});
  BOOST_CHECK(contains(chain.reason(), "1 more readers outside the loop"));
}

BOOST_AUTO_TEST_CASE(layouts_that_differ_are_named) {
  Chain chain;
  chain.c.graph.value(chain.first).layout = tensor::Layout::channels_last(2);
  const tensor::Layout other = tensor::Layout::blocked_channels(2, 16);
  chain.c.graph.value(chain.second).layout = other;
  BOOST_CHECK(contains(chain.reason(), "the loop runs over " + other.tag()));
}

BOOST_AUTO_TEST_CASE(directions_that_differ_are_named) {
  Chain chain;
  chain.node(chain.second).phase = graph::Phase::backward;
  BOOST_CHECK(contains(chain.reason(), "from one pass direction for another"));
}

BOOST_AUTO_TEST_CASE(a_disabled_pass_is_named) {
  Chain chain;
  chain.c.disabled.insert("fuse_elementwise");
  BOOST_CHECK(contains(chain.reason(), "pass fuse_elementwise is disabled"));
}

BOOST_AUTO_TEST_CASE(what_fuses_is_no_edge) {
  Chain chain;
  passes::fuse_elementwise(chain.c);
  BOOST_CHECK(passes::explain_edges(chain.c).empty());
}

BOOST_AUTO_TEST_CASE(reasons_of_a_fused_loop_agree_with_the_pass) {
  // Whatever the pass leaves apart although the rule has no objection is too long for one loop.
  Chain chain;
  ValueId v = chain.second;
  for (std::size_t i = 0; i < passes::max_loop_instructions; ++i) v = chain.b.ewise("tanh", {v});
  chain.c.graph.outputs[0].value = v;
  for (graph::NodeId id : chain.c.graph.order) chain.c.graph.node(id).kernel = "cpu.ewise";
  for (graph::Value& value : chain.c.graph.values) value.layout = tensor::Layout::plain(2);
  passes::fuse_elementwise(chain.c);
  const std::vector<passes::EdgeNote> edges = passes::explain_edges(chain.c);
  BOOST_REQUIRE_EQUAL(edges.size(), 1U);
  BOOST_CHECK(contains(edges[0].reason, "one loop would have 26 operations"));
}
