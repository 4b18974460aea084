// sparsify_updates: which updates become row updates, which must not, and what that does to memory.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace {

using namespace lbann;
using graph::ValueId;
using tensor::DataType;
using tensor::Shape;

constexpr std::int64_t rows = 5000, width = 8, batch = 6;

/// objective = mean of (rows of `table` at "index")^2; with `twice` the table is read a second time.
passes::Compilation make(const std::string& rule, bool twice = false) {
  passes::Compilation c;
  c.graph.name = "table";
  ops::Builder b(c.graph);
  b.set_origin(c.graph.add_origin({"embedding", "embedding", {}}));
  const ValueId index = b.input("index", {DataType::i64, Shape{batch}, {}});
  const ValueId table = b.weight("table", {DataType::f32, Shape{rows, width}, {}});
  ValueId y = b.add("gather", {table, index});
  if (twice) {
    const ValueId other = b.input("other", {DataType::i64, Shape{batch}, {}});
    y = b.add2(y, b.add("gather", {table, other}));
  }
  c.graph.outputs.push_back(
      {"objective", b.reshape(b.reduce("mean", b.ewise("square", {y}), {0, 1}), Shape{1})});
  c.training = true;
  std::vector<std::string> states;
  if (rule == "momentum" || rule == "adagrad" || rule == "rmsprop") states = {"state"};
  if (rule == "adam") states = {"moment1", "moment2"};
  c.trainable.push_back({"table", rule, states, 0});
  c.num_step_scalars = 7;
  return c;
}

passes::Compilation compiled(passes::Compilation c) {
  static const auto catalogue = passes::make_reference_catalogue();
  c.catalogue = catalogue.get();
  passes::compile(c);
  return c;
}

int count(const graph::Graph& g, std::string_view op) {
  int n = 0;
  for (graph::NodeId id : g.order) n += g.node(id).op == op ? 1 : 0;
  return n;
}

void check_dense(const passes::Compilation& c, const std::string& why) {
  BOOST_TEST(count(c.graph, "update_rows") == 0, why);
  BOOST_TEST(count(c.graph, "update") == 1, why);
  BOOST_TEST(count(c.graph, "scatter_add") > 0, why);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sgd_on_a_table_updates_rows) {
  const passes::Compilation c = compiled(make("sgd"));
  BOOST_TEST(count(c.graph, "update_rows") == 1);
  BOOST_TEST(count(c.graph, "update") == 0);
  BOOST_TEST(count(c.graph, "scatter_add") == 0);
}

BOOST_AUTO_TEST_CASE(no_dense_gradient_is_in_the_arena_and_the_table_is_updated_in_place) {
  passes::Compilation dense = make("sgd");
  dense.disabled = {"sparsify_updates"};
  dense = compiled(std::move(dense));
  const passes::Compilation sparse = compiled(make("sgd"));
  const std::int64_t gradient_bytes = rows * width * 4;
  BOOST_TEST(dense.memory.arena_bytes >= gradient_bytes);
  BOOST_TEST(sparse.memory.arena_bytes < gradient_bytes / 10);
  BOOST_REQUIRE_EQUAL(sparse.graph.assignments.size(), 1u);
  const graph::Assignment& a = sparse.graph.assignments.front();
  BOOST_TEST(sparse.graph.producer(a.value).op == "update_rows");  // no copy behind it
  const auto& slots = sparse.memory.values;
  BOOST_TEST(slots[static_cast<std::size_t>(a.value)].storage ==
             slots[static_cast<std::size_t>(a.target)].storage);
}

BOOST_AUTO_TEST_CASE(rules_that_move_without_a_gradient_stay_dense) {
  for (const char* rule : {"momentum", "adagrad", "rmsprop", "adam"}) check_dense(compiled(make(rule)), rule);
}

BOOST_AUTO_TEST_CASE(a_table_read_twice_stays_dense) { check_dense(compiled(make("sgd", true)), "twice"); }

BOOST_AUTO_TEST_CASE(an_l2_term_on_the_table_stays_dense) {
  for (const std::vector<std::string>& named : {std::vector<std::string>{}, {"table"}}) {
    passes::Compilation c = make("sgd");
    c.l2_terms.push_back({0.1, named});
    check_dense(compiled(std::move(c)), "L2");
  }
}

BOOST_AUTO_TEST_CASE(disabled_it_leaves_the_update) {
  passes::Compilation c = make("sgd");
  c.disabled = {"sparsify_updates"};
  check_dense(compiled(std::move(c)), "disabled");
}

BOOST_AUTO_TEST_CASE(the_finite_flag_moves_to_the_rows) {
  passes::Compilation c = make("sgd");
  c.commit = passes::Commit::committed;
  c = compiled(std::move(c));
  BOOST_TEST(count(c.graph, "scatter_add") == 0);
  bool seen = false;
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    if (n.op != "update_rows") continue;
    seen = true;
    BOOST_TEST(n.attrs.get_int("commit") == 1);
    const graph::Node& flag = c.graph.producer(n.inputs.back());
    BOOST_REQUIRE_EQUAL(flag.op, "all_finite");
    BOOST_TEST(std::count(flag.inputs.begin(), flag.inputs.end(), n.inputs[2]) == 1);
  }
  BOOST_TEST(seen);
}
