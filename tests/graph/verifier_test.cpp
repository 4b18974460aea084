// The verifier accepts a legal graph and catches every kind of corruption seeded into it, naming the
// node, its layer and the reason.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "graph/parser.hpp"
#include "graph/verifier.hpp"

using namespace lbann;
using graph::Graph;

namespace {

Graph legal() {
  return graph::parse_graph(R"(graph "t"
origin 1 "fc" kind="fully_connected"
%0:f32[4,3]:ab:"x" = input {name="x"} phase=forward origin=<model>
%1:f32[3,2]:ab:"w" = weight {name="w", role="weight"} phase=forward origin=fc
%2:f32[4,2]:ab = matmul %0, %1 phase=forward origin=fc alias=[-1]
%3:f32[3,2]:ab = matmul %0, %2 {ta=1} phase=backward origin=fc
%4:f32[2]:a, %5:f32[2]:a = norm_stats %2 phase=forward origin=fc
%6:f32[1,1]:ab = reduce %2 {axes=[0,1], fn="sum"} phase=forward origin=fc
output "objective" %6
output "metric" %4
assign %1 <- %3
)");
}

std::string complaint(const std::function<void(Graph&)>& corrupt) {
  Graph g = legal();
  corrupt(g);
  try {
    graph::check_graph(g);
  } catch (const base::Error& e) {
    BOOST_CHECK(e.code() == base::ExitCode::internal);
    return e.what();
  }
  return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_CASE(legal_graphs_are_accepted) {
  BOOST_CHECK_NO_THROW(graph::check_graph(legal()));
  BOOST_CHECK_NO_THROW(graph::check_graph(Graph{}));
  Graph g = legal();  // a dead node nobody uses may stand in the order or not
  g.assignments.clear();
  g.node(3).dead = true;
  BOOST_CHECK_NO_THROW(graph::check_graph(g));
  g.order.erase(g.order.begin() + 3);
  BOOST_CHECK_NO_THROW(graph::check_graph(g));
  g.compact();
  BOOST_CHECK_NO_THROW(graph::check_graph(g));
}

BOOST_AUTO_TEST_CASE(corrupt_order) {
  BOOST_CHECK_EQUAL(
      complaint([](Graph& g) { std::swap(g.order[1], g.order[2]); }),
      "graph 't': matmul (layer 'fc', node 2): uses %1 before weight (layer 'fc', node 1) has produced it");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.order.pop_back(); }),
                    "graph 't': reduce (layer 'fc', node 5): is not in the order");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.order.push_back(4); }),
                    "graph 't': norm_stats (layer 'fc', node 4): stands twice in the order");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.order.push_back(17); }),
                    "graph 't': order names node 17 of 6");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.order.push_back(-1); }),
                    "graph 't': order names node -1 of 6");
}

BOOST_AUTO_TEST_CASE(corrupt_inputs) {
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(2).inputs[0] = 99; }),
                    "graph 't': matmul (layer 'fc', node 2): uses value 99 of 7");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(2).inputs[0] = graph::none; }),
                    "graph 't': matmul (layer 'fc', node 2): uses value -1 of 7");
  BOOST_CHECK_EQUAL(
      complaint([](Graph& g) { g.node(2).inputs[0] = 2; }),
      "graph 't': matmul (layer 'fc', node 2): uses %2 before matmul (layer 'fc', node 2) has produced it");
  BOOST_CHECK_EQUAL(
      complaint([](Graph& g) { g.node(2).dead = true; }),
      "graph 't': matmul (layer 'fc', node 3): uses %2 of the dead node matmul (layer 'fc', node 2)");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) {
                      g.values.emplace_back();
                      g.node(3).inputs[0] = 7;
                    }),
                    "graph 't': matmul (layer 'fc', node 3): uses %7, which nothing produces");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(3).origin = 2; }),
                    "graph 't': matmul (layer '?', node 3): origin 2 of 2");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(3).op.clear(); }),
                    "graph 't':  (layer 'fc', node 3): has no primitive");
}

BOOST_AUTO_TEST_CASE(corrupt_outputs) {
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(3).outputs = {2}; }),
                    "graph 't': matmul (layer 'fc', node 3): produces %2 a second time");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { std::swap(g.node(4).outputs[0], g.node(4).outputs[1]); }),
                    "graph 't': norm_stats (layer 'fc', node 4): produces %5, which names output 1 of node 4 "
                    "as its producer");
  BOOST_CHECK_EQUAL(
      complaint([](Graph& g) { g.value(3).producer = 2; }),
      "graph 't': matmul (layer 'fc', node 3): produces %3, which names output 0 of node 2 as its producer");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(5).outputs.clear(); }),
                    "graph 't': reduce (layer 'fc', node 5): has no output");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(5).outputs = {70}; }),
                    "graph 't': reduce (layer 'fc', node 5): produces value 70 of 7");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) {
                      g.values.push_back(g.value(6));  // claims node 5, which does not know it
                    }),
                    "graph 't': reduce (layer 'fc', node 5): is not the producer of %7, which names it");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) {
                      g.values.push_back(g.value(6));
                      g.values.back().producer = 50;
                    }),
                    "graph 't': %7 names node 50 of 6 as its producer");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.value(3).spec.shape[0] = -3; }),
                    "graph 't': matmul (layer 'fc', node 3): %3 has shape [-3,2]");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.value(3).layout = tensor::Layout::plain(4); }),
                    "graph 't': matmul (layer 'fc', node 3): %3 has rank 2 and layout 'abcd'");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.value(3).spec.placement = tensor::Placement::sharded(2); }),
                    "graph 't': matmul (layer 'fc', node 3): %3 of rank 2 is sharded on dim 2");
}

BOOST_AUTO_TEST_CASE(corrupt_annotations) {
  BOOST_CHECK_EQUAL(complaint([](Graph& g) {
                      g.node(2).may_alias = {0, 1};
                    }),
                    "graph 't': matmul (layer 'fc', node 2): 2 entries of may_alias for 1 outputs");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(2).may_alias = {2}; }),
                    "graph 't': matmul (layer 'fc', node 2): may_alias names operand 2 of 2");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(2).scratch_bytes = -8; }),
                    "graph 't': matmul (layer 'fc', node 2): -8 bytes of scratch");
}

BOOST_AUTO_TEST_CASE(corrupt_results) {
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.outputs[0].value = 7; }),
                    "graph 't': output 'objective' is value 7 of 7");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.node(5).dead = true; }),
                    "graph 't': output 'objective': no live node produces %6");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.outputs[1].name = "objective"; }),
                    "graph 't': two outputs are named 'objective'");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.outputs[1].name.clear(); }),
                    "graph 't': output %4 has no name");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.assignments[0].target = graph::none; }),
                    "graph 't': an assignment's target is value -1 of 7");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.assignments[0].value = 12; }),
                    "graph 't': the new value of %1 is value 12 of 7");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.assignments[0].target = 0; }),
                    "graph 't': input (layer '<model>', node 0): %0 is assigned but is no weight");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.assignments[0].value = 2; }),
                    "graph 't': weight (layer 'fc', node 1): %1 of f32[3,2] is assigned %2 of f32[4,2]");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.value(3).spec.type = tensor::DataType::f64; }),
                    "graph 't': weight (layer 'fc', node 1): %1 of f32[3,2] is assigned %3 of f64[3,2]");
  BOOST_CHECK_EQUAL(complaint([](Graph& g) { g.assignments.push_back(g.assignments[0]); }),
                    "graph 't': weight (layer 'fc', node 1): %1 is assigned twice");
}
