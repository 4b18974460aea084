// Shape rules of the primitives without windows, and every refusal.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "graph_fixture.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;
using lbann::graph::Attrs;

BOOST_FIXTURE_TEST_SUITE(infer, Fixture)

BOOST_AUTO_TEST_CASE(ewise) {
  BOOST_CHECK_EQUAL(add("ewise", {in({4, 3}), in({1, 3})}, {{"fn", "add"}}), "f32[4,3]");
  BOOST_CHECK_EQUAL(add("ewise", {in({4, 1}), in({1, 3})}, {{"fn", "mul"}}), "f32[4,3]");
  BOOST_CHECK_EQUAL(add("ewise", {in({}), in({})}, {{"fn", "mul"}}), "f32[]");
  BOOST_CHECK_EQUAL(add("ewise", {in({0, 3}), in({1, 3})}, {{"fn", "add"}}), "f32[0,3]");
  BOOST_CHECK_EQUAL(add("ewise", {in({4}, DataType::i64), in({4}, DataType::i64)}, {{"fn", "eq"}}), "i64[4]");
  BOOST_CHECK_EQUAL(add("ewise", {in({2, 1, 1}), in({1, 3, 1}), in({1, 1, 4})}, {{"fn", "where"}}),
                    "f32[2,3,4]");
  BOOST_CHECK_EQUAL(add("ewise", {in({4, 3}), in({4, 2})}, {{"fn", "add"}}),
                    "broadcast-extents: add: extents 3 and 2 differ in dim 1 of [4,3] and [4,2]");
  BOOST_CHECK_EQUAL(add("ewise", {in({4, 3}), in({3})}, {{"fn", "add"}}),
                    "rank-mismatch: add: operands [4,3] and [3] have ranks 2 and 1");
  BOOST_CHECK_EQUAL(add("ewise", {in({4}), in({4}, DataType::f64)}, {{"fn", "add"}}),
                    "type-mismatch: add: operands of types f32 and f64");
  BOOST_CHECK_EQUAL(add("ewise", {in({4})}, {{"fn", "add"}}), "internal: ewise add: 1 operands, expected 2");
  BOOST_CHECK_EQUAL(add("ewise", {in({4})}, {{"fn", "frobnicate"}}),
                    "internal: no scalar function 'frobnicate'");
}

BOOST_AUTO_TEST_CASE(cast_and_fill) {
  BOOST_CHECK_EQUAL(add("cast", {in({4, 3})}, {{"type", "bf16"}}), "bf16[4,3]");
  BOOST_CHECK_EQUAL(add("cast", {in({4, 3})}, {{"type", "float"}}), "internal: cast: unknown type 'float'");
  BOOST_CHECK_EQUAL(add("fill", {}, {{"type", "f64"}, {"dims", Ints{2, 3}}, {"value", 0.5}}), "f64[2,3]");
  BOOST_CHECK_EQUAL(add("fill", {}, {{"type", "f64"}, {"dims", Ints{2, -3}}, {"value", 0.5}}),
                    "negative-extent: fill: extent -3 in [2,-3]");
  BOOST_CHECK_EQUAL(
      add("fill", {}, {{"type", "f64"}, {"dims", Ints{1 << 30, 1 << 30, 1 << 30}}, {"value", 0.5}}),
      "tensor-too-large: fill: a tensor [1073741824,1073741824,1073741824] has more than 2^62 elements");
  BOOST_CHECK_EQUAL(add("fill", {}, {{"type", "f64"}, {"dims", Ints(13, 1)}, {"value", 0.5}}),
                    "rank-too-large: fill: a tensor of rank 13, at most 12 are possible");
  BOOST_CHECK_EQUAL(add("fill", {}, {{"type", "f64"}, {"dims", Ints{2}}}),
                    "internal: node has no attribute 'value'");
}

