// fuse_updates: a dense layer's weight gradient that only its update reads is never stored.
//
//   update(w, matmul(x^T, dy))  ->  update{product}(w, x, dy)
//
// Done where select_kernels gave the product to our own kernel (weight_gradient.hpp), which adds up the same
// way in both forms: fused and unfused give the same bits. It saves a write and a read of the gradient, and
// the update's traffic overlaps with the product's arithmetic.
#include <algorithm>

#include "passes/fuse_updates.hpp"

namespace lbann::passes {

void fuse_updates(Compilation& c) {
  graph::Graph& g = c.graph;
  const std::vector<int> uses = g.num_uses();
  for (const graph::NodeId id : g.order) {
    graph::Node& update = g.node(id);
    if (update.op != "update" || update.kernel != "cpu.update" || update.attrs.get_int("commit", 0) != 0)
      continue;
    const graph::ValueId gradient = update.inputs[1];
    graph::Node& product = g.node(g.value(gradient).producer);
    if (product.op != "matmul" || product.kernel != "cpu.matmul" || product.attrs.get_int("ta", 0) == 0 ||
        g.shape(gradient).rank() != 2 || uses[static_cast<std::size_t>(gradient)] != 1) {
      continue;
    }
    std::vector<graph::ValueId> operands{update.inputs[0], product.inputs[0], product.inputs[1]};
    operands.insert(operands.end(), update.inputs.begin() + 2, update.inputs.end());
    update.attrs.set("product", std::int64_t{1});
    update.origin = product.origin;
    update.inputs = std::move(operands);
    update.scratch_bytes = product.scratch_bytes;
    update.scratch_exact = product.scratch_exact;
    for (std::size_t o = 0; o < update.outputs.size(); ++o)
      update.may_alias[o] = o == 0 ? 0 : static_cast<int>(o) + 2;
    product.dead = true;
  }
  g.sort();
  g.compact();
}

}  // namespace lbann::passes
