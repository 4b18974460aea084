// Kernel tables: what is written reads back, what is wrong is named with its place, and a time counts only
// for the machine, the convolution, the kernel and the layouts it was measured with.
#include <boost/test/unit_test.hpp>

#include "base/diagnostic.hpp"
#include "passes/kernel_table.hpp"

namespace {

using namespace lbann;
using passes::ConvLayouts;
using passes::KernelTable;
using tensor::Layout;
using tensor::Shape;
using tensor::TensorSpec;

const passes::Machine machine{"avx512_core", 2, "oneDNN 2.6.3"};

struct Convolutions {
  graph::Graph g;
  graph::NodeId forward, data, weights;
};

Convolutions make_convolutions(std::int64_t batch = 4) {
  Convolutions c;
  const auto input = [&](const Shape& s) {
    const TensorSpec spec{tensor::DataType::f32, s};
    return c.g.node(c.g.add_node("input", {}, {spec}, {}, 0, graph::Phase::forward)).outputs[0];
  };
  const Shape x{batch, 16, 8, 8}, w{32, 16, 3, 3}, y{batch, 32, 8, 8};
  const auto vx = input(x), vw = input(w), vdy = input(y);
  using Ints = std::vector<std::int64_t>;
  graph::Attrs attrs{{"strides", Ints{1, 1}}, {"pads", Ints{1, 1}}, {"groups", std::int64_t{1}}};
  const auto add = [&](const char* op, graph::ValueId a, graph::ValueId b, const Shape& out) {
    return c.g.add_node(op, {a, b}, {{tensor::DataType::f32, out}}, attrs, 0, graph::Phase::forward);
  };
  c.forward = add("conv", vx, vw, y);
  c.data = add("conv_bwd_data", vdy, vw, x);
  c.weights = add("conv_bwd_weights", vx, vdy, w);
  return c;
}

const ConvLayouts blocked{Layout::blocked_channels(4, 16), Layout::from_tag("ABcd16b16a"),
                          Layout::blocked_channels(4, 16)};
const ConvLayouts last{Layout::channels_last(4), Layout::from_tag("ABcd16b16a"), Layout::channels_last(4)};

std::string message_of(std::string_view text) {
  try {
    KernelTable::parse(text, "t");
  } catch (const base::Error& e) {
    BOOST_CHECK(e.code() == base::ExitCode::config);
    return e.what();
  }
  return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_convolution_has_one_name_in_its_three_roles) {
  const Convolutions c = make_convolutions();
  const std::string shapes = " 4,16,8,8 32,16,3,3 1,1 1,1 1,1 1";
  BOOST_CHECK_EQUAL(passes::describe_conv(c.g, c.g.node(c.forward)), "conv" + shapes);
  BOOST_CHECK_EQUAL(passes::describe_conv(c.g, c.g.node(c.data)), "conv_bwd_data" + shapes);
  BOOST_CHECK_EQUAL(passes::describe_conv(c.g, c.g.node(c.weights)), "conv_bwd_weights" + shapes);
}

BOOST_AUTO_TEST_CASE(a_time_counts_for_what_it_was_measured_with) {
  const Convolutions c = make_convolutions(), other = make_convolutions(5);
  KernelTable t;
  t.set_us(machine, c.g, c.g.node(c.forward), "dnnl.conv", blocked, 12.34);
  const auto find = [&](const passes::Machine& m, const Convolutions& where, graph::NodeId id,
                        std::string_view kernel, const ConvLayouts& layouts) {
    return t.find_us(m, where.g, where.g.node(id), kernel, layouts);
  };
  BOOST_CHECK_EQUAL(find(machine, c, c.forward, "dnnl.conv", blocked).value(), 12.3);
  BOOST_CHECK(!find(machine, c, c.forward, "dnnl.conv", last));
  BOOST_CHECK(!find(machine, c, c.forward, "dnnl.conv_winograd", blocked));
  BOOST_CHECK(!find(machine, c, c.data, "dnnl.conv", blocked));
  BOOST_CHECK(!find(machine, other, other.forward, "dnnl.conv", blocked));
  BOOST_CHECK(!find({"avx2", 2, "oneDNN 2.6.3"}, c, c.forward, "dnnl.conv", blocked));
  BOOST_CHECK(!find({"avx512_core", 1, "oneDNN 2.6.3"}, c, c.forward, "dnnl.conv", blocked));
  BOOST_CHECK(!find({"avx512_core", 2, "oneDNN 2.7.0"}, c, c.forward, "dnnl.conv", blocked));
  BOOST_CHECK(t.knows(machine, c.g, c.g.node(c.forward)));
  BOOST_CHECK(!t.knows(machine, c.g, c.g.node(c.data)));
}

BOOST_AUTO_TEST_CASE(what_is_printed_reads_back) {
  const Convolutions c = make_convolutions(), other = make_convolutions(5);
  KernelTable t, more;
  t.set_us(machine, c.g, c.g.node(c.forward), "dnnl.conv", blocked, 1234567.89);
  t.set_us({"avx2", 4, "oneDNN 2.6.3"}, c.g, c.g.node(c.data), "dnnl.conv_bwd_data", last, 0.04);
  t.set_us(machine, other.g, other.g.node(other.weights), "dnnl.conv_bwd_weights", last, 7);
  const std::string text = t.print();
  BOOST_CHECK_EQUAL(KernelTable::parse(text, "t").print(), text);
  BOOST_CHECK_EQUAL(KernelTable::parse("# made by hand\n\n" + text + "   # end", "t").digest(), t.digest());
  BOOST_CHECK_EQUAL(t.num_times(), 3U);
  const KernelTable part = t.select(c.g);
  BOOST_CHECK_EQUAL(part.num_times(), 2U);
  BOOST_CHECK(part.digest() != t.digest());
  more.set_us(machine, c.g, c.g.node(c.forward), "dnnl.conv", blocked, 1);
  more.merge(t);
  BOOST_CHECK_EQUAL(more.print(), text);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_with_its_place) {
  const std::string head = "lbann-kernel-table 1\nmachine avx2 2 oneDNN 2.6.3\n";
  const std::string conv = "conv 4,16,8,8 32,16,3,3 1,1 1,1 1,1 1 ";
  BOOST_CHECK_EQUAL(message_of(head + conv + "dnnl.conv abcd abcd abcd 3.5\r\n"), "accepted");
  BOOST_CHECK_EQUAL(message_of(""), "t:1:1: a kernel table begins with 'lbann-kernel-table 1'");
  BOOST_CHECK_EQUAL(message_of("# x\nlbann-kernel-table 2"),
                    "t:2:1: a kernel table begins with 'lbann-kernel-table 1'");
  BOOST_CHECK_EQUAL(message_of("lbann-kernel-table 1\n" + conv), "t:2:1: no machine stands above this line");
  BOOST_CHECK_EQUAL(message_of(head + "pool 1"), "t:3:1: 'pool' is no convolution");
  BOOST_CHECK_EQUAL(message_of(head + conv + "dnnl.conv abcd abcd 3"),
                    "t:3:1: 12 words are needed, here are 11");
  BOOST_CHECK_EQUAL(message_of(head + conv + "dnnl.conv abcd abCd abcd 3"), "t:3:54: 'abCd' is no layout");
  BOOST_CHECK_EQUAL(message_of(head + conv + "dnnl.conv abcd abcd abcd -3"),
                    "t:3:64: '-3' is no time in microseconds");
  BOOST_CHECK_EQUAL(message_of(head + "conv 4,x,8,8 32,16,3,3 1,1 1,1 1,1 1 k abcd abcd abcd 3"),
                    "t:3:8: 'x' is no list of extents");
  BOOST_CHECK_EQUAL(message_of("lbann-kernel-table 1\nmachine avx2 0 oneDNN"),
                    "t:2:14: '0' is no number of threads");
  BOOST_CHECK_EQUAL(message_of("lbann-kernel-table 1\nmachine avx2"),
                    "t:2:1: a machine is an instruction set, threads and a library");
}
