// The library's convolutions against seven nested loops in double. The values are multiples of 1/8
// with few bits, so every sum is exact in f32 and results must be equal, whatever the order.
#include <boost/test/unit_test.hpp>

#include "dnnl_test_support.hpp"
#include "kernels/cpu/direct_conv.hpp"

using namespace dnnl_test;

namespace {

struct Problem {
  std::int64_t n, c, k;
  Ints in, window, strides, pads, dilations;
  std::int64_t groups;
  bool bias, relu;

  Ints out() const {
    Ints o;
    for (std::size_t i = 0; i < in.size(); ++i) {
      o.push_back((in[i] + 2 * pads[i] - (window[i] - 1) * dilations[i] - 1) / strides[i] + 1);
    }
    return o;
  }
  static Shape shape(std::int64_t a, std::int64_t b, const Ints& spatial) {
    Ints dims{a, b};
    dims.insert(dims.end(), spatial.begin(), spatial.end());
    return Shape(dims);
  }
  Shape x() const { return shape(n, c, in); }
  Shape w() const { return shape(k, c / groups, window); }
  Shape y() const { return shape(n, k, out()); }
  Attrs attrs() const {
    return {{"strides", strides}, {"pads", pads}, {"dilations", dilations}, {"groups", groups}};
  }
};

std::int64_t flat(const Shape& s, const Ints& index) {
  std::int64_t at = 0;
  for (int d = 0; d < s.rank(); ++d) at = at * s[d] + index[static_cast<std::size_t>(d)];
  return at;
}

// Calls visit(x index, w index, y index), all flat, for every product of the cross-correlation.
template <class Visit>
void for_each_product(const Problem& p, Visit visit) {
  const Shape x = p.x(), w = p.w(), y = p.y();
  const std::int64_t k_per_group = p.k / p.groups, c_per_group = p.c / p.groups;
  for_each_index(y, [&](std::int64_t iy, const Ints& o) {
    for_each_index(w, [&](std::int64_t iw, const Ints& t) {
      if (t[0] != o[1]) return;
      Ints at{o[0], o[1] / k_per_group * c_per_group + t[1]};
      for (std::size_t d = 0; d < p.in.size(); ++d) {
        const std::int64_t i = o[d + 2] * p.strides[d] - p.pads[d] + t[d + 2] * p.dilations[d];
        if (i < 0 || i >= p.in[d]) return;
        at.push_back(i);
      }
      visit(flat(x, at), iw, iy);
    });
  });
}

template <class A>
double& at(A& a, std::int64_t i) {
  return a[static_cast<std::size_t>(i)];
}

const std::vector<Problem>& problems() {
  static const std::vector<Problem> list{
      {3, 1, 20, {9, 8}, {5, 5}, {1, 1}, {2, 2}, {1, 1}, 1, true, true},
      {1, 3, 17, {11, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 1, false, false},
      {3, 10, 16, {7, 7}, {3, 2}, {1, 2}, {1, 0}, {1, 1}, 1, true, false},
      {3, 20, 10, {6, 5}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1, true, true},
      {1, 17, 20, {9, 9}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, 1, false, true},
      {3, 16, 32, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, true, true},
      {1, 20, 20, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 20, true, false},
      {3, 32, 64, {5, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 2, true, false},
      {1, 10, 20, {5, 5}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 5, false, false},
      {3, 10, 17, {12}, {3}, {2}, {1}, {1}, 1, true, true},
      {1, 3, 20, {6, 5, 4}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1, true, false},
      {3, 17, 3, {4, 4, 4}, {2, 3, 1}, {2, 1, 1}, {0, 1, 0}, {1, 1, 1}, 1, false, true},
  };
  return list;
}

// Activation layouts worth pinning; the empty one lets the library choose.
std::vector<Layout> activation_layouts(int rank) {
  return {{},
          Layout::plain(rank),
          Layout::channels_last(rank),
          Layout::blocked_channels(rank, 16),
          Layout::blocked_channels(rank, 8)};
}

// Runs `kernel` in every pair of layouts that the library offers and compares; returns how many ran.
int check_layouts(Case& c, const std::string& kernel, std::size_t in, const std::vector<Logical>& expected,
                  int other_input) {
  int ran = 0;
  const int rank = c.g.shape(c.g.node(c.node).inputs[0]).rank();
  for (const Layout& first : activation_layouts(rank)) {
    for (const Layout& second : activation_layouts(rank)) {
      std::vector<Layout> inputs(c.g.node(c.node).inputs.size()), outputs(1);
      inputs[in] = first;
      (other_input >= 0 ? inputs[static_cast<std::size_t>(other_input)] : outputs[0]) = second;
      const auto op = offer(c, kernel, inputs, outputs);
      if (!op) continue;
      BOOST_REQUIRE(op->implementation.find("ref") == std::string::npos);
      BOOST_TEST_CONTEXT(kernel << " " << op->implementation << " " << op->inputs[0].tag() << ","
                                << op->inputs[1].tag() << "->" << op->outputs[0].tag()) {
        const auto got = run(c, kernel, *op);
        for (std::size_t o = 0; o < expected.size(); ++o) check_equal(got[o], expected[o]);
      }
      ++ran;
    }
  }
  return ran;
}

}  // namespace

BOOST_AUTO_TEST_CASE(conv_equals_loops) {
  for (const Problem& p : problems()) {
    std::vector<Shape> in{p.x(), p.w()};
    if (p.bias) in.push_back({p.k});
    Attrs attrs = p.attrs();
    attrs.set("act", p.relu ? "relu" : "");
    Case c = make_case("conv", in, {p.y()}, attrs);
    const std::int64_t plane = p.y().num_elements() / p.n / p.k;
    Logical y(static_cast<std::size_t>(p.y().num_elements()), 0.0);
    for_each_product(
        p, [&](auto ix, auto iw, auto iy) { at(y, iy) += at(c.inputs[0], ix) * at(c.inputs[1], iw); });
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (p.bias) y[i] += c.inputs[2][i / static_cast<std::size_t>(plane) % static_cast<std::size_t>(p.k)];
      if (p.relu) y[i] = std::max(y[i], 0.0);
    }
    BOOST_TEST_CONTEXT("x " << p.x().to_string() << " w " << p.w().to_string()) {
      BOOST_CHECK_GT(check_layouts(c, "dnnl.conv", 0, {y}, -1), 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(conv_bwd_data_equals_loops) {
  int ran = 0;
  for (const Problem& p : problems()) {
    Attrs attrs = p.attrs();
    attrs.set("input_dims", p.x().dims());
    Case c = make_case("conv_bwd_data", {p.y(), p.w()}, {p.x()}, attrs);
    Logical dx(static_cast<std::size_t>(p.x().num_elements()), 0.0);
    for_each_product(
        p, [&](auto ix, auto iw, auto iy) { at(dx, ix) += at(c.inputs[0], iy) * at(c.inputs[1], iw); });
    BOOST_TEST_CONTEXT("x " << p.x().to_string() << " w " << p.w().to_string()) {
      ran += check_layouts(c, "dnnl.conv_bwd_data", 0, {dx}, -1);
    }
  }
  BOOST_CHECK_GT(ran, 20);
}

BOOST_AUTO_TEST_CASE(conv_bwd_weights_equals_loops) {
  int ran = 0;
  for (const Problem& p : problems()) {
    Attrs attrs = p.attrs();
    attrs.set("kernel_dims", p.window);
    attrs.set("bias", std::int64_t{p.bias});
    std::vector<Shape> out{p.w()};
    if (p.bias) out.push_back({p.k});
    Case c = make_case("conv_bwd_weights", {p.x(), p.y()}, out, attrs);
    std::vector<Logical> expected{Logical(static_cast<std::size_t>(p.w().num_elements()), 0.0)};
    for_each_product(p, [&](auto ix, auto iw, auto iy) {
      at(expected[0], iw) += at(c.inputs[0], ix) * at(c.inputs[1], iy);
    });
    if (p.bias) {
      expected.emplace_back(static_cast<std::size_t>(p.k), 0.0);
      for_each_index(p.y(),
                     [&](std::int64_t i, const Ints& o) { at(expected[1], o[1]) += at(c.inputs[1], i); });
    }
    BOOST_TEST_CONTEXT("x " << p.x().to_string() << " w " << p.w().to_string()) {
      ran += check_layouts(c, "dnnl.conv_bwd_weights", 0, expected, 1);
    }
  }
  BOOST_CHECK_GT(ran, 20);
}

BOOST_AUTO_TEST_CASE(direct_conv_bwd_data_equals_loops) {
  const std::vector<Problem> list{
      {3, 6, 16, {12, 12}, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, false, false},
      {1, 1, 6, {9, 8}, {5, 5}, {1, 1}, {2, 2}, {1, 1}, 1, false, false},
      {2, 3, 10, {9, 7}, {3, 3}, {2, 1}, {1, 1}, {1, 1}, 1, false, false},
      {3, 12, 1, {6, 7}, {5, 5}, {1, 2}, {0, 1}, {1, 1}, 1, false, false},
      {1, 17, 16, {6, 6}, {3, 3}, {1, 1}, {1, 0}, {1, 1}, 1, false, false},
  };
  const Layout last = Layout::channels_last(4), w = Layout::from_tag("Acdb16a");
  for (const Problem& p : list) {
    for (const Layout& y : {last, Layout::blocked_channels(4, 16)}) {
      for (const bool with_nan : {false, true}) {
        Attrs attrs = p.attrs();
        attrs.set("input_dims", p.x().dims());
        Case c = make_case("conv_bwd_data", {p.y(), p.w()}, {p.x()}, attrs);
        if (with_nan)
          c.inputs[0][c.inputs[0].size() / 2] = std::nan("");  // reaches its window and no further
        Logical dx(static_cast<std::size_t>(p.x().num_elements()), 0.0);
        for_each_product(
            p, [&](auto ix, auto iw, auto iy) { at(dx, ix) += at(c.inputs[0], iy) * at(c.inputs[1], iw); });
        const auto found = lbann::kernels::cpu::try_direct_conv(c.g, c.g.node(c.node), {y, w}, {last});
        if (!found) continue;  // no AVX-512
        lbann::kernels::cpu::DnnlOp op;
        op.inputs = {y, w};
        op.outputs = {last};
        op.scratch_bytes = found->scratch_bytes;
        BOOST_TEST_CONTEXT("x " << p.x().to_string() << " w " << p.w().to_string() << " " << y.tag()) {
          check_equal(run(c, "direct.conv_bwd_data", op)[0], dx);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(shallow_volumes_do_not_read_their_neighbours) {
  // The library's jit kernel reads behind x here; NaN stands around our buffers.
  const Problem p{2, 3, 32, {6, 4, 4}, {7, 3, 3}, {2, 1, 1}, {3, 1, 1}, {1, 1, 1}, 1, false, false};
  Attrs attrs = p.attrs();
  attrs.set("kernel_dims", p.window);
  attrs.set("bias", std::int64_t{0});
  Case c = make_case("conv_bwd_weights", {p.x(), p.y()}, {p.w()}, attrs);
  Logical dw(static_cast<std::size_t>(p.w().num_elements()), 0.0);
  for_each_product(
      p, [&](auto ix, auto iw, auto iy) { at(dw, iw) += at(c.inputs[0], ix) * at(c.inputs[1], iy); });
  BOOST_CHECK_GT(check_layouts(c, "dnnl.conv_bwd_weights", 0, {dw}, 1), 0);
}

BOOST_AUTO_TEST_CASE(fused_relu_keeps_nan) {
  const Problem p{1, 3, 16, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, false, true};
  Attrs attrs = p.attrs();
  attrs.set("act", "relu");
  Case c = make_case("conv", {p.x(), p.w()}, {p.y()}, attrs);
  c.inputs[1][0] = std::nan("");  // one tap of channel 0
  const auto op = offer(c, "dnnl.conv");
  BOOST_REQUIRE(op);
  const Logical y = run(c, "dnnl.conv", *op)[0];
  BOOST_CHECK(std::isnan(y[14]));
  for (std::size_t i = 36; i < y.size(); ++i) BOOST_REQUIRE(y[i] >= 0);
}

BOOST_AUTO_TEST_CASE(only_f32_is_offered) {
  const Problem p{1, 3, 16, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, false, false};
  Case c = make_case("conv", {p.x(), p.w()}, {p.y()}, p.attrs());
  for (auto& v : c.g.values) v.spec.type = DataType::f64;
  BOOST_CHECK(!offer(c, "dnnl.conv"));
}
