// The gradient rule of every differentiable primitive against central differences, over several
// shapes each. A zero gradient everywhere does not pass: some element must be above 1e-3.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <set>

#include "difference_check.hpp"
#include "ops/scalar_functions.hpp"

using namespace lbann;
using gradients::Build;
using gradients::compare;
using gradients::make_operand;
using gradients::Operand;
using graph::Attrs;
using graph::ValueId;
using ops::Builder;
using tensor::Shape;
using Ints = std::vector<std::int64_t>;
using Values = std::vector<ValueId>;

namespace {

void check(const std::string& name, const std::vector<Operand>& operands, const Build& build) {
  const gradients::Comparison c = compare(operands, build);
  BOOST_CHECK_MESSAGE(c.largest_error <= 1e-7, name << ": error " << c.largest_error << ", " << c.worst);
  BOOST_CHECK_MESSAGE(c.nonzero > 0, name << ": no gradient in " << c.compared << " elements");
}

// One node over operands of the given shapes.
void check_op(const std::string& op, const std::vector<Shape>& shapes, const Attrs& attrs,
              bool positive = false) {
  std::vector<Operand> operands;
  std::string name = op;
  for (const Shape& s : shapes) {
    operands.push_back(make_operand(s, operands.size() + 1, positive));
    name += " " + s.to_string();
  }
  check(name, operands, [&](Builder& b, const Values& in) { return b.add_n(op, in, attrs); });
}

Attrs conv_attrs(Ints strides, Ints pads, Ints dilations, std::int64_t groups = 1) {
  return {{"strides", strides}, {"pads", pads}, {"dilations", dilations}, {"groups", groups}};
}

}  // namespace

// The harness itself: a rule that forgets half of x * x must be noticed.
BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_noticed) {
  const gradients::Comparison c = compare({make_operand({4}, 1)}, [](Builder& b, const Values& in) -> Values {
    return {b.ewise("mul", {in[0], b.add("stop_gradient", {in[0]})})};
  });
  BOOST_CHECK_GT(c.largest_error, 0.1);
}

BOOST_AUTO_TEST_CASE(every_scalar_function) {
  // Outside of these domains a function has no value, or (mod: fmod truncates, LBANN's gradient rounds down)
  // a gradient that is not the derivative.
  const std::set<std::string_view> positive_only = {"sqrt",     "rsqrt", "log", "xent",
                                                    "xent_log", "log1p", "pow", "mod"};
  const std::set<std::string_view> unit_only = {"acos", "asin", "atanh", "erfinv", "bce"};
  int tested = 0;
  for (const ops::ScalarFunction& f : ops::all_scalar_functions()) {
    bool any = false;
    for (const ops::ScalarGradient& g : f.gradient) any = any || !g.fn.empty();
    if (!any) continue;
    ++tested;
    const std::size_t arity = static_cast<std::size_t>(f.arity);
    // All of one shape, then each operand broadcast in turn, then all different.
    std::vector<std::vector<Shape>> shapes(1, std::vector<Shape>(arity, Shape{3, 4}));
    for (std::size_t i = 0; arity > 1 && i < arity; ++i) {
      shapes.push_back(shapes.front());
      shapes.back()[i] = Shape{1, 4};
      shapes.push_back(shapes.front());
      shapes.back()[i] = Shape{3, 1};
    }
    for (const std::vector<Shape>& list : shapes) {
      std::vector<Operand> operands;
      for (const Shape& s : list)
        operands.push_back(make_operand(s, operands.size() + 1, positive_only.contains(f.name)));
      for (Operand& o : operands) {
        for (double& x : o.values) {
          if (unit_only.contains(f.name)) x = 1 / (1 + std::exp(-x));
          if (f.name == "acosh") x = 1.1 + std::fabs(x);
        }
      }
      if (f.name == "where") {
        operands[0].wanted = false;  // piecewise constant in the condition
        for (double& c : operands[0].values) c = c > 0 ? 1 : 0;
      }
      const auto build = [&](double a, double c) {
        return [&f, a, c](Builder& b, const Values& in) -> Values { return {b.ewise(f.name, in, a, c)}; };
      };
      const bool ordered = f.name == "clamp";  // a below b
      check(std::string(f.name), operands, ordered ? build(-0.7, 0.61) : build(0.7, 0.31));
      check(std::string(f.name), operands, build(-1.3, -0.27));
    }
  }
  BOOST_CHECK_GE(tested, 56);
}