BOOST_AUTO_TEST_CASE(reshape) {
  BOOST_CHECK_EQUAL(add("reshape", {in({256, 16, 5, 5})}, {{"dims", Ints{256, 400}}}), "f32[256,400]");
  BOOST_CHECK_EQUAL(add("reshape", {in({1, 1})}, {{"dims", Ints{}}}), "f32[]");
  BOOST_CHECK_EQUAL(add("reshape", {in({256, 16, 5, 5})}, {{"dims", Ints{256, 401}}}),
                    "reshape-count: reshape: [256,16,5,5] has 102400 elements, [256,401] has 102656");
  BOOST_CHECK_EQUAL(add("reshape", {in({6})}, {{"dims", Ints{-2, -3}}}),
                    "negative-extent: reshape: extent -2 in [-2,-3]");
  const std::int64_t big = std::int64_t{1} << 40;
  BOOST_CHECK(add("reshape", {in({6})}, {{"dims", Ints{big, big}}}).starts_with("tensor-too-large: "));
}

BOOST_AUTO_TEST_CASE(permute) {
  BOOST_CHECK_EQUAL(add("permute", {in({2, 3, 4})}, {{"perm", Ints{2, 0, 1}}}), "f32[4,2,3]");
  BOOST_CHECK_EQUAL(add("permute", {in({2, 3, 4})}, {{"perm", Ints{0, 1}}}),
                    "permute-axes: permute: [0,1] is no permutation of the 3 dims of [2,3,4]");
  BOOST_CHECK_EQUAL(add("permute", {in({2, 3, 4})}, {{"perm", Ints{0, 1, 1}}}),
                    "permute-axes: permute: [0,1,1] is no permutation of the 3 dims of [2,3,4]");
  BOOST_CHECK_EQUAL(add("permute", {in({2, 3, 4})}, {{"perm", Ints{1, 2, 3}}}),
                    "permute-axes: permute: [1,2,3] is no permutation of the 3 dims of [2,3,4]");
}

BOOST_AUTO_TEST_CASE(slice_and_pad) {
  const auto slice = [&](std::int64_t axis, std::int64_t start, std::int64_t stop) {
    return add("slice", {in({2, 5})}, {{"axis", axis}, {"start", start}, {"stop", stop}});
  };
  BOOST_CHECK_EQUAL(slice(1, 1, 4), "f32[2,3]");
  BOOST_CHECK_EQUAL(slice(1, 0, 5), "f32[2,5]");
  BOOST_CHECK_EQUAL(slice(1, 2, 2), "f32[2,0]");
  BOOST_CHECK_EQUAL(slice(1, 1, 6), "slice-bounds: slice: range [1, 6) of dim 1, which has extent 5");
  BOOST_CHECK_EQUAL(slice(1, -1, 2), "slice-bounds: slice: range [-1, 2) of dim 1, which has extent 5");
  BOOST_CHECK_EQUAL(slice(1, 3, 2), "slice-bounds: slice: range [3, 2) of dim 1, which has extent 5");
  BOOST_CHECK_EQUAL(slice(2, 0, 1), "axis-range: slice: axis 2 of a tensor of rank 2");
  BOOST_CHECK_EQUAL(slice(-1, 0, 1), "axis-range: slice: axis -1 of a tensor of rank 2");
  const auto pad = [&](std::int64_t axis, std::int64_t before, std::int64_t after) {
    return add("pad", {in({2, 5})}, {{"axis", axis}, {"before", before}, {"after", after}});
  };
  BOOST_CHECK_EQUAL(pad(0, 1, 2), "f32[5,5]");
  BOOST_CHECK_EQUAL(pad(0, -1, 2), "pad-nonnegative: pad: -1 before and 2 after dim 0");
  BOOST_CHECK_EQUAL(pad(5, 1, 2), "axis-range: pad: axis 5 of a tensor of rank 2");
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK(pad(0, most, most).starts_with("tensor-too-large: "));
  BOOST_CHECK(pad(0, most / 2, 0).starts_with("tensor-too-large: "));
}

