// The library's matrix products, in all four guises and packed layouts, against a triple loop; and
// average pooling and reorders against loops. Values are chosen so that f32 sums are exact.
#include <array>

#include <boost/test/unit_test.hpp>

#include "dnnl_test_support.hpp"
#include "kernels/cpu/dnnl_engine.hpp"

using namespace dnnl_test;

namespace {

struct Product {
  std::int64_t m, n, k;
  bool ta, tb, bias, relu;
};

Case make_product(const Product& p) {
  std::vector<Shape> in{p.ta ? Shape{p.k, p.m} : Shape{p.m, p.k}, p.tb ? Shape{p.n, p.k} : Shape{p.k, p.n}};
  if (p.bias) in.push_back({p.n});
  return make_case(
      "matmul", in, {{p.m, p.n}},
      {{"ta", std::int64_t{p.ta}}, {"tb", std::int64_t{p.tb}}, {"act", std::string(p.relu ? "relu" : "")}});
}

Logical expected_product(const Product& p, const Case& c) {
  Logical y(static_cast<std::size_t>(p.m * p.n), 0.0);
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = p.bias ? c.inputs[2][static_cast<std::size_t>(j)] : 0.0;
      for (std::int64_t l = 0; l < p.k; ++l) {
        sum += c.inputs[0][static_cast<std::size_t>(p.ta ? l * p.m + i : i * p.k + l)] *
               c.inputs[1][static_cast<std::size_t>(p.tb ? j * p.k + l : l * p.n + j)];
      }
      y[static_cast<std::size_t>(i * p.n + j)] = p.relu ? std::max(sum, 0.0) : sum;
    }
  }
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(products_equal_a_triple_loop) {
  const Layout plain = Layout::plain(2);
  int ran = 0, packed = 0;
  for (const auto& [m, n, k] : std::vector<std::array<std::int64_t, 3>>{
           {3, 17, 20}, {1, 10, 64}, {64, 70, 33}, {3, 1, 5}, {20, 128, 96}, {1, 1, 1}, {17, 64, 300}}) {
    for (int bits = 0; bits < 16; ++bits) {
      const Product p{m, n, k, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
      Case c = make_product(p);
      const Logical y = expected_product(p, c);
      int here = 0;
      for (const char* kernel :
           {"dnnl.inner_product", "dnnl.inner_product_bwd_data", "dnnl.inner_product_bwd_weights",
            "dnnl.inner_product_bwd_weights_t", "dnnl.matmul"}) {
        // Activations are row-major; the packed operand (b, or the output as a gradient) is free.
        for (const bool free_b : {true, false}) {
          for (const bool free_y : {true, false}) {
            const auto op = offer(c, kernel, {plain, free_b ? Layout{} : plain, Layout::plain(1)},
                                  {free_y ? Layout{} : plain});
            if (!op) continue;
            packed += op->inputs[1].is_blocked() || op->outputs[0].is_blocked();
            BOOST_TEST_CONTEXT(kernel << " " << op->implementation << " m " << m << " n " << n << " k " << k
                                      << " ta " << p.ta << " tb " << p.tb << " " << op->inputs[1].tag()
                                      << "->" << op->outputs[0].tag()) {
              check_equal(run(c, kernel, *op)[0], y);
            }
            ++here;
          }
        }
      }
      BOOST_CHECK_GT(here, 0);
      ran += here;
    }
  }
  BOOST_TEST_MESSAGE(ran << " products, " << packed << " with packed operands");
  if (lbann::kernels::cpu::instruction_set() == "avx512_core") BOOST_CHECK_GT(packed, 10);
}

BOOST_AUTO_TEST_CASE(batched_product) {
  Case c = make_case("matmul", {{3, 2, 5, 7}, {3, 2, 7, 4}}, {{3, 2, 5, 4}},
                     {{"ta", std::int64_t{0}}, {"tb", std::int64_t{0}}, {"act", std::string()}});
  Logical y(120, 0.0);
  for (std::size_t b = 0; b < 6; ++b) {
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        for (std::size_t l = 0; l < 7; ++l) {
          y[b * 20 + i * 4 + j] += c.inputs[0][b * 35 + i * 7 + l] * c.inputs[1][b * 28 + l * 4 + j];
        }
      }
    }
  }
  const Layout plain = Layout::plain(4);
  const auto op = offer(c, "dnnl.matmul", {plain, plain}, {plain});
  BOOST_REQUIRE(op);
  check_equal(run(c, "dnnl.matmul", *op)[0], y);
  BOOST_CHECK(!offer(c, "dnnl.inner_product", {plain, plain}, {plain}));
}

