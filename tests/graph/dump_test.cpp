// Dumps: hand-written text parses to the graph it says, every graph prints to text that parses back,
// and malformed text is refused with its line.
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "graph/dot.hpp"
#include "graph/parser.hpp"
#include "graph/printer.hpp"

using namespace lbann;
using graph::Graph;
using graph::Phase;

namespace {

const char* const sample =
    R"(graph "train"
origin 1 "conv1" kind="convolution" at="exp.prototext":41:3-45:4
origin 2 "bn 1" kind="batch_normalization"
%0:f32[256,1,28,28]:abcd:"images" = input {name="images"} phase=forward origin=<model>
%1:f32[64,1,5,5]:abcd:"conv1_kernel" = weight {name="conv1_kernel", role="weight"} phase=forward origin=conv1
%3:f32[256,64,14,14]:aBcd16b = conv %0, %1 {dilations=[1,1], groups=1, pads=[2,2], strides=[2,2]} phase=forward origin=conv1 kernel=dnnl.conv scratch=4096 alias=[-1]
%4:f32[64]:a, %5:f32[64]:a = norm_stats %3 phase=backward origin="bn 1" scratch<=12
%9:f32[256,64,14,14]@S0:aBcd16b = ewise %3 {a=-0.5, fn="scale"} phase=update origin=conv1
output "objective" %9
assign %1 <- %9
)";

Graph make_graph_with(graph::Attrs attrs) {
  Graph g;
  g.name = "g";
  g.add_node("op", {}, {tensor::TensorSpec{tensor::DataType::f32, {2}, {}}}, std::move(attrs), 0,
             Phase::forward);
  return g;
}

double round_trip(double v) {
  const Graph g = graph::parse_graph(graph::print_graph(make_graph_with({{"v", v}})));
  return g.nodes.at(0).attrs.get_real("v");
}

