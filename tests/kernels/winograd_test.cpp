// Winograd's convolutions against seven nested loops in double: how far they round, layer by layer, and that
// padding stays zero. The values are not small fractions as elsewhere: F(4x4, 3x3) would be exact on many.
#include <boost/test/unit_test.hpp>

#include "dnnl_test_support.hpp"
#include "kernels/cpu/dnnl_engine.hpp"

using namespace dnnl_test;

namespace {

/// What --numerics=fast promises: errors below this share of the largest result of the tensor.
constexpr double tolerance = 1e-5;

struct Problem {
  std::int64_t n, c, k, h, w, pad;
  bool bias;
  std::int64_t oh() const { return h + 2 * pad - 2; }
  std::int64_t ow() const { return w + 2 * pad - 2; }
  Shape x() const { return {n, c, h, w}; }
  Shape weights() const { return {k, c, 3, 3}; }
  Shape y() const { return {n, k, oh(), ow()}; }
  Attrs attrs() const {
    return {{"strides", Ints{1, 1}},
            {"pads", Ints{pad, pad}},
            {"dilations", Ints{1, 1}},
            {"groups", std::int64_t{1}}};
  }
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> list{{2, 16, 16, 8, 8, 1, false},  {1, 32, 48, 7, 9, 1, true},
                                         {3, 64, 64, 14, 14, 1, true}, {2, 17, 20, 9, 6, 1, false},
                                         {1, 3, 10, 11, 12, 1, true},  {2, 64, 32, 10, 10, 0, false},
                                         {1, 256, 128, 4, 4, 1, false}};
  return list;
}

Logical normal_values(const Shape& shape, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Logical values(static_cast<std::size_t>(shape.num_elements()));
  for (double& v : values) v = static_cast<float>(normal(generator));
  return values;
}

// Calls visit(x, w, y), flat indices, for every product.
template <class Visit>
void for_each_product(const Problem& p, Visit visit) {
  for (std::int64_t n = 0; n < p.n; ++n)
    for (std::int64_t k = 0; k < p.k; ++k)
      for (std::int64_t c = 0; c < p.c; ++c)
        for (std::int64_t o = 0; o < p.oh() * p.ow(); ++o)
          for (std::int64_t t = 0; t < 9; ++t) {
            const std::int64_t i = o / p.ow() + t / 3 - p.pad, j = o % p.ow() + t % 3 - p.pad;
            if (i < 0 || i >= p.h || j < 0 || j >= p.w) continue;
            visit(static_cast<std::size_t>(((n * p.c + c) * p.h + i) * p.w + j),
                  static_cast<std::size_t>((k * p.c + c) * 9 + t),
                  static_cast<std::size_t>((n * p.k + k) * p.oh() * p.ow() + o));
          }
}

double largest(const Logical& values) {
  double most = 0;
  for (double v : values) most = std::max(most, std::abs(v));
  return most;
}

// Runs where it is offered; returns how often.
int check(Case& c, const std::string& kernel, const std::vector<Logical>& expected) {
  const auto op = offer(c, kernel);
  if (!op) return 0;
  BOOST_CHECK(op->implementation.find("wino") != std::string::npos);
  for (const Layout* w : {&op->inputs[1], &op->outputs[0]}) {
    if (w->blocks().size() == 2) BOOST_CHECK_EQUAL(w->tag(), "ABcd16b16a");
  }
  const auto got = run(c, kernel, *op);
  for (std::size_t o = 0; o < expected.size(); ++o) {
    double error = 0;
    for (std::size_t i = 0; i < expected[o].size(); ++i)
      error = std::max(error, std::abs(got[o][i] - expected[o][i]));
    BOOST_CHECK_LT(error, tolerance * largest(expected[o]));
    BOOST_TEST_MESSAGE(kernel << " " << error / largest(expected[o]));
  }
  return 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(winograd_rounds_no_more_than_promised) {
  int ran = 0;
  for (const Problem& p : problems()) {
    BOOST_TEST_CONTEXT("x " << p.x().to_string() << " w " << p.weights().to_string()) {
      std::vector<Shape> in{p.x(), p.weights()};
      if (p.bias) in.push_back({p.k});
      Case forward = make_case("conv", in, {p.y()}, p.attrs());
      Attrs data_attrs = p.attrs(), weight_attrs = p.attrs();
      data_attrs.set("input_dims", p.x().dims());
      weight_attrs.set("kernel_dims", p.weights().dims());
      weight_attrs.set("bias", std::int64_t{0});
      Case data = make_case("conv_bwd_data", {p.y(), p.weights()}, {p.x()}, data_attrs);
      Case weights = make_case("conv_bwd_weights", {p.x(), p.y()}, {p.weights()}, weight_attrs);
      const Logical x = normal_values(p.x(), 1), w = normal_values(p.weights(), 2),
                    dy = normal_values(p.y(), 3);
      forward.inputs[0] = x, forward.inputs[1] = w;
      data.inputs = {dy, w};
      weights.inputs = {x, dy};
      Logical y(dy.size(), 0.0), dx(x.size(), 0.0), dw(w.size(), 0.0);
      for_each_product(p, [&](std::size_t ix, std::size_t iw, std::size_t iy) {
        y[iy] += x[ix] * w[iw];
        dx[ix] += dy[iy] * w[iw];
        dw[iw] += x[ix] * dy[iy];
      });
      if (p.bias) {
        const std::size_t plane = static_cast<std::size_t>(p.oh() * p.ow());
        for (std::size_t i = 0; i < y.size(); ++i)
          y[i] += forward.inputs[2][i / plane % static_cast<std::size_t>(p.k)];
      }
      ran += check(forward, "dnnl.conv_winograd", {y});
      ran += check(data, "dnnl.conv_bwd_data_winograd", {dx});
      ran += check(weights, "dnnl.conv_bwd_weights_winograd", {dw});
    }
  }
  // Five of the seven have channels enough.
  if (lbann::kernels::cpu::instruction_set() == "avx512_core") BOOST_CHECK_GE(ran, 15);
}
