// check_ops accepts what the builder made and catches what no longer means what it claims; fused
// programs read, print and are refused.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "graph/parser.hpp"
#include "graph/printer.hpp"
#include "graph/verifier.hpp"
#include "graph_fixture.hpp"
#include "ops/fused_program.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;
namespace graph = lbann::graph;

namespace {

const char* const sample = R"(graph "t"
origin 1 "fc" kind="fully_connected"
%0:f32[4,3]:ab:"x" = input {name="x"} phase=forward origin=<model>
%1:f32[3,2]:ab:"w" = weight {name="w", role="weight"} phase=forward origin=fc
%2:f32[4,2]:ab = matmul %0, %1 phase=forward origin=fc
%3:f32[4,2]:ab = ewise %2 {fn="relu"} phase=forward origin=fc
%4:f32[1,1]:ab = reduce %3 {axes=[0,1], fn="sum"} phase=forward origin=fc
output "objective" %4
)";

std::string complaint(const std::function<void(graph::Graph&)>& corrupt) {
  graph::Graph g = graph::parse_graph(sample);
  corrupt(g);
  BOOST_CHECK_NO_THROW(graph::check_graph(g));  // the structure stays legal
  try {
    ops::check_ops(g);
  } catch (const lbann::base::Error& e) {
    BOOST_CHECK(e.code() == lbann::base::ExitCode::internal);
    return e.what();
  }
  return "accepted";
}

std::string parse_failure(const char* text) {
  try {
    ops::parse_fused_program(text);
  } catch (const lbann::base::Error& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_the_builder_made_is_accepted) {
  BOOST_CHECK_EQUAL(complaint([](graph::Graph&) {}), "accepted");
  Fixture f;
  f.b.add("conv", {f.in({4, 3, 9, 9}, DataType::f32, "S0"), f.in({8, 3, 3, 3})},
          conv_attrs({1, 1}, {1, 1}, {1, 1}));
  f.b.fill(0.5, {DataType::f32, {2}, {}});
  BOOST_CHECK_NO_THROW(ops::check_ops(f.g));
  BOOST_CHECK_NO_THROW(ops::check_ops(graph::parse_graph(graph::print_graph(f.g))));
}

BOOST_AUTO_TEST_CASE(corruptions_are_named) {
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) {
                      g.value(2).spec.shape = {4, 3};
                    }),
                    "graph 't': matmul (layer 'fc', node 2): %2 is f32[4,3], expected f32[4,2]");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.value(3).spec.type = DataType::f64; }),
                    "graph 't': ewise (layer 'fc', node 3): %3 is f64[4,2], expected f32[4,2]");
  BOOST_CHECK_EQUAL(
      complaint([](graph::Graph& g) { g.value(3).spec.placement = lbann::tensor::Placement::sharded(0); }),
      "graph 't': ewise (layer 'fc', node 3): %3 is f32[4,2]@S0, expected f32[4,2]");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) {
                      g.value(0).spec.shape = {4, 5};
                    }),
                    "graph 't': matmul (layer 'fc', node 2): matmul: inner extents 5 and 3 of [4,5] and "
                    "[3,2] differ [matmul-inner]");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(2).inputs.pop_back(); }),
                    "graph 't': matmul (layer 'fc', node 2): matmul: 1 operands, expected 2 to 3");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(3).attrs.set("fn", "rely"); }),
                    "graph 't': ewise (layer 'fc', node 3): no scalar function 'rely'");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(4).attrs.erase("axes"); }),
                    "graph 't': reduce (layer 'fc', node 4): node has no attribute 'axes'");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(4).attrs.set("axes", std::int64_t{0}); }),
                    "graph 't': reduce (layer 'fc', node 4): attribute 'axes' has another type");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(4).op = "redule"; }),
                    "graph 't': redule (layer 'fc', node 4): no primitive 'redule'");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) {
                      g.values.push_back(g.value(4));
                      g.values.back().output = 1;
                      g.node(4).outputs.push_back(5);
                    }),
                    "graph 't': reduce (layer 'fc', node 4): 2 outputs, expected 1");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(1).attrs.set("role", "wait"); }),
                    "graph 't': weight (layer 'fc', node 1): unknown role 'wait'");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(0).attrs.erase("name"); }),
                    "graph 't': input (layer '<model>', node 0): node has no attribute 'name'");
  BOOST_CHECK_EQUAL(complaint([](graph::Graph& g) { g.node(1).inputs = {0}; }),
                    "graph 't': weight (layer 'fc', node 1): 1 operands and 1 outputs, expected 0 and 1");
  BOOST_CHECK_EQUAL(
      complaint([](graph::Graph& g) { g.value(0).spec.placement = lbann::tensor::parse_placement("P"); }),
      "graph 't': matmul (layer 'fc', node 2): %2 is f32[4,2], expected f32[4,2]@P");
}