BOOST_AUTO_TEST_CASE(concat_and_expand) {
  const auto concat = [&](std::vector<ValueId> inputs, std::int64_t axis) {
    return add("concat", std::move(inputs), {{"axis", axis}});
  };
  BOOST_CHECK_EQUAL(concat({in({2, 3}), in({2, 4}), in({2, 1})}, 1), "f32[2,8]");
  BOOST_CHECK_EQUAL(concat({in({2, 3})}, 1), "f32[2,3]");
  BOOST_CHECK_EQUAL(concat({in({2, 3}), in({3, 4})}, 1),
                    "concat-extents: concat along dim 1: operand 1 is [3,4], operand 0 is [2,3]: extents 3 "
                    "and 2 differ in dim 0");
  BOOST_CHECK_EQUAL(concat({in({2, 3}), in({2, 3, 1})}, 1),
                    "rank-mismatch: concat: operands 0 and 1 have ranks 2 and 3");
  BOOST_CHECK_EQUAL(concat({in({2, 3})}, 2), "axis-range: concat: axis 2 of a tensor of rank 2");
  BOOST_CHECK_EQUAL(concat({in({2, 3}), in({2, 3}, DataType::f64)}, 1),
                    "type-mismatch: concat: operands of types f32 and f64");
  BOOST_CHECK_EQUAL(concat({}, 0), "internal: concat: 0 operands, expected at least 1");

  BOOST_CHECK_EQUAL(add("expand", {in({1, 3, 1})}, {{"dims", Ints{2, 3, 4}}}), "f32[2,3,4]");
  BOOST_CHECK_EQUAL(add("expand", {in({1, 3})}, {{"dims", Ints{2, 3, 4}}}),
                    "rank-mismatch: expand: [1,3] has rank 2, [2,3,4] has 3");
  BOOST_CHECK_EQUAL(add("expand", {in({1, 3})}, {{"dims", Ints{2, 6}}}),
                    "expand-extents: expand: dim 1 of [1,3] has extent 3 and cannot become 6");
}

BOOST_AUTO_TEST_CASE(reductions) {
  const auto reduce = [&](std::string fn, Shape shape, Ints axes) {
    return add("reduce", {in(shape)}, {{"fn", std::move(fn)}, {"axes", std::move(axes)}});
  };
  BOOST_CHECK_EQUAL(reduce("sum", {4, 3, 5}, {0, 2}), "f32[1,3,1]");
  BOOST_CHECK_EQUAL(reduce("mean", {4, 3, 5}, {}), "f32[4,3,5]");
  BOOST_CHECK_EQUAL(reduce("sum", {0, 3}, {0}), "f32[1,3]");
  BOOST_CHECK_EQUAL(reduce("max", {0, 3}, {0}), "reduce-empty: reduce max: dim 0 of [0,3] has extent 0");
  BOOST_CHECK_EQUAL(reduce("mean", {0, 3}, {0}), "reduce-empty: reduce mean: dim 0 of [0,3] has extent 0");
  BOOST_CHECK_EQUAL(reduce("sum", {4, 3}, {2}), "axis-range: reduce: axis 2 of a tensor of rank 2");
  BOOST_CHECK_EQUAL(reduce("sum", {4, 3}, {1, 0}), "internal: reduce: axes 1 and 0 are not ascending");
  BOOST_CHECK_EQUAL(reduce("sum", {4, 3}, {0, 0}), "internal: reduce: axes 0 and 0 are not ascending");
  BOOST_CHECK_EQUAL(reduce("median", {4, 3}, {0}), "internal: reduce: unknown fn 'median'");
  BOOST_CHECK_EQUAL(b.spec(b.reduce("sum", in({4, 3, 5}), {2, 0})).to_string(), "f32[1,3,1]");

  BOOST_CHECK_EQUAL(add("arg_reduce", {in({4, 10})}, {{"fn", "max"}, {"axis", 1}}), "i64[4,1]");
  BOOST_CHECK_EQUAL(add("arg_reduce", {in({4, 10})}, {{"fn", "max"}, {"axis", 2}}),
                    "axis-range: arg_reduce: axis 2 of a tensor of rank 2");
  BOOST_CHECK_EQUAL(add("arg_reduce", {in({4, 0})}, {{"fn", "min"}, {"axis", 1}}),
                    "reduce-empty: arg_reduce min: dim 1 of [4,0] has extent 0");
  BOOST_CHECK_EQUAL(add("arg_reduce", {in({4, 10})}, {{"fn", "sum"}, {"axis", 1}}),
                    "internal: arg_reduce: unknown fn 'sum'");

  BOOST_CHECK_EQUAL(add("all_finite", {in({4}), in({2, 3}, DataType::f64)}), "f32[1]");
  BOOST_CHECK_EQUAL(add("all_finite", {in({4}, DataType::i32)}),
                    "type-mismatch: all_finite: operand has type i32, expected floating point");
}