BOOST_AUTO_TEST_CASE(average_pooling_equals_loops) {
  const std::int64_t n = 3, h = 7, w = 6, window = 3, stride = 2, pad = 1;
  const std::int64_t oh = (h + 2 * pad - window) / stride + 1, ow = (w + 2 * pad - window) / stride + 1;
  int ran = 0;
  for (const std::int64_t channels : {1, 3, 10, 16, 17, 20}) {
    const Shape x{n, channels, h, w}, y{n, channels, oh, ow};
    for (const std::string mode : {"avg", "avg_no_pad"}) {
      const Attrs attrs{{"mode", mode},
                        {"window", Ints{window, window}},
                        {"strides", Ints{stride, stride}},
                        {"pads", Ints{pad, pad}}};
      Case f = make_case("pool", {x}, {y}, attrs);
      Attrs back = attrs;
      back.set("input_dims", x.dims());
      Case b = make_case("pool_bwd", {y}, {x}, back);
      Logical expected_y(static_cast<std::size_t>(y.num_elements()), 0.0);
      Logical expected_dx(static_cast<std::size_t>(x.num_elements()), 0.0);
      for_each_index(y, [&](std::int64_t iy, const Ints& o) {
        std::vector<std::size_t> taps;
        for (std::int64_t i = 0; i < window * window; ++i) {
          const std::int64_t r = o[2] * stride - pad + i / window, s = o[3] * stride - pad + i % window;
          if (r >= 0 && r < h && s >= 0 && s < w) {
            taps.push_back(static_cast<std::size_t>(((o[0] * channels + o[1]) * h + r) * w + s));
          }
        }
        const double count = mode == "avg" ? window * window : static_cast<double>(taps.size());
        for (std::size_t t : taps) {
          expected_y[static_cast<std::size_t>(iy)] += f.inputs[0][t] / count;
          expected_dx[t] += b.inputs[0][static_cast<std::size_t>(iy)] / count;
        }
      });
      for (const Layout& layout :
           {Layout::plain(4), Layout::channels_last(4), Layout::blocked_channels(4, 16)}) {
        if (const auto op = offer(f, "dnnl.pool", {layout}, {layout})) {
          check_equal(run(f, "dnnl.pool", *op)[0], expected_y, 1e-6);
          ++ran;
        }
        if (const auto op = offer(b, "dnnl.pool_bwd", {layout}, {layout})) {
          check_equal(run(b, "dnnl.pool_bwd", *op)[0], expected_dx, 1e-6);
          ++ran;
        }
      }
    }
  }
  BOOST_CHECK_GT(ran, 20);
}

BOOST_AUTO_TEST_CASE(max_pooling_is_not_offered) {
  const Case c = make_case(
      "pool", {{1, 16, 4, 4}}, {{1, 16, 2, 2}},
      {{"mode", std::string("max")}, {"window", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"pads", Ints{0, 0}}});
  BOOST_CHECK(!offer(c, "dnnl.pool"));
}

BOOST_AUTO_TEST_CASE(reorders_move_every_element) {
  int ran = 0;
  const std::vector<std::string> tags{"abcd",       "acdb",       "aBcd16b", "aBcd8b",
                                      "ABcd16b16a", "ABcd16a16b", "Acdb16a", "Acdb64a"};
  for (const Shape& shape :
       {Shape{3, 17, 4, 5}, Shape{20, 10, 3, 3}, Shape{64, 1, 5, 5}, Shape{1, 3, 7, 7}}) {
    Case c = make_case("reorder", {shape}, {shape}, {});
    for (const std::string& from : tags) {
      for (const std::string& to : tags) {
        const auto op = offer(c, "dnnl.reorder", {Layout::from_tag(from)}, {Layout::from_tag(to)});
        if (!op) continue;
        BOOST_TEST_CONTEXT(from << "->" << to << " " << shape.to_string()) {
          check_equal(run(c, "dnnl.reorder", *op)[0], c.inputs[0]);
        }
        ++ran;
      }
    }
  }
  BOOST_CHECK_GT(ran, 100);
}