BOOST_AUTO_TEST_CASE(movement) {
  check_op("reshape", {{4, 6}}, {{"dims", Ints{2, 3, 4}}});
  check_op("permute", {{2, 3, 4}}, {{"perm", Ints{2, 0, 1}}});
  check_op("permute", {{2, 3, 4, 2}}, {{"perm", Ints{3, 1, 0, 2}}});
  check_op("slice", {{3, 7}}, {{"axis", 1}, {"start", 2}, {"stop", 6}});
  check_op("slice", {{5, 2, 2}}, {{"axis", 0}, {"start", 0}, {"stop", 1}});
  check_op("pad", {{3, 2}}, {{"axis", 0}, {"before", 2}, {"after", 1}});
  check_op("pad", {{3, 2}}, {{"axis", 1}, {"before", 0}, {"after", 3}});
  check_op("concat", {{2, 3}, {2, 1}, {2, 4}}, {{"axis", 1}});
  check_op("concat", {{2, 3, 2}, {1, 3, 2}}, {{"axis", 0}});
  check_op("expand", {{1, 3, 1}}, {{"dims", Ints{2, 3, 4}}});
  check_op("expand", {{3, 1}}, {{"dims", Ints{3, 5}}});
}

BOOST_AUTO_TEST_CASE(reductions) {
  for (const char* fn : {"sum", "mean", "max", "min"}) {
    check_op("reduce", {{3, 4}}, {{"fn", fn}, {"axes", Ints{1}}});
    check_op("reduce", {{3, 4, 2}}, {{"fn", fn}, {"axes", Ints{0, 2}}});
    check_op("reduce", {{3, 4}}, {{"fn", fn}, {"axes", Ints{0, 1}}});
    check_op("reduce", {{3, 4}}, {{"fn", fn}, {"axes", Ints{}}});
  }
}

// Ties share the gradient of a maximum, so that moving all of them together moves it by as much.
BOOST_AUTO_TEST_CASE(equal_maxima_share_the_gradient) {
  const gradients::Comparison c =
      compare({Operand{{1, 1}, {0.3}, true}}, [&](Builder& bb, const Values& in) -> Values {
        const ValueId shifted = bb.expand(in[0], {1, 2});
        const ValueId low = bb.ewise("affine", {in[0]}, 1, -5);
        return {bb.reduce("max", bb.add("concat", {shifted, low}, {{"axis", 1}}), {1})};
      });
  BOOST_CHECK_LE(c.largest_error, 1e-7);
  BOOST_CHECK_EQUAL(c.nonzero, 1);
}

BOOST_AUTO_TEST_CASE(softmax) {
  for (const std::int64_t log : {0, 1}) {
    check_op("softmax", {{3, 5}}, {{"axis", 1}, {"log", log}});
    check_op("softmax", {{4, 3}}, {{"axis", 0}, {"log", log}});
    check_op("softmax", {{2, 3, 4}}, {{"axis", 1}, {"log", log}});
  }
}

BOOST_AUTO_TEST_CASE(matmul) {
  for (const std::int64_t ta : {0, 1}) {
    for (const std::int64_t tb : {0, 1}) {
      const Attrs attrs{{"ta", ta}, {"tb", tb}};
      const Shape a = ta == 0 ? Shape{4, 3} : Shape{3, 4}, c = tb == 0 ? Shape{3, 5} : Shape{5, 3};
      check_op("matmul", {a, c}, attrs);
      check_op("matmul", {a, c, {5}}, attrs);
      const Shape a3 = ta == 0 ? Shape{2, 2, 3} : Shape{2, 3, 2},
                  c3 = tb == 0 ? Shape{2, 3, 4} : Shape{2, 4, 3};
      check_op("matmul", {a3, c3}, attrs);
      check_op("matmul", {a3, c3, {4}}, attrs);
    }
  }
}