BOOST_AUTO_TEST_CASE(softmax) {
  BOOST_CHECK_EQUAL(add("softmax", {in({4, 10})}, {{"axis", 1}}), "f32[4,10]");
  BOOST_CHECK_EQUAL(add("softmax", {in({4, 10})}, {{"axis", 2}}),
                    "axis-range: softmax: axis 2 of a tensor of rank 2");
  BOOST_CHECK_EQUAL(add("softmax_bwd", {in({4, 10}), in({4, 10})}, {{"axis", 1}}), "f32[4,10]");
  BOOST_CHECK_EQUAL(add("softmax_bwd", {in({4, 10}), in({4, 9})}, {{"axis", 1}}),
                    "operand-shape: softmax_bwd: y has shape [4,9], expected [4,10]");
}

BOOST_AUTO_TEST_CASE(matmul) {
  const auto product = [&](Shape x, Shape y, std::int64_t ta, std::int64_t tb) {
    return add("matmul", {in(x), in(y)}, {{"ta", ta}, {"tb", tb}});
  };
  BOOST_CHECK_EQUAL(product({4, 3}, {3, 5}, 0, 0), "f32[4,5]");
  BOOST_CHECK_EQUAL(product({3, 4}, {3, 5}, 1, 0), "f32[4,5]");
  BOOST_CHECK_EQUAL(product({4, 3}, {5, 3}, 0, 1), "f32[4,5]");
  BOOST_CHECK_EQUAL(product({3, 4}, {5, 3}, 1, 1), "f32[4,5]");
  BOOST_CHECK_EQUAL(product({7, 2, 4, 3}, {7, 2, 3, 5}, 0, 0), "f32[7,2,4,5]");
  BOOST_CHECK_EQUAL(product({4, 3}, {4, 5}, 0, 0),
                    "matmul-inner: matmul: inner extents 3 and 4 of [4,3] and [4,5] differ");
  BOOST_CHECK_EQUAL(product({4, 3}, {5, 4}, 1, 1), "f32[3,5]");
  BOOST_CHECK_EQUAL(
      product({4, 3}, {5, 7}, 1, 1),
      "matmul-inner: matmul: inner extents 4 and 7 of [4,3] (transposed) and [5,7] (transposed) differ");
  BOOST_CHECK_EQUAL(product({2, 4, 3}, {1, 3, 5}, 0, 0),
                    "matmul-batch: matmul: batch extents 2 and 1 differ in dim 0 of [2,4,3] and [1,3,5]");
  BOOST_CHECK_EQUAL(product({2, 4, 3}, {3, 5}, 0, 0),
                    "rank-mismatch: matmul: operands [2,4,3] and [3,5] have ranks 3 and 2, expected equal "
                    "ranks of at least 2");
  BOOST_CHECK_EQUAL(
      product({4}, {4}, 0, 0),
      "rank-mismatch: matmul: operands [4] and [4] have ranks 1 and 1, expected equal ranks of at least 2");
  BOOST_CHECK_EQUAL(add("matmul", {in({4, 3}), in({3, 5}), in({5})}), "f32[4,5]");
  BOOST_CHECK_EQUAL(add("matmul", {in({4, 3}), in({3, 5}), in({4})}),
                    "operand-shape: matmul: bias has shape [4], expected [5]");
}

