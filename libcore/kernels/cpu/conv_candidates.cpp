// Activations row-major, channels last and blocked by 16, each with each; weights as the kernel wants them
// and as the direct forward kernel does; the library's kernels and ours.
#include "kernels/cpu/conv_candidates.hpp"

#include "kernels/cpu/conv_costs.hpp"

namespace lbann::kernels::cpu {

using tensor::Layout;

std::vector<ConvCandidate> list_conv_candidates(const graph::Graph& g, graph::NodeId id,
                                                passes::Numerics numerics) {
  const graph::Node& n = g.node(id);
  const Problem p = make_problem(g, n);
  const int rank = p.x.rank();
  const std::vector<Layout> activations{Layout::blocked_channels(rank, 16), Layout::channels_last(rank),
                                        Layout::plain(rank)};
  const std::vector<Layout> weights{Layout{}, Layout(Layout::plain(p.w.rank()).order(), {{1, 16}, {0, 16}}),
                                    rank == 4 ? Layout::from_tag("Acdb16a") : Layout{}};
  std::vector<passes::KernelCandidate> list;
  for (const Layout& x : activations) {
    for (const Layout& y : activations) {
      for (const Layout& w : weights) {
        OpRequest request{g, n, {}, {}};
        request.inputs = p.role == Role::forward ? std::vector{x, w}
                         : p.role == Role::data  ? std::vector{y, w}
                                                 : std::vector{x, y};
        request.outputs = {p.role == Role::forward ? y : p.role == Role::data ? x : w};
        request.inputs.resize(n.inputs.size(), Layout::plain(1));  // biases
        request.outputs.resize(n.outputs.size(), Layout::plain(1));
        for (const std::string& kernel : conv_kernels(g, n, numerics)) add_offer(list, kernel, request);
        if (w.rank() == 0) continue;
        if (const auto own = try_direct_conv(g, n, request.inputs, request.outputs)) {
          passes::KernelCandidate c;
          c.kernel = "direct." + n.op;
          c.inputs = request.inputs;
          c.outputs = request.outputs;
          c.scratch_bytes = own->scratch_bytes;
          c.may_alias.assign(c.outputs.size(), -1);
          list.push_back(std::move(c));
        }
      }
    }
  }
  std::vector<ConvCandidate> result;
  for (passes::KernelCandidate& c : list) {
    const passes::ConvLayouts layouts = conv_layouts(p, c.inputs, c.outputs);
    result.push_back({std::move(c), layouts});
  }
  return result;
}

}  // namespace lbann::kernels::cpu