BOOST_AUTO_TEST_CASE(convolution) {
  check_op("conv", {{2, 3, 5, 5}, {4, 3, 3, 3}, {4}}, conv_attrs({1, 1}, {1, 1}, {1, 1}));
  check_op("conv", {{2, 1, 6, 5}, {3, 1, 3, 2}}, conv_attrs({2, 1}, {1, 0}, {1, 1}));
  check_op("conv", {{1, 4, 6, 6}, {6, 2, 3, 3}, {6}}, conv_attrs({2, 2}, {2, 1}, {1, 2}, 2));
  check_op("conv", {{2, 3, 4, 4}, {3, 1, 2, 2}}, conv_attrs({1, 1}, {0, 0}, {1, 1}, 3));
  check_op("conv", {{2, 2, 7}, {3, 2, 3}, {3}}, conv_attrs({3}, {2}, {2}));
  check_op("conv", {{1, 2, 4, 3, 4}, {2, 2, 2, 2, 3}, {2}}, conv_attrs({1, 2, 1}, {1, 0, 1}, {1, 1, 1}));
  check_op("conv", {{2, 2, 5, 5}, {2, 2, 1, 1}}, conv_attrs({3, 3}, {0, 0}, {1, 1}));  // skips elements
}

// Only some operands wanted: the rule must not lean on what it does not compute.
BOOST_AUTO_TEST_CASE(convolution_bias_alone) {
  std::vector<Operand> operands = {make_operand({2, 3, 4, 4}, 1), make_operand({2, 3, 3, 3}, 2),
                                   make_operand({2}, 3)};
  operands[0].wanted = operands[1].wanted = false;
  check("conv bias", operands, [](Builder& b, const Values& in) -> Values {
    const ValueId x = b.add("stop_gradient", {in[0]}), w = b.add("stop_gradient", {in[1]});
    return {b.add("conv", {x, w, in[2]}, conv_attrs({1, 1}, {1, 1}, {1, 1}))};
  });
}

BOOST_AUTO_TEST_CASE(convolution_twins) {
  Attrs data = conv_attrs({2, 2}, {1, 1}, {1, 1}, 2);
  data.set("input_dims", Ints{2, 4, 6, 6});
  check_op("conv_bwd_data", {{2, 6, 3, 3}, {6, 2, 3, 3}}, data);
  data = conv_attrs({2}, {0}, {2});
  data.set("input_dims", Ints{2, 3, 8});
  check_op("conv_bwd_data", {{2, 2, 2}, {2, 3, 3}}, data);
  for (const std::int64_t bias : {0, 1}) {
    Attrs weights = conv_attrs({1, 2}, {1, 1}, {1, 1});
    weights.set("kernel_dims", Ints{3, 2, 3, 2});
    weights.set("bias", bias);
    check_op("conv_bwd_weights", {{2, 2, 4, 5}, {2, 3, 4, 3}}, weights);
  }
}

BOOST_AUTO_TEST_CASE(local_response_normalisation) {
  const auto attrs = [](std::int64_t size, double beta) {
    return Attrs{{"size", size}, {"alpha", 0.8}, {"beta", beta}, {"k", 1.5}};
  };
  check_op("lrn", {{2, 6, 3}}, attrs(5, 0.75));
  check_op("lrn", {{1, 7, 2, 2}}, attrs(4, 0.75));
  check_op("lrn", {{3, 2}}, attrs(3, 1.25));
}

