// The catalogue of the naive kernels: row-major, no scratch, any type. It is the oracle's choice
// (`--oracle`) and what tools without a runtime plan with.
#include "passes/kernel_catalogue.hpp"
#include "passes/reference_candidate.hpp"

namespace lbann::passes {

KernelCandidate make_reference_candidate(const graph::Graph& g, graph::NodeId id) {
  const graph::Node& n = g.node(id);
  KernelCandidate c;
  const bool view = n.op == "reshape" || n.op == "stop_gradient";
  c.kernel = view ? "view" : "ref." + n.op;
  for (graph::ValueId v : n.inputs) c.inputs.push_back(tensor::Layout::plain(g.shape(v).rank()));
  for (graph::ValueId v : n.outputs) c.outputs.push_back(tensor::Layout::plain(g.shape(v).rank()));
  c.may_alias.assign(n.outputs.size(), -1);
  if (n.op == "update") {
    // w, g, states..., scalars -> w', states'...
    for (std::size_t o = 0; o < n.outputs.size(); ++o) c.may_alias[o] = o == 0 ? 0 : static_cast<int>(o) + 1;
  } else if (n.op == "update_rows") {
    // w, indices, g, states..., scalars -> w', states'...
    for (std::size_t o = 0; o < n.outputs.size(); ++o) c.may_alias[o] = o == 0 ? 0 : static_cast<int>(o) + 2;
  }
  // Slow on purpose in comparison: chosen only where nothing else is offered.
  double elements = 0;
  for (graph::ValueId v : n.inputs) elements += static_cast<double>(g.shape(v).num_elements());
  c.estimated_ms = 1.0 + elements * 1e-5;
  return c;
}

namespace {

class ReferenceCatalogue final : public KernelCatalogue {
public:
  std::vector<KernelCandidate> candidates(const SelectContext& context) const override {
    return {make_reference_candidate(context.g, context.node)};
  }
  const Machine& machine() const override { return machine_; }

private:
  Machine machine_{"generic", 1, "reference"};
};

}  // namespace

std::unique_ptr<KernelCatalogue> make_reference_catalogue() { return std::make_unique<ReferenceCatalogue>(); }

}  // namespace lbann::passes