BOOST_AUTO_TEST_CASE(fused_programs_read_and_print) {
  const ops::FusedProgram p =
      ops::parse_fused_program("t0=mul(i0,i2);t1=relu(t0);t2=scale(t1|0x1.8p-1,0);o0=t2;o1=t0");
  BOOST_REQUIRE_EQUAL(p.instructions.size(), 3u);
  BOOST_CHECK_EQUAL(p.num_inputs, 3);
  BOOST_CHECK_EQUAL(p.instructions[0].fn, "mul");
  BOOST_CHECK_EQUAL(p.instructions[0].operands[1].index, 2);
  BOOST_CHECK(p.instructions[1].operands[0].kind == ops::FusedOperand::Kind::temporary);
  BOOST_CHECK_EQUAL(p.instructions[2].a, 0.75);
  BOOST_REQUIRE_EQUAL(p.outputs.size(), 2u);
  BOOST_CHECK_EQUAL(p.outputs[0].index, 2);
  BOOST_CHECK_EQUAL(ops::print_fused_program(p), "t0=mul(i0,i2);t1=relu(t0);t2=scale(t1|0.75,0);o0=t2;o1=t0");
  BOOST_CHECK_EQUAL(ops::print_fused_program(ops::parse_fused_program("t0=neg(i0);o0=relu(t0)")),
                    "t0=neg(i0);t1=relu(t0);o0=t1");
  for (const char* parameters : {"0.1,-0", "-1.5e-300,inf", "-0x1p-1074,0.3333333333333333", "1e+300,-inf"}) {
    const ops::FusedProgram one =
        ops::parse_fused_program(("t0=affine(i0|" + std::string(parameters) + ");o0=t0").c_str());
    const ops::FusedProgram two = ops::parse_fused_program(ops::print_fused_program(one));
    BOOST_CHECK_EQUAL(one.instructions[0].a, two.instructions[0].a);
    BOOST_CHECK_EQUAL(one.instructions[0].b, two.instructions[0].b);
  }
}

BOOST_AUTO_TEST_CASE(malformed_fused_programs_are_refused) {
  for (const char* text :
       {"", "t0=relu(i0)", "o0=t0", "t1=relu(i0);o0=t1", "t0=relu(i0);o1=t0", "t0=relu(i0,i1);o0=t0",
        "t0=mul(i0);o0=t0", "t0=relu(t0);o0=t0", "t0=relu(i-1);o0=t0", "t0=relu(i0;o0=t0", "t0=relu(i0)o0=t0",
        "t0=relu(i0);o0=t0;", "t0=nosuch(i0);o0=t0", "t0=scale(i0|x,0);o0=t0", "t0=scale(i0|1);o0=t0",
        "t0=relu(i0);o0=t0 ", "t0=relu(i99999999999);o0=t0"}) {
    BOOST_CHECK_MESSAGE(parse_failure(text) != "accepted", text);
  }
  BOOST_CHECK_EQUAL(parse_failure("t0=relu(t0);o0=t0"),
                    "fused program: t0 used before it is defined at column 11 of 't0=relu(t0);o0=t0'");
}

BOOST_AUTO_TEST_CASE(fused_ewise_shapes) {
  Fixture f;
  const auto fused = [&](std::vector<ValueId> inputs, const char* program) {
    return f.add("fused_ewise", std::move(inputs), {{"program", program}});
  };
  BOOST_CHECK_EQUAL(fused({f.in({4, 3}), f.in({1, 3})}, "t0=mul(i0,i1);o0=t0;o1=i0"), "f32[4,3]");
  BOOST_CHECK_EQUAL(fused({f.in({4, 3}), f.in({1, 3})}, "t0=neg(i1);t1=mul(i0,i1);o0=t0"),
                    "operand-shape: fused_ewise: output has shape [1,3], expected [4,3]");
  BOOST_CHECK_EQUAL(fused({f.in({4, 3})}, "t0=mul(i0,i1);o0=t0"),
                    "internal: fused_ewise: 1 operands, the program uses 2");
  BOOST_CHECK_EQUAL(fused({f.in({4, 3}), f.in({4, 2})}, "t0=mul(i0,i1);o0=t0"),
                    "broadcast-extents: fused_ewise: extents 3 and 2 differ in dim 1 of [4,3] and [4,2]");
}