std::string refusal(const std::string& text) {
  try {
    graph::parse_graph(text, "dump");
  } catch (const base::Error& e) {
    BOOST_CHECK(e.code() == base::ExitCode::config);
    return e.what();
  }
  return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_CASE(hand_written_dump_parses) {
  const Graph g = graph::parse_graph(sample);
  BOOST_CHECK_EQUAL(g.name, "train");
  BOOST_REQUIRE_EQUAL(g.nodes.size(), 5u);
  BOOST_REQUIRE_EQUAL(g.values.size(), 10u);
  BOOST_REQUIRE_EQUAL(g.origins.size(), 3u);
  BOOST_CHECK_EQUAL(g.origins[0].layer, "<model>");
  BOOST_CHECK_EQUAL(g.origins[1].kind, "convolution");
  BOOST_CHECK_EQUAL(g.origins[1].span.file, "exp.prototext");
  BOOST_CHECK_EQUAL(g.origins[1].span.line, 41);
  BOOST_CHECK_EQUAL(g.origins[1].span.end_column, 4);
  BOOST_CHECK(!g.origins[2].span.known());

  BOOST_CHECK_EQUAL(g.value(0).name, "images");
  BOOST_CHECK_EQUAL(g.node(0).attrs.get_text("name"), "images");
  const graph::Node& conv = g.node(2);
  BOOST_CHECK_EQUAL(conv.op, "conv");
  BOOST_CHECK((conv.inputs == std::vector<int>{0, 1}));
  BOOST_CHECK((conv.attrs.get_ints("pads") == std::vector<std::int64_t>{2, 2}));
  BOOST_CHECK_EQUAL(conv.attrs.get_int("groups"), 1);
  BOOST_CHECK_EQUAL(conv.kernel, "dnnl.conv");
  BOOST_CHECK_EQUAL(conv.scratch_bytes, 4096);
  BOOST_CHECK(conv.scratch_exact);
  BOOST_CHECK((conv.may_alias == std::vector<int>{-1}));
  BOOST_CHECK_EQUAL(conv.origin, 1);
  BOOST_CHECK((g.shape(3) == tensor::Shape{256, 64, 14, 14}));
  BOOST_CHECK_EQUAL(g.value(3).layout.tag(), "aBcd16b");
  BOOST_CHECK_EQUAL(g.value(3).producer, 2);

  const graph::Node& stats = g.node(3);
  BOOST_CHECK((stats.outputs == std::vector<int>{4, 5}));
  BOOST_CHECK_EQUAL(g.value(5).output, 1);
  BOOST_CHECK_EQUAL(stats.origin, 2);
  BOOST_CHECK(stats.phase == Phase::backward);
  BOOST_CHECK_EQUAL(stats.scratch_bytes, 12);
  BOOST_CHECK(!stats.scratch_exact);

  BOOST_CHECK(g.node(4).phase == Phase::update);
  BOOST_CHECK_EQUAL(g.node(4).attrs.get_real("a"), -0.5);
  BOOST_CHECK(g.value(9).spec.placement == tensor::Placement::sharded(0));
  BOOST_CHECK_EQUAL(g.value(7).producer, graph::none);
  BOOST_REQUIRE_EQUAL(g.outputs.size(), 1u);
  BOOST_CHECK_EQUAL(g.outputs[0].name, "objective");
  BOOST_REQUIRE_EQUAL(g.assignments.size(), 1u);
  BOOST_CHECK_EQUAL(g.assignments[0].target, 1);
  BOOST_CHECK_EQUAL(g.assignments[0].value, 9);
}

BOOST_AUTO_TEST_CASE(printing_gives_the_text_back) {
  BOOST_CHECK_EQUAL(graph::print_graph(graph::parse_graph(sample)), sample);
}

BOOST_AUTO_TEST_CASE(comments_blanks_and_order_of_origins_do_not_matter) {
  const Graph g = graph::parse_graph(
      "; a comment\n\n  graph \"x\"\n  %0:f32[]:- = input {name=\"a\"} phase=forward origin=late\n"
      "; another\norigin 1 \"late\" kind=\"k\"\n");
  BOOST_CHECK_EQUAL(g.node(0).origin, 1);
  BOOST_CHECK_EQUAL(g.value(0).spec.shape.rank(), 0);
  BOOST_CHECK_EQUAL(g.value(0).layout.rank(), 0);
}

BOOST_AUTO_TEST_CASE(real_attributes_keep_every_bit) {
  using limits = std::numeric_limits<double>;
  for (double v :
       {0.0, -0.0, 1.0, -3.0, 0.1, 1.0 / 3.0, 1e300, limits::min(), limits::denorm_min(), limits::max(),
        limits::lowest(), limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN(),
        std::bit_cast<double>(std::uint64_t{0x7ff8000000001234}), 9007199254740993.0, 123456789012345678.0}) {
    BOOST_CHECK_EQUAL(std::bit_cast<std::uint64_t>(round_trip(v)), std::bit_cast<std::uint64_t>(v));
  }
}

BOOST_AUTO_TEST_CASE(attributes_keep_type_and_content) {
  const graph::Attrs attrs{{"int", std::int64_t{-9223372036854775807 - 1}},
                           {"real", 2.0},
                           {"text", std::string("a \"quoted\"\n\t\\ \xc3\xa9, {x=1} = %0")},
                           {"empty", std::string()},
                           {"none", std::vector<std::int64_t>{}},
                           {"list", std::vector<std::int64_t>{-1, 0, 7}}};
  const Graph g = graph::parse_graph(graph::print_graph(make_graph_with(attrs)));
  BOOST_CHECK(g.nodes.at(0).attrs == attrs);
}

BOOST_AUTO_TEST_CASE(names_of_any_kind_survive) {
  Graph g = make_graph_with({});
  g.name = "quote \" and \\ and \n";
  g.add_origin({"twice", "a", {}});
  g.add_origin({"twice", "b", {"dir/x \"y\".prototext", 3, 1, 3, 9}});
  g.add_origin({"#3", "", {}});
  g.add_origin({"", "", {}});
  const tensor::TensorSpec spec{tensor::DataType::i64, {}, {}};
  for (int origin : {1, 2, 3, 4}) g.add_node("op", {0}, {spec}, {}, origin, Phase::forward);
  g.value(2).name = "a \"name\":with %1 = x";
  const Graph h = graph::parse_graph(graph::print_graph(g));
  BOOST_CHECK_EQUAL(h.name, g.name);
  for (int i = 0; i < 5; ++i) BOOST_CHECK_EQUAL(h.node(i).origin, i);
  BOOST_CHECK_EQUAL(h.origins[2].span.file, "dir/x \"y\".prototext");
  BOOST_CHECK_EQUAL(h.origins[2].span.end_column, 9);
  BOOST_CHECK_EQUAL(h.value(2).name, g.value(2).name);
  BOOST_CHECK_EQUAL(graph::print_graph(h), graph::print_graph(g));
}

BOOST_AUTO_TEST_CASE(dead_nodes_are_left_out_and_ids_stay) {
  Graph g = make_graph_with({});
  const tensor::TensorSpec spec{tensor::DataType::f32, {2}, {}};
  g.add_node("dropped", {0}, {spec, spec}, {}, 0, Phase::forward);
  g.add_node("kept", {0}, {spec}, {}, 0, Phase::forward);
  g.node(1).dead = true;
  const Graph h = graph::parse_graph(graph::print_graph(g));
  BOOST_REQUIRE_EQUAL(h.nodes.size(), 2u);
  BOOST_CHECK_EQUAL(h.node(1).op, "kept");
  BOOST_CHECK_EQUAL(h.node(1).outputs.at(0), 3);
  BOOST_CHECK_EQUAL(h.value(1).producer, graph::none);
}

BOOST_AUTO_TEST_CASE(malformed_text_is_refused_with_its_place) {
  const auto line = [](const std::string& node) { return refusal("graph \"g\"\n" + node + "\n"); };
  BOOST_CHECK_EQUAL(refusal(""), "dump:1:1: 'graph' expected");
  BOOST_CHECK_EQUAL(refusal("\n; only a comment\n"), "dump:3:1: 'graph' expected");
  BOOST_CHECK_EQUAL(refusal("grph \"g\"\n"), "dump:1:1: 'graph ' expected");
  BOOST_CHECK_EQUAL(refusal("graph \"g"), "dump:1:9: closing '\"' missing");
  BOOST_CHECK_EQUAL(line("%0:f33[1]:a = x phase=forward origin=<model>"), "dump:2:7: unknown type 'f33'");
  BOOST_CHECK_EQUAL(line("%0:f32[1:a = x"), "dump:2:9: ']' expected");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:ac = x"), "dump:2:13: malformed layout tag 'ac'");
  BOOST_CHECK_EQUAL(line("%0:f32[1]@Q:a = x"), "dump:2:12: malformed placement 'Q'");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x %7"), "dump:2:1: value %7 is not defined");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a, %0:f32[1]:a = x"), "dump:2:16: value %0 is defined twice");
  BOOST_CHECK_EQUAL(line("%999999999:f32[1]:a = x"), "dump:2:11: value id 999999999 out of range");
  BOOST_CHECK_EQUAL(line("%99999999999999999999:f32[1]:a = x"), "dump:2:2: number out of range");
  BOOST_CHECK_EQUAL(line("%-1:f32[1]:a = x"), "dump:2:4: value id -1 out of range");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x {k=1.2.3}"), "dump:2:25: malformed number '1.2.3'");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x {k=1, k=2}"), "dump:2:25: attribute 'k' stands twice");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x {k=1"), "dump:2:21: '}' expected");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x phase=sideways"), "dump:2:31: unknown phase 'sideways'");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x color=red"), "dump:2:23: unknown field 'color'");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x origin=nobody"), "dump:2:24: unknown origin 'nobody'");
  BOOST_CHECK_EQUAL(line("%0:f32[1]:a = x origin=#5"), "dump:2:24: unknown origin '#5'");
  BOOST_CHECK_EQUAL(line("origin 3 \"x\" kind=\"\""), "dump:2:9: origins out of order");
  BOOST_CHECK_EQUAL(line("output \"o\" %0"), "dump:2:1: value %0 is not defined");
  BOOST_CHECK_EQUAL(line("assign %0 %1"), "dump:2:11: '<-' expected");
}