BOOST_AUTO_TEST_CASE(norms) {
  const ValueId x = in({4, 3, 5, 5}), c = in({3});
  const auto stats = b.add_n("norm_stats", {x});
  BOOST_REQUIRE_EQUAL(stats.size(), 2u);
  BOOST_CHECK_EQUAL(b.spec(stats[0]).to_string(), "f32[3]");
  BOOST_CHECK_EQUAL(b.spec(stats[1]).to_string(), "f32[3]");
  BOOST_CHECK_EQUAL(add("norm_stats", {in({4, 3}, DataType::bf16)}), "f32[3]");
  BOOST_CHECK_EQUAL(add("norm_stats", {in({4, 3}, DataType::f64)}), "f64[3]");
  BOOST_CHECK_EQUAL(add("norm_stats", {in({4})}),
                    "input-rank: input [4] has rank 1, a normalisation takes [n,c,..]");
  BOOST_CHECK_EQUAL(add("norm_stats", {in({4, 3, 0})}),
                    "reduce-empty: norm_stats: dim 2 of [4,3,0] has extent 0");

  BOOST_CHECK_EQUAL(add("norm_apply", {x, c, c, c, c}), "f32[4,3,5,5]");
  BOOST_CHECK_EQUAL(add("norm_apply", {x, c, c, c, c, c}, {{"act", "relu"}}), "f32[4,3,5,5]");
  BOOST_CHECK_EQUAL(add("norm_apply", {x, c, c, c, in({5})}),
                    "operand-shape: norm_apply: operand 4 has shape [5], expected [3]");
  BOOST_CHECK_EQUAL(add("norm_apply", {in({4, 3}, DataType::bf16), c, c, c, c}), "bf16[4,3]");
  BOOST_CHECK_EQUAL(add("norm_apply", {in({4, 3}, DataType::f64), c, c, c, c}),
                    "type-mismatch: norm_apply: operand 1 has type f32, expected f64");

  BOOST_CHECK_EQUAL(add("norm_bwd_stats", {x, x, c, c}), "f32[3]");
  BOOST_CHECK_EQUAL(add("norm_bwd_stats", {x, x, c, c, c, c}, {{"act", "relu"}}), "f32[3]");
  BOOST_CHECK_EQUAL(add("norm_bwd_stats", {x, x, c, c, c, c}),
                    "internal: norm_bwd_stats: 6 operands, expected 4");
  BOOST_CHECK_EQUAL(add("norm_bwd_apply", {x, x, c, c, c, c, c}), "f32[4,3,5,5]");
  BOOST_CHECK_EQUAL(add("norm_bwd_apply", {x, x, c, c, c, c, c, c, c}, {{"act", "relu"}}), "f32[4,3,5,5]");
  BOOST_CHECK_EQUAL(add("norm_bwd_apply", {x, in({4, 3}), c, c, c, c, c}),
                    "operand-shape: norm_bwd_apply: x has shape [4,3], expected [4,3,5,5]");
}

