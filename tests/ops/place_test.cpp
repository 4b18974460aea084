// Placement rules, one mesh axis at a time: legal combinations with their result, illegal ones, and
// that the builder applies them to every axis.
#include <boost/test/unit_test.hpp>

#include "graph_fixture.hpp"

using namespace lbann::ops::test;
namespace ops = lbann::ops;
namespace tensor = lbann::tensor;

namespace {

struct PlaceFixture : Fixture {
  /// Placements of the outputs joined by blanks, or "illegal". Operands as shapes with placements.
  std::string place(std::string_view op, const std::vector<std::pair<Shape, const char*>>& operands,
                    lbann::graph::Attrs attrs = {}) {
    std::vector<ValueId> inputs;
    for (const auto& [shape, placement] : operands) {
      const bool scalars = op == "update" && &shape == &operands.back().first;
      inputs.push_back(in(shape, scalars ? DataType::f64 : DataType::f32, placement));
    }
    try {
      std::string text;
      for (ValueId v : b.add_n(op, std::move(inputs), std::move(attrs))) {
        text += (text.empty() ? "" : " ") + b.spec(v).placement.to_string();
      }
      return text;
    } catch (const lbann::base::Error& e) {
      BOOST_CHECK_NE(std::string(e.what()).find("are not legal"), std::string::npos);
      return "illegal";
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(placement, PlaceFixture)

BOOST_AUTO_TEST_CASE(replicated_operands_give_replicated_results_everywhere) {
  BOOST_CHECK_EQUAL(place("norm_stats", {{{4, 3}, "R"}}), "R R");
  BOOST_CHECK_EQUAL(place("all_finite", {{{4, 3}, "R"}}), "R");
}

BOOST_AUTO_TEST_CASE(ewise) {
  const Shape x{4, 3}, row{1, 3};
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S0"}, {x, "S0"}}, {{"fn", "mul"}}), "S0");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S1"}, {x, "S1"}}, {{"fn", "mul"}}), "S1");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S0"}, {row, "R"}}, {{"fn", "mul"}}), "S0");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S1"}, {row, "S1"}}, {{"fn", "mul"}}), "S1");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S0"}, {x, "R"}}, {{"fn", "mul"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S1"}, {row, "R"}}, {{"fn", "mul"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S0"}, {row, "S0"}}, {{"fn", "mul"}}),
                    "illegal");  // one rank has the row
  BOOST_CHECK_EQUAL(place("ewise", {{x, "S0"}, {x, "S1"}}, {{"fn", "mul"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "P"}}, {{"fn", "add"}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "R"}}, {{"fn", "add"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "S0"}}, {{"fn", "add"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "R"}}, {{"fn", "mul"}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "R"}, {x, "P"}}, {{"fn", "mul"}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "P"}}, {{"fn", "mul"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "R"}}, {{"fn", "div"}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "R"}, {x, "P"}}, {{"fn", "div"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}}, {{"fn", "scale"}, {"a", 2.0}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}}, {{"fn", "affine"}, {"a", 2.0}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}}, {{"fn", "relu"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "R"}}, {{"fn", "relu_grad"}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "R"}, {x, "P"}}, {{"fn", "relu_grad"}}), "illegal");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "R"}, {x, "P"}}, {{"fn", "where_first"}}), "P");
  BOOST_CHECK_EQUAL(place("ewise", {{x, "P"}, {x, "R"}}, {{"fn", "where_first"}}), "illegal");
  BOOST_CHECK_EQUAL(place("fused_ewise", {{x, "S0"}, {row, "R"}}, {{"program", "t0=mul(i0,i1);o0=t0"}}),
                    "S0");
  BOOST_CHECK_EQUAL(place("fused_ewise", {{x, "P"}}, {{"program", "t0=neg(i0);o0=t0"}}), "illegal");
  BOOST_CHECK_EQUAL(place("cast", {{x, "S1"}}, {{"type", "bf16"}}), "S1");
}

