// The families of offers behind make_cpu_catalogue, and the times that make them comparable.
// Private to kernels/cpu.
//
// Times are estimates for comparing alternatives, reorders included: arithmetic at a share of the
// machine's peak that depends on the implementation (dnnl_op.hpp: efficiency), memory passes at the
// rate select_kernels assumes for reorders.
#pragma once

#include <memory>
#include <vector>

#include "kernels/cpu/dnnl_op.hpp"
#include "passes/kernel_catalogue.hpp"
#include "passes/kernel_table.hpp"

namespace lbann::kernels::cpu {

using passes::KernelCandidate;
using passes::SelectContext;

struct Rates {
  double flops_per_ms;            // of all threads
  double bytes_per_ms = 3e7;      // as select_kernels counts reorders
  double own_bytes_per_ms = 5e7;  // one pass of our own kernels over tensors in the cache
  double overhead_ms = 0.002;     // per kernel
};
Rates make_rates(const passes::Machine& machine);

/// Bytes of a tensor in a layout, padding included; rank 0 counts as row-major.
double storage_bytes(const graph::Graph& g, graph::ValueId v, const tensor::Layout& layout);

/// Adds the library's offer for `kernel` when there is one and nothing equal is in the list yet. The
/// operation is asked for again with every layout pinned, because that is how it will be made.
/// Returns the operation offered.
std::optional<DnnlOp> add_offer(std::vector<KernelCandidate>& list, std::string_view kernel,
                                const OpRequest& request);

/// What decides between the kernels of a convolution.
struct ConvChoices {
  passes::Machine machine;
  Rates rates;
  passes::Numerics numerics = passes::Numerics::exact;
  std::shared_ptr<const passes::KernelTable> table{};  // null: estimates only
};

std::vector<KernelCandidate> offer_conv(const SelectContext& ctx, const ConvChoices& choices);
std::vector<KernelCandidate> offer_conv_bwd_data(const SelectContext& ctx, const ConvChoices& choices);
std::vector<KernelCandidate> offer_conv_bwd_weights(const SelectContext& ctx, const ConvChoices& choices);
std::vector<KernelCandidate> offer_matmul(const SelectContext& ctx, const Rates& rates);
std::vector<KernelCandidate> offer_pool(const SelectContext& ctx, const Rates& rates);
std::vector<KernelCandidate> offer_reorder(const SelectContext& ctx, const Rates& rates);

/// Kernels of our own ("cpu.<op>"); only such as make_cpu_kernel really makes.
std::vector<KernelCandidate> offer_own(const SelectContext& ctx, const Rates& rates);

}  // namespace lbann::kernels::cpu