BOOST_AUTO_TEST_CASE(update) {
  const ValueId w = in({3, 5}), dw = in({3, 5}), m = in({3, 5}), v = in({3, 5}), s = in({10}, DataType::f64),
                one = in({1});
  const auto attrs = [](std::string rule, std::int64_t slot, std::int64_t commit = 0) {
    return Attrs{{"rule", std::move(rule)}, {"slot", slot}, {"commit", commit}};
  };
  BOOST_CHECK_EQUAL(b.add_n("update", {w, dw, s}, attrs("sgd", 0)).size(), 1u);
  BOOST_CHECK_EQUAL(b.add_n("update", {w, dw, m, s}, attrs("momentum", 0)).size(), 2u);
  BOOST_CHECK_EQUAL(b.add_n("update", {w, dw, m, v, s}, attrs("adam", 3)).size(), 3u);
  BOOST_CHECK_EQUAL(b.add_n("update", {w, dw, m, v, s, one}, attrs("adam", 0, 1)).size(), 3u);
  BOOST_CHECK_EQUAL(add("update", {w, dw, m, v, s}, attrs("adam", 4)),
                    "internal: update adam: 7 slots from 4 on do not fit into step scalars [10]");
  BOOST_CHECK_EQUAL(add("update", {w, dw, s}, attrs("sgd", -1)),
                    "internal: update sgd: 1 slots from -1 on do not fit into step scalars [10]");
  BOOST_CHECK_EQUAL(add("update", {w, dw, s}, attrs("adam", 0)),
                    "internal: update adam: 3 operands, expected 5");
  BOOST_CHECK_EQUAL(add("update", {w, dw, s}, attrs("sgd", 0, 1)),
                    "internal: update sgd: 3 operands, expected 4");
  BOOST_CHECK_EQUAL(add("update", {w, dw, s}, attrs("adamax", 0)), "internal: update: unknown rule 'adamax'");
  BOOST_CHECK_EQUAL(add("update", {w, in({3, 4}), s}, attrs("sgd", 0)),
                    "operand-shape: update: gradient has shape [3,4], expected [3,5]");
  BOOST_CHECK_EQUAL(add("update", {w, dw, in({10})}, attrs("sgd", 0)),
                    "type-mismatch: update: step scalars has type f32, expected f64");
  BOOST_CHECK_EQUAL(add("update", {w, dw, s, in({2})}, attrs("sgd", 0, 1)),
                    "operand-shape: update: commit has shape [2], expected [1]");
}

BOOST_AUTO_TEST_CASE(indexing) {
  const ValueId table = in({7, 5}), index = in({3, 2}, DataType::i64), dy = in({3, 2, 5});
  BOOST_CHECK_EQUAL(add("gather", {table, index}), "f32[3,2,5]");
  BOOST_CHECK_EQUAL(add("gather", {table, in({3, 2})}),
                    "type-mismatch: gather: index has type f32, expected i64");
  BOOST_CHECK_EQUAL(add("gather", {in({7}), index}),
                    "rank-mismatch: gather: table [7] has rank 1, expected 2");
  BOOST_CHECK_EQUAL(add("scatter_add", {index, dy}, {{"rows", 7}}), "f32[7,5]");
  BOOST_CHECK_EQUAL(add("scatter_add", {index, in({2, 3, 5})}, {{"rows", 7}}),
                    "operand-shape: scatter_add: rows has shape [2,3,5], expected [3,2,5]");
  BOOST_CHECK_EQUAL(add("scatter_add", {index, in({3, 5})}, {{"rows", 7}}),
                    "rank-mismatch: scatter_add: rows [3,5] have rank 2, expected 3 for indices [3,2]");
  BOOST_CHECK_EQUAL(add("scatter_add", {index, dy}, {{"rows", -7}}),
                    "negative-extent: scatter_add: extent -7 in [-7,5]");
  const ValueId m = in({7, 5}), s = in({4}, DataType::f64);
  const auto attrs = [](std::string rule) {
    return Attrs{{"rule", std::move(rule)}, {"slot", 0}, {"commit", 0}};
  };
  BOOST_CHECK_EQUAL(b.add_n("update_rows", {table, index, dy, s}, attrs("sgd")).size(), 1u);
  BOOST_CHECK_EQUAL(b.add_n("update_rows", {table, index, dy, m, s}, attrs("momentum")).size(), 2u);
  BOOST_CHECK_EQUAL(add("update_rows", {table, index, table, s}, attrs("sgd")),
                    "operand-shape: update_rows: gradient has shape [7,5], expected [3,2,5]");
  BOOST_CHECK_EQUAL(add("update_rows", {table, dy, dy, s}, attrs("sgd")),
                    "type-mismatch: update_rows: index has type f32, expected i64");
  BOOST_CHECK_EQUAL(add("update_rows", {table, index, dy, s}, attrs("momentum")),
                    "internal: update_rows momentum: 4 operands, expected 5");
}