BOOST_AUTO_TEST_CASE(pooling) {
  for (const char* mode : {"max", "avg", "avg_no_pad"}) {
    const auto attrs = [&](Ints window, Ints strides, Ints pads) {
      return Attrs{{"mode", mode}, {"window", window}, {"strides", strides}, {"pads", pads}};
    };
    check_op("pool", {{2, 3, 6, 6}}, attrs({2, 2}, {2, 2}, {0, 0}));
    check_op("pool", {{2, 2, 7, 6}}, attrs({3, 3}, {2, 2}, {1, 1}));  // overlap and padding
    check_op("pool", {{1, 3, 7}}, attrs({3}, {1}, {2}));
    check_op("pool", {{1, 2, 4, 3, 4}}, attrs({2, 2, 3}, {2, 1, 1}, {0, 1, 1}));
    check_op("pool", {{2, 1, 7, 7}}, attrs({2, 2}, {3, 3}, {0, 0}));  // skips elements
  }
  for (const char* mode : {"avg", "avg_no_pad"}) {
    check_op("pool_bwd", {{2, 2, 3, 3}},
             {{"mode", mode},
              {"window", Ints{3, 3}},
              {"strides", Ints{2, 2}},
              {"pads", Ints{1, 1}},
              {"input_dims", Ints{2, 2, 6, 6}}});
  }
}

BOOST_AUTO_TEST_CASE(norm_with_constant_statistics) {
  for (const Shape& x : {Shape{3, 2, 4}, Shape{5, 3}, Shape{2, 3, 2, 2}}) {
    const Shape c{x[1]};
    std::vector<Operand> operands = {make_operand(x, 1), make_operand(c, 2), make_operand(c, 3, true),
                                     make_operand(c, 4), make_operand(c, 5)};
    operands[1].wanted = operands[2].wanted = false;  // constants by definition
    check("norm_apply " + x.to_string(), operands,
          [](Builder& b, const Values& in) { return b.add_n("norm_apply", in); });
  }
}

namespace {

// Batch normalisation as it is written in primitives: rstd = rsqrt(max(bessel var, floor) + epsilon).
void check_batch_norm(const Shape& x, double floor, bool clamped) {
  const double n = static_cast<double>(x.num_elements() / x[1]);
  const double bessel = n / (n - 1);
  const Shape c{x[1]};
  check("batch norm " + x.to_string(), {make_operand(x, 1), make_operand(c, 2), make_operand(c, 3)},
        [&](Builder& b, const Values& in) -> Values {
          const Values stats = b.add_n("norm_stats", {in[0]});
          const ValueId var = b.ewise("scale_clamp", {stats[1]}, bessel, floor);
          const ValueId rstd = b.ewise("rsqrt", {b.ewise("affine", {var}, 1, 1e-3)});
          const ValueId factor = b.fill(clamped ? 0 : bessel, {tensor::DataType::f64, c, {}});
          return {b.add("norm_apply", {in[0], stats[0], rstd, in[1], in[2], factor})};
        });
}

}  // namespace

BOOST_AUTO_TEST_CASE(norm_through_its_own_statistics) {
  check_batch_norm({4, 3, 5}, 0, false);
  check_batch_norm({6, 2}, 0, false);
  check_batch_norm({2, 3, 2, 3}, 0, false);
  check_batch_norm({4, 3, 5}, 100, true);  // variance clamped: a constant, the mean is not
}

BOOST_AUTO_TEST_CASE(statistics_by_themselves) {
  check_op("norm_stats", {{4, 3, 5}}, {});
  check_op("norm_stats", {{6, 2}}, {});
  check("mean", {make_operand({4, 3, 5}, 1)},
        [](Builder& b, const Values& in) -> Values { return {b.add_n("norm_stats", in)[0]}; });
  check("variance", {make_operand({4, 3, 5}, 1)},
        [](Builder& b, const Values& in) -> Values { return {b.add_n("norm_stats", in)[1]}; });
}

BOOST_AUTO_TEST_CASE(reorder_and_cast) {
  check_op("reorder", {{3, 4}}, {});
  check_op("cast", {{3, 4}}, {{"type", "f64"}});
}

