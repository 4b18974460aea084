// Collectives: the placements and shapes of the global program and of a projected node, and how operands are
// redistributed where a rule refuses them.
#include <boost/test/unit_test.hpp>

#include "graph_fixture.hpp"
#include "ops/operand_placement.hpp"
#include "tensor/partition.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;
namespace tensor = lbann::tensor;

namespace {

struct CollectiveFixture : Fixture {
  std::string spec(std::string_view op, const Shape& shape, const char* placement,
                   lbann::graph::Attrs attrs) {
    try {
      return b.spec(b.add(op, {in(shape, DataType::f32, placement)}, std::move(attrs))).to_string();
    } catch (const lbann::base::Error&) {
      return "refused";
    }
  }
  /// Placements that a node's operands end up with when the builder may redistribute.
  std::string adapted(std::string_view op, const std::vector<std::pair<Shape, const char*>>& operands,
                      lbann::graph::Attrs attrs = {}) {
    ops::Builder free(g);
    free.redistribute_operands();
    std::vector<ValueId> inputs;
    for (const auto& [shape, placement] : operands) inputs.push_back(in(shape, DataType::f32, placement));
    const ValueId y = free.add(op, std::move(inputs), std::move(attrs));
    std::string text;
    for (ValueId v : g.producer(y).inputs) text += g.value(v).spec.placement.to_string() + " ";
    return text + "-> " + g.value(y).spec.placement.to_string();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(collectives, CollectiveFixture)

BOOST_AUTO_TEST_CASE(global_collectives_move_values_and_keep_their_shape) {
  BOOST_CHECK_EQUAL(spec("all_reduce", {4, 6}, "P", {{"mesh_axis", 0}, {"fn", "sum"}}), "f32[4,6]");
  BOOST_CHECK_EQUAL(spec("all_reduce", {4, 6}, "R", {{"mesh_axis", 0}, {"fn", "sum"}}), "refused");
  BOOST_CHECK_EQUAL(spec("all_reduce", {4, 6}, "S1,P", {{"mesh_axis", 1}, {"fn", "sum"}}), "f32[4,6]@S1");
  BOOST_CHECK_EQUAL(spec("reduce_scatter", {4, 6}, "P", {{"mesh_axis", 0}, {"dim", 1}}), "f32[4,6]@S1");
  BOOST_CHECK_EQUAL(spec("all_gather", {4, 6}, "S1", {{"mesh_axis", 0}, {"dim", 1}}), "f32[4,6]");
  BOOST_CHECK_EQUAL(spec("all_gather", {4, 6}, "S1", {{"mesh_axis", 0}, {"dim", 0}}), "refused");
  BOOST_CHECK_EQUAL(spec("local_slice", {4, 6}, "R", {{"mesh_axis", 0}, {"dim", 1}, {"unit", 3}}),
                    "f32[4,6]@S1*3");
  BOOST_CHECK_EQUAL(spec("all_to_all", {4, 6}, "S0", {{"mesh_axis", 0}, {"from", 0}, {"to", 1}}),
                    "f32[4,6]@S1");
}

BOOST_AUTO_TEST_CASE(projected_collectives_have_the_shapes_of_pieces) {
  const Ints group{0, 1, 2};
  BOOST_CHECK_EQUAL(spec("reduce_scatter", {7, 2}, "R",
                         {{"dim", 0}, {"group", group}, {"member", 1}, {"extents", Ints{2, 2, 3}}}),
                    "f32[2,2]");
  BOOST_CHECK_EQUAL(spec("all_gather", {3, 2}, "R",
                         {{"dim", 0}, {"group", group}, {"member", 2}, {"extents", Ints{2, 2, 3}}}),
                    "f32[7,2]");
  BOOST_CHECK_EQUAL(  // not the length that member 2 has
      spec("all_gather", {4, 2}, "R",
           {{"dim", 0}, {"group", group}, {"member", 2}, {"extents", Ints{2, 2, 3}}}),
      "refused");
  BOOST_CHECK_EQUAL(spec("all_to_all", {2, 5}, "R",
                         {{"from", 0},
                          {"to", 1},
                          {"group", group},
                          {"member", 0},
                          {"from_extents", Ints{2, 2, 3}},
                          {"to_extents", Ints{1, 2, 2}}}),
                    "f32[7,1]");
  BOOST_CHECK_EQUAL(spec("fetch_box", {2, 5}, "R",
                         {{"dim", 0},
                          {"group", group},
                          {"member", 0},
                          {"extents", Ints{2, 2, 3}},
                          {"fill", 0.0},
                          {"starts", Ints{-1, 1, 3}},
                          {"stops", Ints{4, 5, 8}}}),
                    "f32[5,5]");
  BOOST_CHECK_EQUAL(spec("scatter_box", {5, 5}, "R",
                         {{"dim", 0},
                          {"group", group},
                          {"member", 0},
                          {"extents", Ints{2, 2, 3}},
                          {"starts", Ints{-1, 1, 3}},
                          {"stops", Ints{4, 5, 8}}}),
                    "f32[2,5]");
}

BOOST_AUTO_TEST_CASE(operands_move_as_little_as_possible) {
  const Shape x{8, 6}, small{1, 6};
  // What others hold too is cut, which costs nothing.
  BOOST_CHECK_EQUAL(adapted("ewise", {{x, "S0"}, {x, "R"}}, {{"fn", "mul"}}), "S0 S0 -> S0");
  // A sum that ends in pieces costs half of one that ends everywhere.
  BOOST_CHECK_EQUAL(adapted("ewise", {{x, "P"}, {x, "S0"}}, {{"fn", "add"}}), "S0 S0 -> S0");
  // A product is linear in each factor: one of two sums may stay unfinished.
  BOOST_CHECK_EQUAL(adapted("ewise", {{x, "P"}, {x, "P"}}, {{"fn", "mul"}}), "P R -> P");
  BOOST_CHECK_EQUAL(adapted("ewise", {{x, "S0"}, {small, "S1"}}, {{"fn", "mul"}}), "S0 R -> S0");
  BOOST_CHECK_EQUAL(adapted("matmul", {{{8, 4}, "S1"}, {{4, 6}, "R"}}), "S1 S0 -> P");
  BOOST_CHECK_EQUAL(adapted("softmax", {{x, "S1"}}, {{"axis", 1}}), "S0 -> S0");
}

BOOST_AUTO_TEST_CASE(cut_points) {
  using tensor::Range;
  BOOST_CHECK((tensor::cut_lengths(7, 1, 3) == std::vector<std::int64_t>{2, 2, 3}));
  BOOST_CHECK((tensor::cut_lengths(2, 1, 4) == std::vector<std::int64_t>{0, 1, 0, 1}));
  BOOST_CHECK((tensor::cut_lengths(12, 3, 3) == std::vector<std::int64_t>{3, 3, 6}));
  tensor::Mesh mesh;
  mesh.axes = {{"a", 2}, {"b", 3}};
  // Two axes on one dim: the second cuts the pieces of the first. Rank 4 = (1, 1).
  const auto box = tensor::local_box({10, 4}, tensor::parse_placement("S0,S0"), mesh, 4);
  BOOST_CHECK((box == std::vector<Range>{{6, 8}, {0, 4}}));
  BOOST_CHECK((mesh.group(4, 0) == std::vector<std::int64_t>{1, 4}));
  BOOST_CHECK((mesh.group(4, 1) == std::vector<std::int64_t>{3, 4, 5}));
}

BOOST_AUTO_TEST_SUITE_END()