BOOST_AUTO_TEST_CASE(boundaries_and_identities) {
  const ValueId w = b.weight("conv1_kernel", {DataType::f32, {6, 1, 5, 5}, {}}, "state");
  BOOST_CHECK_EQUAL(producer(w).op, "weight");
  BOOST_CHECK_EQUAL(producer(w).attrs.get_text("name"), "conv1_kernel");
  BOOST_CHECK_EQUAL(producer(w).attrs.get_text("role"), "state");
  BOOST_CHECK_EQUAL(g.value(w).name, "conv1_kernel");
  BOOST_CHECK_EQUAL(add("stop_gradient", {w}), "f32[6,1,5,5]");
  BOOST_CHECK_EQUAL(add("reorder", {w}), "f32[6,1,5,5]");
  BOOST_CHECK_EQUAL(add("redistribute", {w}, {{"to", "S0"}}), "f32[6,1,5,5]@S0");
  BOOST_CHECK_EQUAL(add("redistribute", {w}, {{"to", "S4"}}),
                    "axis-range: redistribute: axis 4 of a tensor of rank 4");
  BOOST_CHECK_EQUAL(add("input", {}), "internal: input: the spec of a boundary is declared, not inferred");
  BOOST_CHECK_EQUAL(add("frobnicate", {}), "internal: no primitive 'frobnicate'");
}

BOOST_AUTO_TEST_CASE(builder_shorthands_add_nothing_where_nothing_changes) {
  const ValueId x = in({4, 3});
  BOOST_CHECK_EQUAL(b.reshape(x, {4, 3}), x);
  BOOST_CHECK_EQUAL(b.expand(x, {4, 3}), x);
  BOOST_CHECK_EQUAL(b.cast(x, DataType::f32), x);
  BOOST_CHECK_EQUAL(g.nodes.size(), 1u);
  b.set_origin(g.add_origin({"fc1", "fully_connected", {}}));
  b.set_phase(lbann::graph::Phase::backward);
  const ValueId y = b.scale(x, -0.0);
  BOOST_CHECK_EQUAL(producer(y).origin, 1);
  BOOST_CHECK(producer(y).phase == lbann::graph::Phase::backward);
  BOOST_CHECK(std::signbit(producer(y).attrs.get_real("a")));
}

BOOST_AUTO_TEST_CASE(every_documented_primitive_exists_once) {
  const std::vector<std::string_view> names = {"input",          "weight",
                                               "ewise",          "fused_ewise",
                                               "cast",           "fill",
                                               "reshape",        "permute",
                                               "slice",          "pad",
                                               "concat",         "expand",
                                               "reduce",         "arg_reduce",
                                               "softmax",        "softmax_bwd",
                                               "matmul",         "conv",
                                               "conv_bwd_data",  "conv_bwd_weights",
                                               "pool",           "pool_bwd",
                                               "norm_stats",     "norm_apply",
                                               "norm_bwd_stats", "norm_bwd_apply",
                                               "all_finite",     "update",
                                               "stop_gradient",  "reorder",
                                               "redistribute",   "gather",
                                               "scatter_add",    "update_rows",
                                               "random",         "lrn",
                                               "lrn_bwd",        "layer_norm",
                                               "layer_norm_bwd", "sort",
                                               "all_reduce",     "reduce_scatter",
                                               "all_gather",     "local_slice",
                                               "all_to_all",     "fetch_box",
                                               "scatter_box"};
  BOOST_CHECK_EQUAL(ops::all_ops().size(), names.size());
  for (const std::string_view name : names) {
    const ops::OpDef* def = ops::try_op(name);
    BOOST_REQUIRE_MESSAGE(def != nullptr, name);
    BOOST_CHECK_EQUAL(def->name, name);
  }
  BOOST_CHECK(ops::try_op("frobnicate") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
