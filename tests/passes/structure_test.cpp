// What single passes must have done to the graph.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "small_model.hpp"

namespace {

using namespace lbann;

int count(const graph::Graph& g, std::string_view op, std::string_view fn = {}) {
  int n = 0;
  for (graph::NodeId id : g.order) {
    const graph::Node& node = g.node(id);
    n += node.op == op && (fn.empty() || node.attrs.get_text("fn", "") == fn) ? 1 : 0;
  }
  return n;
}

int position(const graph::Graph& g, graph::NodeId id) {
  return static_cast<int>(std::find(g.order.begin(), g.order.end(), id) - g.order.begin());
}

passes::Compilation run_until(const std::string& last, passes::Compilation c) {
  static const auto catalogue = passes::make_reference_catalogue();
  c.catalogue = catalogue.get();
  for (const passes::Pass& p : passes::all_passes()) {
    p.run(c);
    if (last == p.name && !(last == "simplify" && c.gradients.empty() && count(c.graph, "update") == 0))
      break;
  }
  return c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(simplify_recognises_softmax_with_cross_entropy) {
  passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
  passes::simplify(c);
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "xent"), 0);
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "xent_log"), 1);
  BOOST_REQUIRE_EQUAL(count(c.graph, "softmax"), 1);  // the plain one had no other user
}

BOOST_AUTO_TEST_CASE(simplify_is_idempotent) {
  passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
  passes::simplify(c);
  const std::size_t nodes = c.graph.nodes.size();
  passes::simplify(c);
  BOOST_CHECK_EQUAL(c.graph.nodes.size(), nodes);
}

BOOST_AUTO_TEST_CASE(a_mask_is_made_again_for_the_backward_pass) {
  passes::Compilation c;
  ops::Builder b(c.graph);
  const tensor::TensorSpec spec{tensor::DataType::f32, tensor::Shape{4, 9}, {}};
  const graph::ValueId w = b.weight("w", spec);
  const graph::ValueId state = b.input("random_state", {tensor::DataType::i64, tensor::Shape{2}, {}});
  const graph::ValueId mask = b.add("random", {state},
                                    {{"distribution", "uniform"},
                                     {"type", "f32"},
                                     {"dims", spec.shape.dims()},
                                     {"stream", std::int64_t{7}}});
  const graph::ValueId total = b.reduce("sum", b.ewise("mul", {w, mask}), {0, 1});
  c.graph.outputs.push_back({"objective", b.reshape(total, tensor::Shape{1})});
  c.training = true;
  c.trainable.push_back({"w", "sgd", {}, 0});
  c.num_step_scalars = 1;
  const passes::Compilation kept = run_until("differentiate", c), made = run_until("rematerialize", c);
  BOOST_CHECK_EQUAL(count(kept.graph, "random"), 1);
  BOOST_REQUIRE_EQUAL(count(made.graph, "random"), 2);
  std::vector<graph::Node> both;
  for (graph::NodeId id : made.graph.order) {
    if (made.graph.node(id).op == "random") both.push_back(made.graph.node(id));
  }
  BOOST_CHECK(both[0].phase != both[1].phase);  // one forward, one backward
  BOOST_CHECK(both[0].attrs == both[1].attrs && both[0].inputs == both[1].inputs);
}

BOOST_AUTO_TEST_CASE(every_trainable_weight_gets_a_gradient_of_its_shape) {
  passes::Compilation c = run_until("differentiate", small_model::make(tensor::DataType::f32, 4));
  BOOST_REQUIRE_EQUAL(c.gradients.size(), 4u);
  for (const auto& [w, g] : c.gradients) BOOST_CHECK(c.graph.shape(w) == c.graph.shape(g));
}

BOOST_AUTO_TEST_CASE(weights_without_optimizer_get_none) {
  passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
  c.trainable.erase(c.trainable.begin());  // w1 is frozen
  c = run_until("differentiate", std::move(c));
  BOOST_CHECK_EQUAL(c.gradients.size(), 3u);
  // Nothing upstream of batch norm is trained: its input needs no gradient.
  BOOST_CHECK_EQUAL(count(c.graph, "norm_bwd_apply"), 0);
}

BOOST_AUTO_TEST_CASE(l2_adds_to_gradients_and_objective) {
  passes::Compilation plain = run_until("transform_gradients", small_model::make(tensor::DataType::f32, 4));
  passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
  c.l2_terms.push_back({0.5, {"w1"}});
  c = run_until("transform_gradients", std::move(c));
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "square"), count(plain.graph, "ewise", "square") + 1);
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "add"), count(plain.graph, "ewise", "add") + 2);
}