// Any cut or changed byte of a dump parses or is refused; it never crashes.
BOOST_AUTO_TEST_CASE(damaged_dumps_are_harmless) {
  const std::string text = sample;
  int refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'\0', '%', '"', '9', '{', ',', '\n', '\xff'}) {
      std::string damaged = text;
      damaged[i] = c;
      if (refusal(damaged) != "accepted") ++refused;
    }
    if (refusal(text.substr(0, i)) != "accepted") ++refused;
  }
  BOOST_CHECK_GT(refused, 1000);
}

BOOST_AUTO_TEST_CASE(dot_names_every_node_and_edge) {
  const std::string text = graph::print_dot(graph::parse_graph(sample));
  BOOST_CHECK(text.starts_with("digraph \"train\" {\n"));
  BOOST_CHECK(text.ends_with("}\n"));
  BOOST_CHECK_NE(text.find("n2 [label=\"conv | conv1 | dnnl.conv\", fillcolor=lightblue]"),
                 std::string::npos);
  BOOST_CHECK_NE(text.find("n1 -> n2 [label=\"f32[64,1,5,5]\"]"), std::string::npos);
  BOOST_CHECK_NE(text.find("out0 [label=\"objective\""), std::string::npos);
  BOOST_CHECK_NE(text.find("n4 -> n1 [style=dashed"), std::string::npos);
}
