// See comm_candidate.hpp.
#include "passes/comm_candidate.hpp"

namespace lbann::passes {

KernelCandidate make_comm_candidate(const SelectContext& context) {
  const graph::Graph& g = context.g;
  const graph::Node& n = g.node(context.node);
  const bool is_sum = n.op == "all_reduce";
  KernelCandidate k;
  k.kernel = "comm." + n.op;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    const int rank = g.shape(n.inputs[i]).rank();
    const bool wanted = is_sum && context.wanted_outputs[i].rank() == rank;
    k.inputs.push_back(wanted ? context.wanted_outputs[i] : tensor::Layout::plain(rank));
  }
  for (std::size_t o = 0; o < n.outputs.size(); ++o) {
    k.outputs.push_back(is_sum ? k.inputs[o] : tensor::Layout::plain(g.shape(n.outputs[o]).rank()));
    k.may_alias.push_back(is_sum ? static_cast<int>(o) : -1);
  }
  if (!is_sum) {
    k.scratch_bytes = g.value(n.inputs[0]).spec.num_bytes() + g.value(n.outputs[0]).spec.num_bytes();
    // What is received may overlap: halos of several owners, boxes summed one after the other.
    if (n.op == "fetch_box" || n.op == "scatter_box") k.scratch_bytes *= 2;
  }
  return k;
}

}  // namespace lbann::passes