BOOST_AUTO_TEST_CASE(committed_updates_and_statistics_depend_on_the_flag) {
  passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
  c.commit = passes::Commit::committed;
  c = run_until("insert_updates", std::move(c));
  BOOST_CHECK_EQUAL(count(c.graph, "all_finite"), 1);
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "where"), 1);
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    if (n.op == "update") BOOST_CHECK_EQUAL(n.attrs.get_int("commit"), 1);
  }
}

BOOST_AUTO_TEST_CASE(epilogues_swallow_relu_and_its_mask) {
  passes::Compilation c = run_until("group_epilogues", small_model::make(tensor::DataType::f32, 4));
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "relu"), 0);
  BOOST_CHECK_EQUAL(count(c.graph, "ewise", "relu_grad"), 0);
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    if (n.op == "norm_apply" || n.op == "norm_bwd_stats" || n.op == "norm_bwd_apply") {
      BOOST_CHECK_EQUAL(n.attrs.get_text("act", ""), "relu");
    }
  }
}

BOOST_AUTO_TEST_CASE(updates_run_as_soon_as_they_may) {
  passes::Compilation c = run_until("schedule", small_model::make(tensor::DataType::f32, 4));
  const graph::Graph& g = c.graph;
  const auto consumers = g.consumers();
  bool one_is_early = false;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op != "update") continue;
    for (graph::NodeId reader : consumers[static_cast<std::size_t>(n.inputs[0])]) {
      if (reader != id) BOOST_CHECK_LT(position(g, reader), position(g, id));
    }
    const graph::NodeId last = g.order.back();
    one_is_early |=
        g.node(last).phase == graph::Phase::update &&
        position(g, id) + 1 < static_cast<int>(g.order.size()) &&
        g.node(g.order[static_cast<std::size_t>(position(g, id)) + 1]).phase == graph::Phase::backward;
  }
  BOOST_CHECK(one_is_early);  // w2's update does not wait for the first layer's gradient
}

BOOST_AUTO_TEST_CASE(casts_surround_products_in_mixed_precision) {
  passes::Compilation c = small_model::make(tensor::DataType::f64, 4);
  c.mixed_precision = true;
  c.compute_type = tensor::DataType::f32;
  passes::insert_casts(c);
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    if (n.op == "matmul") BOOST_CHECK(c.graph.value(n.outputs[0]).spec.type == tensor::DataType::f32);
    if (n.op == "weight") BOOST_CHECK(c.graph.value(n.outputs[0]).spec.type == tensor::DataType::f64);
  }
  BOOST_CHECK_EQUAL(count(c.graph, "cast"), 6);
}

BOOST_AUTO_TEST_CASE(a_data_axis_shards_the_batch) {
  passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
  c.mesh.axes = {{"data", 2}};
  passes::place_tensors(c);
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    if (n.op == "matmul") {
      BOOST_CHECK_EQUAL(c.graph.value(n.outputs[0]).spec.placement.to_string(), "S0");
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_several_ranks_travel_in_one_message) {
  const auto num_gradient_sums = [](std::int64_t bucket_bytes) {
    passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
    c.mesh.axes = {{"data", 2}};
    c.bucket_bytes = bucket_bytes;
    const passes::Compilation done = run_until("insert_comm", c);
    int sums = 0;
    for (graph::NodeId id : done.graph.order) {
      const graph::Node& n = done.graph.node(id);
      BOOST_CHECK_NE(n.op, "redistribute");
      sums += n.op == "all_reduce" && n.attrs.has("gradient") ? 1 : 0;
    }
    BOOST_CHECK(!done.program.empty());
    return sums;
  };
  BOOST_CHECK_EQUAL(num_gradient_sums(1 << 20), 1);
  BOOST_CHECK_EQUAL(num_gradient_sums(1), 4);  // w1, scale, bias, w2, each on its own
}

BOOST_AUTO_TEST_CASE(a_projected_program_has_the_shapes_of_one_rank) {
  passes::Compilation c = small_model::make(tensor::DataType::f32, 5);
  c.mesh.axes = {{"data", 2}};
  c.rank = 1;
  const passes::Compilation done = run_until("project", c);
  for (graph::NodeId id : done.graph.order) {
    const graph::Node& n = done.graph.node(id);
    for (graph::ValueId v : n.outputs) BOOST_CHECK(done.graph.value(v).spec.placement.is_replicated());
    if (n.op == "input" && n.attrs.get_text("name") == "samples") {
      BOOST_CHECK_EQUAL(done.graph.shape(n.outputs[0]).to_string(), "[3,6]");
    }
  }
}

BOOST_AUTO_TEST_CASE(unknown_and_required_passes_cannot_be_disabled) {
  for (const char* name : {"simplfy", "plan_memory"}) {
    passes::Compilation c = small_model::make(tensor::DataType::f32, 4);
    c.disabled = {name};
    BOOST_CHECK_EXCEPTION(passes::compile(c), base::Error,
                          [](const base::Error& e) { return e.code() == base::ExitCode::usage; });
  }
}
