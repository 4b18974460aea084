// Structure of the gradient rules: what is computed, what is not, and that every result has its
// operand's spec. Their values are checked against central differences elsewhere.
#include <boost/test/unit_test.hpp>

#include "graph/printer.hpp"
#include "graph_fixture.hpp"
#include "ops/scalar_functions.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;
namespace graph = lbann::graph;
using graph::none;

namespace {

struct VjpFixture : Fixture {
  /// Cotangents of the operands of v's producer; `needs` may be shorter than the operands (rest: true).
  std::vector<ValueId> vjp(ValueId v, std::vector<bool> needs = {}) {
    const graph::Node n = producer(v);
    std::vector<ValueId> cotangents;
    for (ValueId out : n.outputs) cotangents.push_back(in(g.shape(out), g.value(out).spec.type));
    return vjp_with(n, cotangents, std::move(needs));
  }
  std::vector<ValueId> vjp_with(graph::Node n, std::vector<ValueId> cotangents,
                                std::vector<bool> needs = {}) {
    needs.resize(n.inputs.size(), needs.empty());
    first_new_ = g.nodes.size();
    ops::VjpArgs args{b, n, std::move(cotangents), needs};
    const std::vector<ValueId> result = ops::op(n.op).vjp(args);
    BOOST_REQUIRE_EQUAL(result.size(), n.inputs.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (result[i] == none) continue;
      BOOST_CHECK_MESSAGE(needs[i], "cotangent " << i << " was not asked for");
      // Type and shape; where a cotangent lies is its own affair.
      BOOST_CHECK(b.spec(result[i]).type == b.spec(n.inputs[i]).type);
      BOOST_CHECK_EQUAL(b.shape(result[i]).to_string(), b.shape(n.inputs[i]).to_string());
    }
    BOOST_CHECK_NO_THROW(ops::check_ops(g));
    return result;
  }
  /// Primitives of the nodes the last rule appended; ewise and reduce with their function.
  std::string appended() const {
    std::string text;
    for (std::size_t i = first_new_; i < g.nodes.size(); ++i) {
      const graph::Node& n = g.nodes[i];
      text += (text.empty() ? "" : " ") + n.op;
      if (n.attrs.has("fn")) text += ":" + n.attrs.get_text("fn");
    }
    return text;
  }

private:
  std::size_t first_new_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(vjp_rules, VjpFixture)

BOOST_AUTO_TEST_CASE(ewise_without_broadcast) {
  const ValueId x = in({4, 3}), y = in({4, 3});
  const auto d = vjp(b.ewise("mul", {x, y}));
  BOOST_CHECK_EQUAL(appended(), "ewise:mul ewise:mul");
  BOOST_CHECK_EQUAL(producer(d[0]).inputs[1], y);  // mul(g, other operand)
  BOOST_CHECK_EQUAL(producer(d[1]).inputs[1], x);

  const ValueId z = b.ewise("relu", {x});
  const auto e = vjp(z);
  BOOST_CHECK_EQUAL(appended(), "ewise:relu_grad");
  BOOST_CHECK_EQUAL(producer(e[0]).inputs[1], z);  // the result, not the operand, is needed
}

BOOST_AUTO_TEST_CASE(ewise_passes_cotangents_through) {
  const ValueId x = in({4, 3}), y = in({4, 3}), s = b.add2(x, y), dy = in({4, 3});
  const auto d = vjp_with(producer(s), {dy});
  BOOST_CHECK_EQUAL(appended(), "");
  BOOST_CHECK_EQUAL(d[0], dy);
  BOOST_CHECK_EQUAL(d[1], dy);
}

BOOST_AUTO_TEST_CASE(ewise_broadcast_operands_are_summed) {
  const ValueId x = in({4, 3, 2}), bias = in({1, 3, 1});
  vjp(b.add2(x, bias), {false, true});
  BOOST_CHECK_EQUAL(appended(), "reduce:sum");
  BOOST_CHECK((g.nodes.back().attrs.get_ints("axes") == Ints{0, 2}));
  // Linear in the cotangent alone: the sum comes first.
  vjp(b.ewise("sub", {x, bias}), {false, true});
  BOOST_CHECK_EQUAL(appended(), "reduce:sum ewise:neg");
  BOOST_CHECK((g.shape(g.nodes.back().outputs[0]) == Shape{1, 3, 1}));
  // Not linear alone: the sum comes last.
  vjp(b.ewise("mul", {x, bias}), {false, true});
  BOOST_CHECK_EQUAL(appended(), "ewise:mul reduce:sum");
  // Both broadcast.
  vjp(b.ewise("mul", {in({4, 1}), in({1, 3})}));
  BOOST_CHECK_EQUAL(appended(), "ewise:mul reduce:sum ewise:mul reduce:sum");
}

BOOST_AUTO_TEST_CASE(ewise_parameters_are_passed_on) {
  const ValueId x = in({4});
  vjp(b.ewise("affine", {x}, -2.5, 3));
  BOOST_CHECK_EQUAL(appended(), "ewise:scale");
  BOOST_CHECK_EQUAL(g.nodes.back().attrs.get_real("a"), -2.5);
  vjp(b.ewise("scale_clamp", {x}, 0.9, 0.1));
  BOOST_CHECK_EQUAL(appended(), "ewise:scale_clamp_grad");
  BOOST_CHECK_EQUAL(g.nodes.back().attrs.get_real("b"), 0.1);
}

BOOST_AUTO_TEST_CASE(ewise_needs_and_zero_gradients) {
  const ValueId c = in({4}), x = in({4}), y = in({4});
  const auto d = vjp(b.ewise("where", {c, x, y}), {true, true, false});
  BOOST_CHECK_EQUAL(appended(), "ewise:where_first");
  BOOST_CHECK_EQUAL(d[0], none);
  BOOST_CHECK_EQUAL(d[2], none);
  BOOST_CHECK_EQUAL(vjp(b.ewise("eq", {x, y}))[0], none);
  BOOST_CHECK_EQUAL(vjp(b.ewise("add", {in({4}, DataType::i32), in({4}, DataType::i32)}))[0], none);
}

// The derivative table names known functions, with as many arguments as they take.
BOOST_AUTO_TEST_CASE(scalar_gradients_are_well_formed) {
  int rules = 0;
  for (const ops::ScalarFunction& f : ops::all_scalar_functions()) {
    BOOST_CHECK(f.arity >= 1 && f.arity <= 3);
    BOOST_CHECK_EQUAL(ops::try_scalar_function(f.name), &f);  // no name stands twice
    for (int i = 0; i < 3; ++i) {
      const ops::ScalarGradient& gradient = f.gradient[i];
      if (gradient.fn.empty()) continue;
      BOOST_CHECK_LT(i, f.arity);
      BOOST_CHECK_EQUAL(ops::scalar_function(gradient.fn).arity, static_cast<int>(gradient.args.size()));
      for (char c : gradient.args) {
        BOOST_CHECK_MESSAGE(c == 'g' || c == 'y' || (c >= '0' && c < '0' + f.arity), f.name);
      }
      std::vector<ValueId> operands(static_cast<std::size_t>(f.arity), in({2, 3}));
      vjp(b.ewise(f.name, operands, 0.5, 0.25));
      ++rules;
    }
  }
  BOOST_CHECK_GT(rules, 30);
}

BOOST_AUTO_TEST_CASE(movement) {
  vjp(b.reshape(in({4, 6}), {2, 12}));
  BOOST_CHECK_EQUAL(appended(), "reshape");
  const ValueId p = b.permute(in({2, 3, 4}), {2, 0, 1});
  vjp(p);
  BOOST_CHECK((g.nodes.back().attrs.get_ints("perm") == Ints{1, 2, 0}));
  vjp(b.add("slice", {in({2, 7})}, {{"axis", 1}, {"start", 2}, {"stop", 4}}));
  BOOST_CHECK_EQUAL(appended(), "pad");
  BOOST_CHECK_EQUAL(g.nodes.back().attrs.get_int("before"), 2);
  BOOST_CHECK_EQUAL(g.nodes.back().attrs.get_int("after"), 3);
  vjp(b.add("pad", {in({2, 7})}, {{"axis", 1}, {"before", 2}, {"after", 4}}));
  BOOST_CHECK_EQUAL(appended(), "slice");
  BOOST_CHECK_EQUAL(g.nodes.back().attrs.get_int("start"), 2);
  BOOST_CHECK_EQUAL(g.nodes.back().attrs.get_int("stop"), 9);
  vjp(b.expand(in({1, 3, 1}), {2, 3, 4}));
  BOOST_CHECK_EQUAL(appended(), "reduce:sum");
  BOOST_CHECK((g.nodes.back().attrs.get_ints("axes") == Ints{0, 2}));
}

BOOST_AUTO_TEST_CASE(concat_slices_only_what_is_needed) {
  const auto d =
      vjp(b.add("concat", {in({2, 3}), in({2, 4}), in({2, 1})}, {{"axis", 1}}), {true, false, true});
  BOOST_CHECK_EQUAL(appended(), "slice slice");
  BOOST_CHECK_EQUAL(producer(d[0]).attrs.get_int("start"), 0);
  BOOST_CHECK_EQUAL(producer(d[0]).attrs.get_int("stop"), 3);
  BOOST_CHECK_EQUAL(d[1], none);
  BOOST_CHECK_EQUAL(producer(d[2]).attrs.get_int("start"), 7);
  BOOST_CHECK_EQUAL(producer(d[2]).attrs.get_int("stop"), 8);
}

BOOST_AUTO_TEST_CASE(reductions) {
  vjp(b.reduce("sum", in({4, 3}), {0}));
  BOOST_CHECK_EQUAL(appended(), "expand");
  vjp(b.reduce("mean", in({4, 3, 5}), {0, 2}));
  BOOST_CHECK_EQUAL(appended(), "ewise:scale expand");
  BOOST_CHECK_EQUAL(g.nodes[g.nodes.size() - 2].attrs.get_real("a"), 1.0 / 20);
  vjp(b.reduce("max", in({4, 3}), {1}));
  BOOST_CHECK_EQUAL(appended(), "ewise:eq reduce:sum ewise:div ewise:mul");
  BOOST_CHECK_EQUAL(vjp(b.reduce("sum", in({4, 3}, DataType::i64), {1}))[0], none);
  BOOST_CHECK(!ops::op("arg_reduce").vjp);
  BOOST_CHECK(!ops::op("all_finite").vjp);
}

BOOST_AUTO_TEST_CASE(casts) {
  vjp(b.cast(in({4}), DataType::bf16));
  BOOST_CHECK_EQUAL(appended(), "cast");
  BOOST_CHECK_EQUAL(vjp(b.cast(in({4}), DataType::i64))[0], none);
  BOOST_CHECK_EQUAL(vjp(b.cast(in({4}, DataType::i64), DataType::f32))[0], none);
}

BOOST_AUTO_TEST_CASE(matmul_with_every_transposition_and_bias) {
  for (const std::int64_t ta : {0, 1}) {
    for (const std::int64_t tb : {0, 1}) {
      const ValueId x = ta == 0 ? in({7, 4, 3}) : in({7, 3, 4}), w = tb == 0 ? in({7, 3, 5}) : in({7, 5, 3});
      vjp(b.add("matmul", {x, w}, {{"ta", ta}, {"tb", tb}}));
      BOOST_CHECK_EQUAL(appended(), "matmul matmul");
    }
  }
  const ValueId y = b.add("matmul", {in({2, 4, 3}), in({2, 3, 5}), in({5})});
  vjp(y);
  BOOST_CHECK_EQUAL(appended(), "matmul matmul reduce:sum reshape");
  vjp(y, {false, false, true});
  BOOST_CHECK_EQUAL(appended(), "reduce:sum reshape");
  vjp(y, {true, false, false});
  BOOST_CHECK_EQUAL(appended(), "matmul");
}

BOOST_AUTO_TEST_CASE(conv_computes_what_is_needed) {
  const ValueId y =
      b.add("conv", {in({4, 6, 9, 9}), in({8, 3, 3, 3}), in({8})}, conv_attrs({2, 1}, {1, 0}, {1, 2}, 2));
  const auto d = vjp(y);
  BOOST_CHECK_EQUAL(appended(), "conv_bwd_data conv_bwd_weights");
  const graph::Node& weights = producer(d[1]);
  BOOST_CHECK_EQUAL(weights.attrs.get_int("bias"), 1);
  BOOST_CHECK_EQUAL(weights.attrs.get_int("groups"), 2);
  BOOST_CHECK((weights.attrs.get_ints("dilations") == Ints{1, 2}));
  BOOST_CHECK((weights.attrs.get_ints("kernel_dims") == Ints{8, 3, 3, 3}));
  BOOST_CHECK_EQUAL(d[2], weights.outputs[1]);
  BOOST_CHECK((producer(d[0]).attrs.get_ints("input_dims") == Ints{4, 6, 9, 9}));
  vjp(y, {false, true, false});
  BOOST_CHECK_EQUAL(appended(), "conv_bwd_weights");
  BOOST_CHECK_EQUAL(g.nodes.back().outputs.size(), 1u);
  vjp(y, {false, false, true});
  BOOST_CHECK_EQUAL(appended(), "reduce:sum reshape");
  vjp(y, {true, false, false});
  BOOST_CHECK_EQUAL(appended(), "conv_bwd_data");
}

BOOST_AUTO_TEST_CASE(conv_twins_differentiate_into_each_other) {
  const ValueId y =
      b.add("conv", {in({4, 6, 9, 9}), in({8, 3, 3, 3}), in({8})}, conv_attrs({2, 1}, {1, 0}, {1, 2}, 2));
  const auto d = vjp(y);
  vjp(d[0]);
  BOOST_CHECK_EQUAL(appended(), "conv conv_bwd_weights");
  vjp(d[1]);
  BOOST_CHECK_EQUAL(appended(), "conv_bwd_data conv");
  const graph::Node both = producer(d[1]);
  vjp_with(both, {none, in({8})});
  BOOST_CHECK_EQUAL(appended(), "reshape expand");
  vjp_with(both, {in({8, 3, 3, 3}), none}, {true, false});
  BOOST_CHECK_EQUAL(appended(), "conv_bwd_data");
}

BOOST_AUTO_TEST_CASE(pooling) {
  const ValueId x = in({2, 3, 8, 8});
  auto d = vjp(b.add("pool", {x}, pool_attrs("max", {2, 2}, {2, 2}, {0, 0})));
  BOOST_CHECK_EQUAL(appended(), "pool_bwd");
  BOOST_CHECK_EQUAL(producer(d[0]).inputs[1], x);
  d = vjp(b.add("pool", {x}, pool_attrs("avg", {3, 3}, {2, 2}, {1, 1})));
  BOOST_CHECK_EQUAL(producer(d[0]).inputs.size(), 1u);
  vjp(d[0]);
  BOOST_CHECK_EQUAL(appended(), "pool");
  graph::Attrs saved = pool_attrs("max", {2, 2}, {2, 2}, {0, 0});
  saved.set("saved", std::int64_t{384});
  const ValueId y = b.add("pool", {x}, saved);
  d = vjp_with(producer(y), {in({2, 3, 4, 4}), none});
  BOOST_CHECK_EQUAL(producer(d[0]).inputs[1], producer(y).outputs[1]);
}

BOOST_AUTO_TEST_CASE(softmax_uses_its_result) {
  const ValueId y = b.add("softmax", {in({4, 10})}, {{"axis", 1}, {"log", 1}});
  const auto d = vjp(y);
  BOOST_CHECK_EQUAL(appended(), "softmax_bwd");
  BOOST_CHECK_EQUAL(producer(d[0]).inputs[1], y);
  BOOST_CHECK_EQUAL(producer(d[0]).attrs.get_int("log"), 1);
}

BOOST_AUTO_TEST_CASE(norm_apply_through_its_own_statistics) {
  const ValueId x = in({4, 3, 5, 5}), mean = in({3}), rstd = in({3}), scale = in({3}), bias = in({3}),
                factor = in({3});
  const ValueId y = b.add("norm_apply", {x, mean, rstd, scale, bias, factor});
  const auto d = vjp(y, {true, true, true, true, true, true});
  BOOST_CHECK_EQUAL(
      appended(),
      "norm_bwd_stats ewise:mul ewise:mul ewise:mul ewise:scale ewise:mul ewise:scale norm_bwd_apply");
  BOOST_CHECK_EQUAL(d[1], none);  // through x
  BOOST_CHECK_EQUAL(d[2], none);
  BOOST_CHECK_EQUAL(d[5], none);
  BOOST_CHECK_EQUAL(producer(d[4]).op, "norm_bwd_stats");
  BOOST_CHECK_EQUAL(d[4], producer(d[3]).outputs[0]);  // dbias = sum_dy, dscale = sum_dy_xhat
  BOOST_CHECK_EQUAL(d[3], producer(d[3]).outputs[1]);
  const graph::Node& apply = producer(d[0]);
  const graph::Node& q = producer(apply.inputs[5]);
  BOOST_CHECK_EQUAL(q.attrs.get_real("a"), -1.0 / 100);
  BOOST_CHECK_EQUAL(producer(q.inputs[0]).inputs[1], factor);
  const graph::Node& r = producer(apply.inputs[6]);
  BOOST_CHECK_EQUAL(r.attrs.get_real("a"), -1.0 / 100);
  BOOST_CHECK_EQUAL(producer(r.inputs[0]).inputs[1], d[4]);

  vjp(y, {false, false, false, true, true, false});
  BOOST_CHECK_EQUAL(appended(), "norm_bwd_stats");
  const auto only_x = vjp(y, {true, false, false, false, false, false});
  BOOST_CHECK_EQUAL(only_x[3], none);
  BOOST_CHECK_EQUAL(only_x[4], none);
  vjp(y, {false, false, false, false, false, false});
  BOOST_CHECK_EQUAL(appended(), "");
}

BOOST_AUTO_TEST_CASE(norm_apply_with_constant_statistics) {
  const ValueId x = in({4, 3, 5, 5}), c = in({3});
  const ValueId y = b.add("norm_apply", {x, c, c, c, c});
  const auto d = vjp(y, {true, true, true, false, false});
  BOOST_CHECK_EQUAL(appended(), "ewise:mul fill norm_bwd_apply");  // no sums are needed
  BOOST_CHECK_EQUAL(producer(d[0]).inputs[5], producer(d[0]).inputs[6]);
  BOOST_CHECK_EQUAL(d[1], none);
  BOOST_CHECK_EQUAL(d[2], none);
  vjp(b.add("norm_apply", {in({4, 3}, DataType::bf16), c, c, c, c}));
  BOOST_CHECK_EQUAL(appended(), "norm_bwd_stats ewise:mul fill norm_bwd_apply");
}

BOOST_AUTO_TEST_CASE(norm_stats_used_elsewhere) {
  const auto stats = b.add_n("norm_stats", {in({4, 3, 5})});
  vjp_with(producer(stats[0]), {in({3}), none});
  BOOST_CHECK_EQUAL(appended(), "ewise:scale reshape expand");
  vjp_with(producer(stats[0]), {none, in({3})});
  BOOST_CHECK_EQUAL(appended(), "reshape ewise:sub ewise:scale reshape ewise:mul");
  const auto half = b.add_n("norm_stats", {in({4, 3, 5}, DataType::bf16)});
  vjp_with(producer(half[0]), {in({3}), in({3})});
}

BOOST_AUTO_TEST_CASE(boundaries) {
  const ValueId x = in({4, 3}), dy = in({4, 3});
  BOOST_CHECK(!ops::op("stop_gradient").vjp);
  BOOST_CHECK(!ops::op("input").vjp);
  BOOST_CHECK_EQUAL(vjp_with(producer(b.add("reorder", {x})), {dy})[0], dy);
}

BOOST_AUTO_TEST_CASE(the_gradient_of_another_place_is_the_cotangent_itself) {
  for (const auto& [from, to] : {std::pair{"S0", "R"}, {"R", "S0"}, {"P", "R"}, {"S0", "S1"}, {"P", "S0"}}) {
    const ValueId x = in({4, 4}, DataType::f32, from);
    const ValueId y = b.add("redistribute", {x}, {{"to", to}});
    const ValueId dy = in({4, 4}, DataType::f32, "S0");
    BOOST_CHECK_EQUAL(vjp_with(producer(y), {dy})[0], dy);
  }
  const ValueId x = in({4, 4}, DataType::f32, "P"), dy = in({4, 4});
  const ValueId y = b.add("all_reduce", {x}, {{"mesh_axis", 0}, {"fn", "sum"}});
  BOOST_CHECK_EQUAL(vjp_with(producer(y), {dy})[0], dy);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_differentiated_is_refused_not_zero) {
  const ValueId x = in({4, 3, 5, 5}), c = in({3});
  const auto refused = [&](ValueId v) {
    const graph::Node n = producer(v);
    ops::VjpArgs args{b, n, {x, c}, std::vector<bool>(n.inputs.size(), true)};
    const std::size_t before = g.nodes.size();
    BOOST_CHECK_THROW(ops::op(n.op).vjp(args), lbann::base::Error);
    BOOST_CHECK_EQUAL(g.nodes.size(), before);
  };
  refused(b.add("norm_bwd_stats", {x, x, c, c}));
  refused(b.add("softmax_bwd", {x, x}, {{"axis", 1}}));
  // A merged activation would be forgotten.
  refused(b.add("norm_apply", {x, c, c, c, c}, {{"act", "relu"}}));
  graph::Attrs attrs = conv_attrs({1, 1}, {1, 1}, {1, 1});
  attrs.set("act", "relu");
  refused(b.add("conv", {x, in({3, 3, 3, 3})}, attrs));
  refused(b.add("matmul", {in({2, 3}), in({3, 2})}, {{"act", "relu"}}));
  refused(b.ewise("relu_grad", {x, x}));
  refused(b.add("fused_ewise", {x}, {{"program", "t0=relu(i0);o0=t0"}}));
}

BOOST_AUTO_TEST_SUITE_END()
