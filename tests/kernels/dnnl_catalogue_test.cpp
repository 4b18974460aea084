// Properties of the CPU catalogue: every offer can be made as offered, the naive kernel closes every
// list, the library's reference implementations never appear, and the kernels of a convolution or a
// dense layer agree on the weights.
#include <omp.h>

#include <array>

#include <boost/test/unit_test.hpp>

#include "dnnl_test_support.hpp"
#include "kernels/cpu/catalogue.hpp"

using namespace dnnl_test;
using lbann::graph::NodeId;
using lbann::graph::ValueId;
using lbann::passes::KernelCandidate;
using lbann::passes::SelectContext;

namespace {

using Candidates = std::vector<KernelCandidate>;

Candidates ask(const lbann::passes::KernelCatalogue& catalogue, const Graph& g, NodeId id,
               std::vector<Layout> inputs = {}, std::vector<Layout> wanted = {}) {
  SelectContext ctx{g, id, std::move(inputs), std::move(wanted)};
  for (std::size_t i = ctx.inputs.size(); i < g.node(id).inputs.size(); ++i) {
    ctx.inputs.push_back(g.value(g.node(id).inputs[i]).layout);
  }
  ctx.wanted_outputs.resize(g.node(id).outputs.size());
  return catalogue.candidates(ctx);
}

// Every candidate is complete and can be made, under the number of threads it was offered for.
void check_candidates(const lbann::passes::KernelCatalogue& catalogue, const Candidates& list, Graph g,
                      NodeId id) {
  omp_set_num_threads(catalogue.machine().threads);
  auto& n = g.node(id);
  BOOST_REQUIRE(!list.empty());
  BOOST_CHECK(list.back().kernel == "view" || list.back().kernel == "ref." + n.op);
  for (const KernelCandidate& c : list) {
    BOOST_TEST_CONTEXT(n.op << " by " << c.kernel) {
      BOOST_REQUIRE_EQUAL(c.inputs.size(), n.inputs.size());
      BOOST_REQUIRE_EQUAL(c.outputs.size(), n.outputs.size());
      BOOST_REQUIRE_EQUAL(c.may_alias.size(), n.outputs.size());
      for (std::size_t i = 0; i < n.inputs.size(); ++i) {
        BOOST_REQUIRE_EQUAL(c.inputs[i].rank(), g.shape(n.inputs[i]).rank());
        g.value(n.inputs[i]).layout = c.inputs[i];
      }
      for (std::size_t o = 0; o < n.outputs.size(); ++o) {
        BOOST_REQUIRE_EQUAL(c.outputs[o].rank(), g.shape(n.outputs[o]).rank());
        g.value(n.outputs[o]).layout = c.outputs[o];
        if (c.may_alias[o] >= 0) {
          const auto i = static_cast<std::size_t>(c.may_alias[o]);
          BOOST_CHECK(c.inputs[i] == c.outputs[o]);
          BOOST_CHECK(g.value(n.inputs[i]).spec == g.value(n.outputs[o]).spec);
        }
      }
      BOOST_CHECK_GE(c.estimated_ms, 0);
      BOOST_CHECK_LE(c.estimated_ms, list.back().estimated_ms);
      n.kernel = c.kernel;
      n.scratch_bytes = c.scratch_bytes;
      if (c.kernel.starts_with("dnnl.")) BOOST_CHECK_NO_THROW(lbann::kernels::make_dnnl_kernel(g, id));
    }
  }
}

struct ConvGraph {
  Graph g;
  NodeId forward, data, weights;
};

// x, w inputs; y = conv; dx and dw from a given dy.
ConvGraph make_conv_graph(const Shape& x, const Shape& w, const Shape& y, std::int64_t stride,
                          std::int64_t pad) {
  ConvGraph c;
  const auto input = [&](const char* op, const Shape& s) {
    return c.g.node(c.g.add_node(op, {}, {TensorSpec{DataType::f32, s}}, {}, 0, {})).outputs[0];
  };
  const ValueId vx = input("input", x), vw = input("weight", w), vdy = input("input", y);
  const Attrs attrs{{"strides", Ints{stride, stride}},
                    {"pads", Ints{pad, pad}},
                    {"dilations", Ints{1, 1}},
                    {"groups", std::int64_t{1}}};
  c.forward = c.g.add_node("conv", {vx, vw}, {TensorSpec{DataType::f32, y}}, attrs, 0, {});
  Attrs data = attrs, weights = attrs;
  data.set("input_dims", x.dims());
  weights.set("kernel_dims", w.dims());
  c.data = c.g.add_node("conv_bwd_data", {vdy, vw}, {TensorSpec{DataType::f32, x}}, data, 0, {});
  c.weights = c.g.add_node("conv_bwd_weights", {vx, vdy}, {TensorSpec{DataType::f32, w}}, weights, 0, {});
  return c;
}

const KernelCandidate* find(const Candidates& list, const std::string& kernel, const Layout& first_output) {
  for (const KernelCandidate& c : list) {
    if (c.kernel == kernel && c.outputs[0] == first_output) return &c;
  }
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_CASE(convolutions_and_their_twins_are_offered) {
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(2);
  for (const std::int64_t channels : {1, 3, 10, 17, 20, 64}) {
    for (const std::int64_t filters : {1, 6, 16, 50}) {
      const ConvGraph c =
          make_conv_graph({3, channels, 9, 8}, {filters, channels, 3, 3}, {3, filters, 9, 8}, 1, 1);
      const Candidates forward = ask(*catalogue, c.g, c.forward, {Layout::plain(4), Layout{}});
      check_candidates(*catalogue, forward, c.g, c.forward);
      BOOST_REQUIRE_GT(forward.size(), 1U);
      const KernelCandidate& best = forward[0];
      // The weight is now the forward kernel's; its gradient can come out just so, or in another layout.
      const Candidates weights =
          ask(*catalogue, c.g, c.weights, {best.inputs[0], best.outputs[0]}, {best.inputs[1]});
      check_candidates(*catalogue, weights, c.g, c.weights);
      BOOST_CHECK_GT(weights.size(), 1U);
      const Candidates data = ask(*catalogue, c.g, c.data, {best.outputs[0], best.inputs[1]});
      check_candidates(*catalogue, data, c.g, c.data);
      BOOST_CHECK_GT(data.size(), 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_full_block_convolution_stays_blocked_and_keeps_its_weights) {
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(1);
  if (catalogue->machine().isa != "avx512_core") return;
  const ConvGraph c = make_conv_graph({4, 64, 14, 14}, {64, 64, 3, 3}, {4, 64, 14, 14}, 1, 1);
  const Layout blocked = Layout::blocked_channels(4, 16);
  const KernelCandidate best = ask(*catalogue, c.g, c.forward, {blocked, Layout{}})[0];
  BOOST_CHECK_EQUAL(best.kernel, "dnnl.conv");
  BOOST_CHECK_EQUAL(best.outputs[0].tag(), "aBcd16b");
  const KernelCandidate grad = ask(*catalogue, c.g, c.weights, {blocked, blocked}, {best.inputs[1]})[0];
  BOOST_CHECK_EQUAL(grad.outputs[0].tag(), best.inputs[1].tag());
}

BOOST_AUTO_TEST_CASE(the_first_convolution_of_the_digits_network_writes_blocks) {
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(1);
  if (catalogue->machine().isa != "avx512_core") return;
  ConvGraph c = make_conv_graph({256, 1, 28, 28}, {64, 1, 5, 5}, {256, 64, 14, 14}, 2, 2);
  c.g.node(c.data).dead = true;
  const KernelCandidate best = ask(*catalogue, c.g, c.forward, {Layout::plain(4), Layout{}})[0];
  BOOST_CHECK_EQUAL(best.inputs[0].tag(), "abcd");
  BOOST_CHECK_EQUAL(best.outputs[0].tag(), "aBcd16b");
}

BOOST_AUTO_TEST_CASE(dense_layers_keep_one_packed_weight) {
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(1);
  const Layout plain = Layout::plain(2);
  for (const auto& [m, in, out] : std::vector<std::array<std::int64_t, 3>>{
           {128, 784, 1024}, {128, 1024, 10}, {64, 256, 120}, {3, 17, 20}, {1, 3, 1}}) {
    Graph g;
    const auto input = [&](const Shape& s) {
      return g.node(g.add_node("input", {}, {TensorSpec{DataType::f32, s}}, {}, 0, {})).outputs[0];
    };
    const ValueId x = input({m, in}), w = input({in, out}), b = input({out}), dy = input({m, out});
    const auto product = [&](std::vector<ValueId> v, const Shape& s, std::int64_t ta, std::int64_t tb) {
      return g.add_node("matmul", v, {TensorSpec{DataType::f32, s}},
                        {{"ta", ta}, {"tb", tb}, {"act", std::string()}}, 0, {});
    };
    const NodeId y = product({x, w, b}, {m, out}, 0, 0), dx = product({dy, w}, {m, in}, 0, 1),
                 dw = product({x, dy}, {in, out}, 1, 0);
    BOOST_TEST_CONTEXT("x [" << m << "," << in << "] W [" << in << "," << out << "]") {
      const Candidates forward = ask(*catalogue, g, y, {plain, Layout{}});
      check_candidates(*catalogue, forward, g, y);
      const Layout packed = forward[0].inputs[1];
      const Candidates data = ask(*catalogue, g, dx, {plain, packed});
      check_candidates(*catalogue, data, g, dx);
      BOOST_CHECK(data[0].inputs[1] == packed);
      const Candidates weights = ask(*catalogue, g, dw, {plain, plain}, {packed});
      check_candidates(*catalogue, weights, g, dw);
      bool direct = false;
      for (const KernelCandidate& c : weights)
        direct |= c.outputs[0] == packed && !c.kernel.starts_with("ref.");
      BOOST_CHECK(direct);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_layout_asked_for_is_among_the_offers) {
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(2);
  Case reorder = make_case("reorder", {{3, 17, 4, 5}}, {{3, 17, 4, 5}}, {});
  for (const char* to : {"acdb", "aBcd16b", "abcd", "ABcd16b16a"}) {
    const Layout layout = Layout::from_tag(to);
    const Candidates list = ask(*catalogue, reorder.g, reorder.node, {Layout::plain(4)}, {layout});
    BOOST_CHECK(find(list, "ref.reorder", layout) != nullptr ||
                find(list, "dnnl.reorder", layout) != nullptr);
    BOOST_CHECK_EQUAL(list[0].kernel, "dnnl.reorder");
  }
}

BOOST_AUTO_TEST_CASE(other_types_get_only_the_naive_kernel) {
  const auto catalogue = lbann::kernels::cpu::make_cpu_catalogue(2);
  ConvGraph c = make_conv_graph({3, 4, 9, 8}, {5, 4, 3, 3}, {3, 5, 9, 8}, 1, 1);
  for (auto& v : c.g.values) v.spec.type = DataType::f64;
  for (const NodeId id : {c.forward, c.data, c.weights}) {
    const Candidates list = ask(*catalogue, c.g, id);
    BOOST_REQUIRE_EQUAL(list.size(), 1U);
    BOOST_CHECK_EQUAL(list[0].kernel, "ref." + c.g.node(id).op);
  }
  Case sum = make_case("ewise", {{3, 4}, {3, 4}}, {{3, 4}}, {{"fn", std::string("add")}});
  for (auto& v : sum.g.values) v.spec.type = DataType::f64;
  BOOST_CHECK_EQUAL(ask(*catalogue, sum.g, sum.node).size(), 1U);
}

BOOST_AUTO_TEST_CASE(asking_twice_gives_the_same_answer) {
  const ConvGraph c = make_conv_graph({3, 20, 9, 8}, {17, 20, 3, 3}, {3, 17, 9, 8}, 1, 1);
  const auto one = lbann::kernels::cpu::make_cpu_catalogue(2),
             two = lbann::kernels::cpu::make_cpu_catalogue(2);
  const Candidates a = ask(*one, c.g, c.forward), b = ask(*two, c.g, c.forward);
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_CHECK_EQUAL(a[i].kernel, b[i].kernel);
    BOOST_CHECK(a[i].inputs == b[i].inputs && a[i].outputs == b[i].outputs);
    BOOST_CHECK_EQUAL(a[i].scratch_bytes, b[i].scratch_bytes);
  }
}

BOOST_AUTO_TEST_CASE(winograd_is_offered_when_numerics_are_fast) {
  const auto exact = lbann::kernels::cpu::make_cpu_catalogue(1);
  const auto fast = lbann::kernels::cpu::make_cpu_catalogue({1, lbann::passes::Numerics::fast, nullptr});
  if (exact->machine().isa != "avx512_core") return;
  const ConvGraph c = make_conv_graph({4, 64, 28, 28}, {64, 64, 3, 3}, {4, 64, 28, 28}, 1, 1);
  const Layout blocked = Layout::blocked_channels(4, 16);
  const Candidates forward = ask(*fast, c.g, c.forward, {blocked, Layout{}});
  check_candidates(*fast, forward, c.g, c.forward);
  BOOST_CHECK_EQUAL(forward[0].kernel, "dnnl.conv_winograd");
  // All three share the weights: no reorder.
  const Layout w = forward[0].inputs[1];
  const Candidates data = ask(*fast, c.g, c.data, {blocked, w});
  check_candidates(*fast, data, c.g, c.data);
  BOOST_CHECK_EQUAL(data[0].kernel, "dnnl.conv_bwd_data_winograd");
  BOOST_CHECK_EQUAL(data[0].inputs[1].tag(), w.tag());
  const Candidates weights = ask(*fast, c.g, c.weights, {blocked, blocked}, {w});
  check_candidates(*fast, weights, c.g, c.weights);
  BOOST_CHECK_EQUAL(weights[0].kernel, "dnnl.conv_bwd_weights_winograd");
  BOOST_CHECK_EQUAL(weights[0].outputs[0].tag(), w.tag());
  for (const NodeId id : {c.forward, c.data, c.weights}) {
    for (const KernelCandidate& k : ask(*exact, c.g, id)) BOOST_CHECK(!k.kernel.ends_with("_winograd"));
  }
  // Strides: nothing to gain.
  const ConvGraph strided = make_conv_graph({4, 64, 28, 28}, {64, 64, 3, 3}, {4, 64, 14, 14}, 2, 1);
  for (const KernelCandidate& k : ask(*fast, strided.g, strided.forward))
    BOOST_CHECK(!k.kernel.ends_with("_winograd"));
}

BOOST_AUTO_TEST_CASE(times_of_a_table_decide) {
  const ConvGraph c = make_conv_graph({4, 64, 14, 14}, {64, 64, 3, 3}, {4, 64, 14, 14}, 1, 1);
  const Layout blocked = Layout::blocked_channels(4, 16), last = Layout::channels_last(4);
  const auto plain = lbann::kernels::cpu::make_cpu_catalogue(1);
  const auto& machine = plain->machine();
  if (machine.isa != "avx512_core") return;
  const auto best_y = [&](double blocked_us, double last_us) {
    auto table = std::make_shared<lbann::passes::KernelTable>();
    const auto asked = lbann::kernels::cpu::make_cpu_catalogue({1, lbann::passes::Numerics::exact, table});
    for (const KernelCandidate& k : ask(*asked, c.g, c.forward)) {
      if (k.kernel != "dnnl.conv") continue;
      const bool is_last = k.outputs[0] == last;
      table->set_us(machine, c.g, c.g.node(c.forward), k.kernel, {k.inputs[0], k.inputs[1], k.outputs[0]},
                    is_last                   ? last_us
                    : k.outputs[0] == blocked ? blocked_us
                                              : 1e6);
    }
    const auto made = lbann::kernels::cpu::make_cpu_catalogue({1, lbann::passes::Numerics::exact, table});
    return ask(*made, c.g, c.forward)[0].outputs[0].tag();
  };
  BOOST_CHECK_EQUAL(best_y(1, 9e5), "aBcd16b");
  BOOST_CHECK_EQUAL(best_y(9e5, 1), "acdb");
}
