// What a back end offers, as data: for one node the kernels that could run it, the layout each
// wants for every operand, what it saves for its backward twin, its scratch and its likely time.
// Tier 1 chooses from it (select_kernels) without ever calling a kernel; the CPU runtime
// implements it with its library, `make_analytic_catalogue` answers where no runtime is linked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "tensor/layout.hpp"

namespace lbann::passes {

/// The machine a plan is made for; sizes, layouts and scratch depend on all of it.
struct Machine {
  std::string isa = "generic";  // "avx512_core", "avx2", ...
  int threads = 1;
  std::string library;  // back end and version
};

struct KernelCandidate {
  std::string kernel;  // id the runtime resolves: "dnnl.conv", "cpu.ewise", "ref.pool", "view"
  std::vector<tensor::Layout> inputs;  // layout of every operand
  std::vector<tensor::Layout> outputs;
  std::int64_t scratch_bytes = 0;
  bool scratch_exact = true;
  std::int64_t saved_bytes = 0;  // > 0: wants a saved output for its backward twin (pool)
  std::vector<int> may_alias;    // per output: input whose buffer it may overwrite, or -1
  double estimated_ms = 0;
};

/// What select_kernels already knows when it asks.
struct SelectContext {
  const graph::Graph& g;
  graph::NodeId node;
  /// Layouts the operands have now; a weight's entry has rank 0 while nobody has chosen it.
  std::vector<tensor::Layout> inputs;
  /// Layout somebody wants for an output (an update wants the gradient as its weight lies); rank 0: free.
  std::vector<tensor::Layout> wanted_outputs;
  /// A backward twin exists that can use what the kernel saves (pool indices).
  bool wants_saved = false;
};

class KernelCatalogue {
public:
  virtual ~KernelCatalogue() = default;
  /// Best first, never empty: the naive reference kernel (row-major) is always the last resort.
  virtual std::vector<KernelCandidate> candidates(const SelectContext& context) const = 0;
  virtual const Machine& machine() const = 0;
};

/// Row-major everywhere, no scratch: the naive kernels, which are the oracle. Exact.
std::unique_ptr<KernelCatalogue> make_reference_catalogue();

}  // namespace lbann::passes