// Every scalar function that passes P is linear in the partial operands: f(u + v, ..) = f(u, ..) + f(v, ..),
// checked on the definitions that the table's own words give for the linear ones.
BOOST_AUTO_TEST_CASE(functions_with_offset_or_curvature_refuse_partial_sums) {
  for (const char* fn : {"affine", "square", "abs", "sqrt", "rsqrt", "exp", "log", "relu", "leaky_relu",
                         "elu", "sigmoid", "tanh", "scale_clamp"}) {
    BOOST_CHECK_EQUAL(place("ewise", {{{4}, "P"}}, {{"fn", fn}}), "illegal");
  }
  for (const char* fn : {"max2", "min2", "eq", "xent", "xent_log"}) {
    BOOST_CHECK_EQUAL(place("ewise", {{{4}, "P"}, {{4}, "R"}}, {{"fn", fn}}), "illegal");
    BOOST_CHECK_EQUAL(place("ewise", {{{4}, "P"}, {{4}, "P"}}, {{"fn", fn}}), "illegal");
  }
}

BOOST_AUTO_TEST_CASE(movement) {
  const auto reshape = [&](Shape from, const char* p, Ints to) {
    return place("reshape", {{from, p}}, {{"dims", to}});
  };
  BOOST_CHECK_EQUAL(reshape({4, 16, 5, 5}, "S0", {4, 400}), "S0");
  BOOST_CHECK_EQUAL(reshape({4, 400}, "S0", {4, 16, 5, 5}), "S0");
  BOOST_CHECK_EQUAL(reshape({4, 3}, "S0", {1, 4, 3}), "S1");
  BOOST_CHECK_EQUAL(reshape({4, 3, 5}, "S2", {12, 5}), "S1");
  BOOST_CHECK_EQUAL(reshape({4, 16, 25}, "S1", {4, 400}), "S1*25");
  BOOST_CHECK_EQUAL(reshape({4, 3}, "S0", {12}), "S0*3");
  BOOST_CHECK_EQUAL(reshape({12}, "S0*3", {4, 3}), "S0");
  BOOST_CHECK_EQUAL(reshape({12}, "S0*6", {4, 3}), "S0*2");
  BOOST_CHECK_EQUAL(reshape({12}, "S0", {4, 3}), "illegal");  // cuts within a row of 3
  BOOST_CHECK_EQUAL(reshape({4, 3}, "P", {12}), "P");
  BOOST_CHECK_EQUAL(place("permute", {{{2, 3, 4}, "S0"}}, {{"perm", Ints{2, 0, 1}}}), "S1");
  BOOST_CHECK_EQUAL(place("permute", {{{2, 3, 4}, "S2"}}, {{"perm", Ints{2, 0, 1}}}), "S0");
  BOOST_CHECK_EQUAL(place("permute", {{{2, 3, 4}, "P"}}, {{"perm", Ints{2, 0, 1}}}), "P");
  const lbann::graph::Attrs slice{{"axis", 1}, {"start", 0}, {"stop", 2}},
      pad{{"axis", 1}, {"before", 0}, {"after", 2}};
  BOOST_CHECK_EQUAL(place("slice", {{{4, 3}, "S0"}}, slice), "S0");
  BOOST_CHECK_EQUAL(place("slice", {{{4, 3}, "S1"}}, slice), "illegal");
  BOOST_CHECK_EQUAL(place("slice", {{{4, 3}, "P"}}, slice), "P");
  BOOST_CHECK_EQUAL(place("pad", {{{4, 3}, "S0"}}, pad), "S0");
  BOOST_CHECK_EQUAL(place("pad", {{{4, 3}, "S1"}}, pad), "illegal");
  BOOST_CHECK_EQUAL(place("concat", {{{4, 3}, "S0"}, {{4, 2}, "S0"}}, {{"axis", 1}}), "S0");
  BOOST_CHECK_EQUAL(place("concat", {{{4, 3}, "S0"}, {{4, 2}, "R"}}, {{"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("concat", {{{4, 3}, "S1"}, {{4, 2}, "S1"}}, {{"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("concat", {{{4, 3}, "P"}, {{4, 2}, "P"}}, {{"axis", 1}}), "P");
  BOOST_CHECK_EQUAL(place("expand", {{{4, 1}, "S0"}}, {{"dims", Ints{4, 7}}}), "S0");
  BOOST_CHECK_EQUAL(place("expand", {{{4, 1}, "S1"}}, {{"dims", Ints{4, 7}}}), "illegal");
  BOOST_CHECK_EQUAL(place("expand", {{{4, 1}, "P"}}, {{"dims", Ints{4, 7}}}), "P");
}

BOOST_AUTO_TEST_CASE(reductions_and_softmax) {
  const auto reduce = [&](const char* fn, const char* p, Ints axes) {
    return place("reduce", {{{4, 3}, p}}, {{"fn", fn}, {"axes", axes}});
  };
  BOOST_CHECK_EQUAL(reduce("sum", "S0", {0}), "P");
  BOOST_CHECK_EQUAL(reduce("sum", "S0", {1}), "S0");
  BOOST_CHECK_EQUAL(reduce("sum", "S0", {0, 1}), "P");
  BOOST_CHECK_EQUAL(reduce("sum", "P", {0}), "P");
  BOOST_CHECK_EQUAL(reduce("mean", "S0", {1}), "S0");
  BOOST_CHECK_EQUAL(reduce("mean", "S0", {0}), "P");
  BOOST_CHECK_EQUAL(reduce("mean", "P", {0}), "P");
  BOOST_CHECK_EQUAL(reduce("max", "S0", {1}), "S0");
  BOOST_CHECK_EQUAL(reduce("max", "S0", {0}), "R");
  BOOST_CHECK_EQUAL(reduce("max", "P", {0}), "illegal");
  BOOST_CHECK_EQUAL(place("arg_reduce", {{{4, 3}, "S0"}}, {{"fn", "max"}, {"axis", 1}}), "S0");
  BOOST_CHECK_EQUAL(place("arg_reduce", {{{4, 3}, "S1"}}, {{"fn", "max"}, {"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("arg_reduce", {{{4, 3}, "P"}}, {{"fn", "max"}, {"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("all_finite", {{{4, 3}, "S0"}}), "R");
  BOOST_CHECK_EQUAL(place("softmax", {{{4, 3}, "S0"}}, {{"axis", 1}}), "S0");
  BOOST_CHECK_EQUAL(place("softmax", {{{4, 3}, "S1"}}, {{"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("softmax", {{{4, 3}, "P"}}, {{"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("softmax_bwd", {{{4, 3}, "S0"}, {{4, 3}, "S0"}}, {{"axis", 1}}), "S0");
  BOOST_CHECK_EQUAL(place("softmax_bwd", {{{4, 3}, "P"}, {{4, 3}, "R"}}, {{"axis", 1}}), "P");
  BOOST_CHECK_EQUAL(place("softmax_bwd", {{{4, 3}, "R"}, {{4, 3}, "P"}}, {{"axis", 1}}), "illegal");
  BOOST_CHECK_EQUAL(place("softmax_bwd", {{{4, 3}, "S0"}, {{4, 3}, "R"}}, {{"axis", 1}}), "illegal");
}

BOOST_AUTO_TEST_CASE(matmul) {
  const auto product = [&](const char* a, const char* c, const char* bias = nullptr, std::int64_t ta = 0,
                           std::int64_t tb = 0) {
    std::vector<std::pair<Shape, const char*>> operands = {{{2, 4, 4}, a}, {{2, 4, 4}, c}};
    if (bias != nullptr) operands.push_back({{4}, bias});
    return place("matmul", operands, {{"ta", ta}, {"tb", tb}});
  };
  BOOST_CHECK_EQUAL(product("S1", "R"), "S1");                 // m
  BOOST_CHECK_EQUAL(product("R", "S2"), "S2");                 // n
  BOOST_CHECK_EQUAL(product("S2", "S1"), "P");                 // k
  BOOST_CHECK_EQUAL(product("S0", "S0"), "S0");                // batch
  BOOST_CHECK_EQUAL(product("S2", "R", nullptr, 1, 0), "S1");  // m of a transposed
  BOOST_CHECK_EQUAL(product("R", "S1", nullptr, 0, 1), "S2");  // n of a transposed
  BOOST_CHECK_EQUAL(product("S1", "S2", nullptr, 1, 1), "P");  // k of both transposed
  BOOST_CHECK_EQUAL(product("P", "R"), "P");
  BOOST_CHECK_EQUAL(product("R", "P"), "P");
  BOOST_CHECK_EQUAL(product("P", "P"), "illegal");
  BOOST_CHECK_EQUAL(product("S1", "S1"), "illegal");
  BOOST_CHECK_EQUAL(product("S2", "R"), "illegal");
  BOOST_CHECK_EQUAL(product("S0", "R"), "illegal");
  BOOST_CHECK_EQUAL(product("S1", "S2"), "illegal");
  BOOST_CHECK_EQUAL(product("S1", "R", "R"), "S1");
  BOOST_CHECK_EQUAL(product("S1", "R", "S0"), "illegal");
  BOOST_CHECK_EQUAL(product("R", "S2", "S0"), "S2");
  BOOST_CHECK_EQUAL(product("R", "S2", "R"), "illegal");
  BOOST_CHECK_EQUAL(product("S2", "S1", "R"), "illegal");  // would be added once per rank
  BOOST_CHECK_EQUAL(product("S2", "S1", "P"), "P");
  BOOST_CHECK_EQUAL(place("matmul", {{{4, 4}, "S1"}, {{4, 4}, "S0"}}, {{"act", "relu"}}), "illegal");
  BOOST_CHECK_EQUAL(place("matmul", {{{4, 4}, "S0"}, {{4, 4}, "R"}}, {{"act", "relu"}}), "S0");
}

BOOST_AUTO_TEST_CASE(conv_under_batch_sharding) {
  const lbann::graph::Attrs attrs = conv_attrs({1, 1}, {1, 1}, {1, 1});
  const Shape x{4, 3, 6, 6}, w{8, 3, 3, 3}, y{4, 8, 6, 6};
  BOOST_CHECK_EQUAL(place("conv", {{x, "S0"}, {w, "R"}}, attrs), "S0");
  BOOST_CHECK_EQUAL(place("conv", {{x, "S0"}, {w, "R"}, {{8}, "R"}}, attrs), "S0");
  BOOST_CHECK_EQUAL(place("conv", {{x, "S1"}, {w, "S1"}}, attrs), "illegal");
  BOOST_CHECK_EQUAL(place("conv", {{x, "S2"}, {w, "R"}}, attrs), "illegal");
  BOOST_CHECK_EQUAL(place("conv", {{x, "S0"}, {w, "S0"}}, attrs), "illegal");
  BOOST_CHECK_EQUAL(place("conv", {{x, "P"}, {w, "R"}}, attrs), "P");
  BOOST_CHECK_EQUAL(place("conv", {{x, "P"}, {w, "R"}, {{8}, "R"}}, attrs), "illegal");
  lbann::graph::Attrs data = attrs, weights = attrs;
  data.set("input_dims", x.dims());
  weights.set("kernel_dims", w.dims());
  weights.set("bias", std::int64_t{1});
  BOOST_CHECK_EQUAL(place("conv_bwd_data", {{y, "S0"}, {w, "R"}}, data), "S0");
  BOOST_CHECK_EQUAL(place("conv_bwd_data", {{y, "P"}, {w, "R"}}, data), "P");
  BOOST_CHECK_EQUAL(place("conv_bwd_data", {{y, "S1"}, {w, "S0"}}, data), "illegal");
  BOOST_CHECK_EQUAL(place("conv_bwd_weights", {{x, "S0"}, {y, "S0"}}, weights), "P P");
  BOOST_CHECK_EQUAL(place("conv_bwd_weights", {{x, "R"}, {y, "P"}}, weights), "P P");
  BOOST_CHECK_EQUAL(place("conv_bwd_weights", {{x, "S0"}, {y, "R"}}, weights), "illegal");
  BOOST_CHECK_EQUAL(place("conv_bwd_weights", {{x, "P"}, {y, "R"}}, weights), "illegal");  // db would be R
  weights.erase("bias");
  BOOST_CHECK_EQUAL(place("conv_bwd_weights", {{x, "P"}, {y, "R"}}, weights), "P");
}

BOOST_AUTO_TEST_CASE(pooling) {
  lbann::graph::Attrs attrs = pool_attrs("max", {2, 2}, {2, 2}, {0, 0});
  const Shape x{4, 3, 6, 6}, y{4, 3, 3, 3};
  BOOST_CHECK_EQUAL(place("pool", {{x, "S0"}}, attrs), "S0");
  BOOST_CHECK_EQUAL(place("pool", {{x, "S1"}}, attrs), "S1");
  BOOST_CHECK_EQUAL(place("pool", {{x, "S2"}}, attrs), "illegal");
  BOOST_CHECK_EQUAL(place("pool", {{x, "P"}}, attrs), "illegal");
  lbann::graph::Attrs bwd = attrs;
  bwd.set("input_dims", x.dims());
  BOOST_CHECK_EQUAL(place("pool_bwd", {{y, "S0"}, {x, "S0"}}, bwd), "S0");
  BOOST_CHECK_EQUAL(place("pool_bwd", {{y, "S0"}, {x, "R"}}, bwd), "illegal");
  BOOST_CHECK_EQUAL(place("pool_bwd", {{y, "P"}, {x, "R"}}, bwd), "P");
  attrs.set("saved", std::int64_t{36});
  BOOST_CHECK_EQUAL(place("pool", {{x, "S0"}}, attrs), "S0 S0");
  BOOST_CHECK_EQUAL(place("pool", {{x, "S1"}}, attrs), "illegal");
  attrs = pool_attrs("avg", {2, 2}, {2, 2}, {0, 0});
  BOOST_CHECK_EQUAL(place("pool", {{x, "P"}}, attrs), "P");
}

BOOST_AUTO_TEST_CASE(normalisation) {
  const Shape x{4, 3, 5}, c{3};
  BOOST_CHECK_EQUAL(place("norm_stats", {{x, "S0"}}), "R R");  // of all ranks together
  BOOST_CHECK_EQUAL(place("norm_stats", {{x, "S1"}}), "S0 S0");
  BOOST_CHECK_EQUAL(place("norm_stats", {{x, "P"}}), "illegal");
  BOOST_CHECK_EQUAL(place("norm_apply", {{x, "S0"}, {c, "R"}, {c, "R"}, {c, "R"}, {c, "R"}}), "S0");
  BOOST_CHECK_EQUAL(place("norm_apply", {{x, "S1"}, {c, "S0"}, {c, "S0"}, {c, "S0"}, {c, "S0"}}), "S1");
  BOOST_CHECK_EQUAL(place("norm_apply", {{x, "S1"}, {c, "R"}, {c, "S0"}, {c, "S0"}, {c, "S0"}}), "illegal");
  BOOST_CHECK_EQUAL(place("norm_apply", {{x, "S2"}, {c, "R"}, {c, "R"}, {c, "R"}, {c, "R"}}), "S2");
  BOOST_CHECK_EQUAL(place("norm_bwd_stats", {{x, "S0"}, {x, "S0"}, {c, "R"}, {c, "R"}}), "P P");
  BOOST_CHECK_EQUAL(place("norm_bwd_stats", {{x, "S1"}, {x, "S1"}, {c, "S0"}, {c, "S0"}}), "S0 S0");
  BOOST_CHECK_EQUAL(place("norm_bwd_stats", {{x, "S0"}, {x, "R"}, {c, "R"}, {c, "R"}}), "illegal");
  BOOST_CHECK_EQUAL(
      place("norm_bwd_apply", {{x, "S0"}, {x, "S0"}, {c, "R"}, {c, "R"}, {c, "R"}, {c, "R"}, {c, "R"}}),
      "S0");
  BOOST_CHECK_EQUAL(
      place("norm_bwd_apply", {{x, "S0"}, {x, "S0"}, {c, "R"}, {c, "R"}, {c, "R"}, {c, "P"}, {c, "R"}}),
      "illegal");
}

BOOST_AUTO_TEST_CASE(updates_lie_like_their_weight) {
  const lbann::graph::Attrs attrs{{"rule", "momentum"}, {"slot", 0}};
  const Shape w{8, 3};
  const auto update = [&](const char* a, const char* dw, const char* v, const char* s) {
    return place("update", {{w, a}, {w, dw}, {w, v}, {{2}, s}}, attrs);
  };
  BOOST_CHECK_EQUAL(update("S0", "S0", "S0", "R"), "S0 S0");
  BOOST_CHECK_EQUAL(update("R", "P", "R", "R"), "illegal");
  BOOST_CHECK_EQUAL(update("S0", "R", "S0", "R"), "illegal");
  BOOST_CHECK_EQUAL(update("P", "P", "P", "R"), "illegal");
  BOOST_CHECK_EQUAL(update("R", "R", "R", "S0"), "illegal");
}

BOOST_AUTO_TEST_CASE(axes_of_the_mesh_are_independent) {
  BOOST_CHECK_EQUAL(place("matmul", {{{4, 4}, "S0,S1"}, {{4, 4}, "R,S0"}}), "S0,P");
  BOOST_CHECK_EQUAL(place("matmul", {{{4, 4}, "S0"}, {{4, 4}, "R,S1"}}), "S0,S1");
  BOOST_CHECK_EQUAL(place("matmul", {{{4, 4}, "S0,S1"}, {{4, 4}, "R,R"}}), "illegal");
  BOOST_CHECK_EQUAL(place("redistribute", {{{4, 4}, "S0,P"}}, {{"to", "R,S1"}}), "R,S1");
}

// Indices sharded over the mini-batch: every rank knows a part of every row's sum.
BOOST_AUTO_TEST_CASE(indexing) {
  const auto gather = [&](const char* table, const char* index) {
    try {
      return b.spec(b.add("gather", {in({8, 4}, DataType::f32, table), in({6, 2}, DataType::i64, index)}))
          .placement.to_string();
    } catch (const lbann::base::Error&) {
      return std::string("illegal");
    }
  };
  BOOST_CHECK_EQUAL(gather("R", "R"), "R");
  BOOST_CHECK_EQUAL(gather("R", "S0"), "S0");
  BOOST_CHECK_EQUAL(gather("S1", "R"), "S2");
  BOOST_CHECK_EQUAL(gather("P", "R"), "P");
  BOOST_CHECK_EQUAL(gather("S0", "R"), "illegal");
  BOOST_CHECK_EQUAL(gather("S1", "S0"), "illegal");
  BOOST_CHECK_EQUAL(gather("R", "P"), "illegal");
  const auto scatter = [&](const char* index, const char* rows) {
    try {
      return b
          .spec(b.add("scatter_add", {in({6, 2}, DataType::i64, index), in({6, 2, 4}, DataType::f32, rows)},
                      {{"rows", 8}}))
          .placement.to_string();
    } catch (const lbann::base::Error&) {
      return std::string("illegal");
    }
  };
  BOOST_CHECK_EQUAL(scatter("R", "R"), "R");
  BOOST_CHECK_EQUAL(scatter("S0", "S0"), "P");
  BOOST_CHECK_EQUAL(scatter("R", "P"), "P");
  BOOST_CHECK_EQUAL(scatter("R", "S2"), "S1");
  BOOST_CHECK_EQUAL(scatter("R", "S0"), "illegal");
  BOOST_CHECK_EQUAL(scatter("S0", "R"), "illegal");
  BOOST_CHECK_EQUAL(scatter("S0", "P"), "illegal");
}

BOOST_AUTO_TEST_SUITE_END()
