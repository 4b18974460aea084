// make_kernel: the prefix of a kernel id names the family that makes it.
#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "kernels/cpu/cpu_kernels.hpp"
#include "kernels/cpu/direct_conv.hpp"
#include "kernels/cpu/dnnl_kernels.hpp"
#include "kernels/kernel.hpp"
#include "kernels/reference/reference_kernels.hpp"

namespace lbann::kernels {
namespace {

struct Family {
  std::string_view prefix;
  std::unique_ptr<Kernel> (*make)(const graph::Graph&, graph::NodeId);
};

constexpr Family families[] = {
    {"cpu.", make_cpu_kernel},       {"direct.", make_direct_kernel}, {"dnnl.", make_dnnl_kernel},
    {"ref.", make_reference_kernel}, {"view", make_reference_kernel},
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const graph::Graph& g, graph::NodeId node) {
  const graph::Node& n = g.node(node);
  for (const Family& family : families) {
    if (n.kernel.starts_with(family.prefix)) return family.make(g, node);
  }
  throw base::Error(base::ExitCode::internal,
                    fmt::format("no kernel '{}' for {} of layer '{}'", n.kernel, n.op,
                                g.origins[static_cast<std::size_t>(n.origin)].layer));
}

}  // namespace lbann::kernels
