// group_epilogues: a ReLU that is the only user of a convolution, product or normalisation becomes
// its attribute `act`; the pre-activation never exists. The ReLU's gradient needs only its output
// y, and behind a normalisation not even that: the backward kernels recompute the mask from x with
// the forward's own formula, so fused and unfused give the same bits.
//
// Behind a ReLU that feeds a max pooling the mask moves to the pooled size first: what pooling
// sends back goes to the maximum, and that is positive exactly where the pooled value is.
//
//   relu_grad(pool_bwd(dy, y), y) = pool_bwd(relu_grad(dy, pool(y)), y)      to the bit
#include <algorithm>

#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

bool takes_activation(const Node& n) {
  return (n.op == "conv" || n.op == "matmul" || n.op == "norm_apply") && n.attrs.get_text("act", "").empty();
}

bool same_window(const Node& a, const Node& b) {
  for (const char* name : {"window", "strides", "pads"}) {
    if (a.attrs.get_ints(name) != b.attrs.get_ints(name)) return false;
  }
  return true;
}

void move_masks_over_pooling(Graph& g) {
  const auto consumers = g.consumers();
  const std::vector<int> uses = g.num_uses();
  const std::vector<NodeId> order = g.order;
  for (NodeId id : order) {
    const Node mask = g.node(id);
    if (mask.op != "ewise" || mask.attrs.get_text("fn") != "relu_grad") continue;
    const NodeId back_id = g.value(mask.inputs[0]).producer;
    const Node back = g.node(back_id);
    const ValueId y = mask.inputs[1];
    const bool fits = back.op == "pool_bwd" && back.attrs.get_text("mode") == "max" &&
                      back.inputs.size() == 2 && back.inputs[1] == y &&
                      uses[static_cast<std::size_t>(back.outputs[0])] == 1;
    // Behind a normalisation the backward kernels recompute the mask for nothing.
    const Node& relu = g.producer(y);
    const bool recomputed = relu.inputs.size() == 1 && g.producer(relu.inputs[0]).op == "norm_apply";
    if (!fits || recomputed) continue;
    ValueId pooled = graph::none;
    for (NodeId user : consumers[static_cast<std::size_t>(y)]) {
      const Node& n = g.node(user);
      if (n.op == "pool" && n.attrs.get_text("mode") == "max" && same_window(n, back)) pooled = n.outputs[0];
    }
    if (pooled == graph::none) continue;
    ops::Builder b(g);
    b.set_origin(mask.origin);
    b.set_phase(mask.phase);
    const ValueId masked = b.ewise("relu_grad", {back.inputs[0], pooled});
    g.node(back_id).inputs[0] = masked;
    g.node(id).dead = true;
    g.replace_uses(mask.outputs[0], back.outputs[0]);
  }
  g.sort();
}

void fuse_forward(Graph& g) {
  const std::vector<int> uses = g.num_uses();
  for (NodeId id : g.order) {
    Node& relu = g.node(id);
    if (relu.dead || relu.op != "ewise" || relu.attrs.get_text("fn") != "relu") continue;
    Node& before = g.node(g.value(relu.inputs[0]).producer);
    if (!takes_activation(before) || uses[static_cast<std::size_t>(relu.inputs[0])] != 1) continue;
    before.attrs.set("act", std::string("relu"));
    relu.dead = true;
    g.replace_uses(relu.outputs[0], before.outputs[0]);
  }
}

/// dy -> relu_grad(dy, y) -> {norm_bwd_stats, norm_bwd_apply} with y = norm_apply(x, .., act=relu).
void fuse_backward(Graph& g) {
  const auto consumers = g.consumers();
  const std::vector<int> uses = g.num_uses();
  for (NodeId id : g.order) {
    Node& mask = g.node(id);
    if (mask.dead || mask.op != "ewise" || mask.attrs.get_text("fn") != "relu_grad") continue;
    const Node apply = g.producer(mask.inputs[1]);
    if (apply.op != "norm_apply" || apply.attrs.get_text("act", "") != "relu") continue;
    const std::vector<NodeId>& users = consumers[static_cast<std::size_t>(mask.outputs[0])];
    const bool fits = uses[static_cast<std::size_t>(mask.outputs[0])] == static_cast<int>(users.size()) &&
                      std::all_of(users.begin(), users.end(), [&](NodeId u) {
                        const Node& n = g.node(u);
                        return (n.op == "norm_bwd_stats" || n.op == "norm_bwd_apply") &&
                               n.inputs[0] == mask.outputs[0] && n.inputs[1] == apply.inputs[0] &&
                               n.attrs.get_text("act", "").empty();
                      });
    if (!fits || users.empty()) continue;
    for (NodeId u : users) {
      Node& n = g.node(u);
      n.inputs[0] = mask.inputs[0];
      n.inputs.push_back(apply.inputs[3]);  // scale
      n.inputs.push_back(apply.inputs[4]);  // bias
      n.attrs.set("act", std::string("relu"));
    }
    mask.dead = true;
  }
}

}  // namespace

void group_epilogues(Compilation& c) {
  move_masks_over_pooling(c.graph);
  fuse_forward(c.graph);
  c.graph.sort();
  fuse_backward(c.graph);
  c.graph.sort();
  c.graph.compact();
}

}  // namespace lbann::passes
