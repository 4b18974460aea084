// group_epilogues: a ReLU that is the only user of a convolution, product or normalisation becomes
// its attribute `act`; the pre-activation never exists. The ReLU's gradient needs only its output
// y, and behind a normalisation not even that: the backward kernels recompute the mask from x with
// the forward's own formula, so fused and unfused give the same bits.
#include <algorithm>

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
  fuse_forward(c.graph);
  c.graph.sort();
  fuse_backward(c.graph);
  c.graph.sort();
  c.graph.compact();
}

}  // namespace lbann::passes