// Indices are constants: made from numbers, repeated, two of them outside the table.
BOOST_AUTO_TEST_CASE(indexing) {
  const auto index = [](Builder& b) {
    Values parts;
    for (const double i : {2.0, 0.0, 2.0, -1.0, 3.0, 9.0})
      parts.push_back(b.fill(i, {tensor::DataType::i64, Shape{1}, {}}));
    return b.reshape(b.add("concat", parts, {{"axis", 0}}), {2, 3});
  };
  check("gather", {make_operand({5, 4}, 1)}, [&](Builder& b, const Values& in) -> Values {
    return {b.add("gather", {in[0], index(b)})};
  });
  check("scatter_add", {make_operand({2, 3, 4}, 1)}, [&](Builder& b, const Values& in) -> Values {
    return {b.add("scatter_add", {index(b), in[0]}, {{"rows", 5}})};
  });
  check("table read twice", {make_operand({5, 4}, 1)}, [&](Builder& b, const Values& in) -> Values {
    const ValueId y = b.add("gather", {in[0], index(b)});
    return {b.ewise("mul", {y, b.ewise("tanh", {b.add("gather", {in[0], index(b)})})})};
  });
}

// One table and one list of indices for each of two batch entries.
BOOST_AUTO_TEST_CASE(indexing_in_batches) {
  const auto index = [](Builder& b) {
    Values parts;
    for (const double i : {2.0, 0.0, 2.0, -1.0, 1.0, 9.0})
      parts.push_back(b.fill(i, {tensor::DataType::i64, Shape{1}, {}}));
    return b.reshape(b.add("concat", parts, {{"axis", 0}}), {2, 3});
  };
  check("gather", {make_operand({2, 5, 4}, 1)}, [&](Builder& b, const Values& in) -> Values {
    return {b.add("gather", {in[0], index(b)}, {{"batch_dims", 1}})};
  });
  check("scatter_add", {make_operand({2, 3, 4}, 1)}, [&](Builder& b, const Values& in) -> Values {
    return {b.add("scatter_add", {index(b), in[0]}, {{"rows", 5}, {"batch_dims", 1}})};
  });
}

BOOST_AUTO_TEST_CASE(sorting) {
  for (const std::int64_t descending : {0, 1}) {
    for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{2, 2, 4}}) {
      check("sort", {make_operand(shape, 1)}, [&](Builder& b, const Values& in) -> Values {
        return {b.add_n("sort", {in[0]}, {{"axis", shape.rank() - 1}, {"descending", descending}})[0]};
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(layer_norm) {
  for (const auto& [shape, axis] :
       std::vector<std::pair<Shape, int>>{{{3, 5}, 1}, {{2, 3, 4}, 1}, {{2, 3, 4}, 2}}) {
    const Shape inner(Ints(shape.dims().begin() + axis, shape.dims().end()));
    const Attrs attrs{{"axis", axis}, {"epsilon", 0.01}};
    check("layer_norm", {make_operand(shape, 1)},
          [&](Builder& b, const Values& in) -> Values { return {b.add_n("layer_norm", {in[0]}, attrs)[0]}; });
    check("layer_norm with scale and bias",
          {make_operand(shape, 1), make_operand(inner, 2), make_operand(inner, 3)},
          [&](Builder& b, const Values& in) -> Values { return {b.add_n("layer_norm", in, attrs)[0]}; });
  }
}

// A small network: what is summed where branches meet.
BOOST_AUTO_TEST_CASE(composition) {
  check("residual block",
        {make_operand({2, 3, 5, 5}, 1), make_operand({3, 3, 3, 3}, 2), make_operand({3}, 3),
         make_operand({75, 4}, 4)},
        [](Builder& b, const Values& in) -> Values {
          const ValueId y = b.add("conv", {in[0], in[1], in[2]}, conv_attrs({1, 1}, {1, 1}, {1, 1}));
          const ValueId s = b.ewise("tanh", {b.add2(in[0], y)});
          const ValueId logits = b.add("matmul", {b.reshape(s, {2, 75}), in[3]});
          const ValueId p = b.add("softmax", {logits}, {{"axis", 1}, {"log", 1}});
          return {b.reduce("mean", b.ewise("mul", {p, p}), {0, 1})};
        });
}
