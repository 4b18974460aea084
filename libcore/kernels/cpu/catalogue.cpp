// Puts the families together: f32 goes to the library and to our own kernels, every other type to
// the naive ones, which close every list.
#include "kernels/cpu/catalogue.hpp"

#include <omp.h>

#include <algorithm>

#include "kernels/cpu/catalogue_offers.hpp"
#include "kernels/cpu/dnnl_engine.hpp"
#include "passes/reference_candidate.hpp"

namespace lbann::kernels::cpu {

Rates make_rates(const passes::Machine& machine) {
  // Per core at a few GHz; only ratios to bytes_per_ms matter.
  const double per_thread = machine.isa == "avx512_core" ? 2e8 : machine.isa == "avx2" ? 1e8 : 4e7;
  return {per_thread * machine.threads};
}

double storage_bytes(const graph::Graph& g, graph::ValueId v, const tensor::Layout& layout) {
  const tensor::TensorSpec& spec = g.value(v).spec;
  const std::int64_t elements =
      layout.rank() == spec.shape.rank() ? layout.storage_elements(spec.shape) : spec.shape.num_elements();
  return static_cast<double>(elements * tensor::size_bytes(spec.type));
}

std::optional<DnnlOp> add_offer(std::vector<KernelCandidate>& list, std::string_view kernel,
                                const OpRequest& request) {
  const std::optional<DnnlOp> free = try_dnnl_op(kernel, request);
  if (!free) return std::nullopt;
  for (const KernelCandidate& c : list) {
    if (c.kernel == kernel && c.inputs == free->inputs && c.outputs == free->outputs) return std::nullopt;
  }
  std::optional<DnnlOp> pinned =
      try_dnnl_op(kernel, OpRequest{request.g, request.node, free->inputs, free->outputs});
  if (!pinned) return std::nullopt;
  KernelCandidate c;
  c.kernel = std::string(kernel);
  c.inputs = pinned->inputs;
  c.outputs = pinned->outputs;
  c.scratch_bytes = pinned->scratch_bytes;
  c.may_alias.assign(c.outputs.size(), -1);
  list.push_back(std::move(c));
  return pinned;
}

namespace {

// The library's decisions depend on the size of the OpenMP team that is current.
class ThreadScope {
public:
  explicit ThreadScope(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~ThreadScope() { omp_set_num_threads(before_); }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

private:
  int before_;
};

class CpuCatalogue final : public passes::KernelCatalogue {
public:
  explicit CpuCatalogue(passes::CatalogueOptions options)
    : machine_{instruction_set(), std::max(options.threads, 1), library_version()},
      rates_(make_rates(machine_)),
      conv_{machine_, rates_, options.numerics,
            options.table != nullptr ? std::move(options.table) : shipped_kernel_table()} {}

  std::vector<KernelCandidate> candidates(const SelectContext& ctx) const override {
    const ThreadScope scope(machine_.threads);
    std::vector<KernelCandidate> list = offer(ctx);
    std::stable_sort(list.begin(), list.end(), [](const KernelCandidate& a, const KernelCandidate& b) {
      return a.estimated_ms < b.estimated_ms;
    });
    KernelCandidate last = passes::make_reference_candidate(ctx.g, ctx.node);
    // Chosen only where nothing else is offered, however many reorders the others need.
    if (!list.empty()) last.estimated_ms += 1e6;
    list.push_back(std::move(last));
    return list;
  }

  const passes::Machine& machine() const override { return machine_; }

private:
  std::vector<KernelCandidate> offer(const SelectContext& ctx) const {
    const std::string& op = ctx.g.node(ctx.node).op;
    if (op == "conv") return offer_conv(ctx, conv_);
    if (op == "conv_bwd_data") return offer_conv_bwd_data(ctx, conv_);
    if (op == "conv_bwd_weights") return offer_conv_bwd_weights(ctx, conv_);
    if (op == "matmul") return offer_matmul(ctx, rates_);
    if (op == "reorder") return offer_reorder(ctx, rates_);
    std::vector<KernelCandidate> list = offer_own(ctx, rates_);
    if (op == "pool" || op == "pool_bwd") {
      for (KernelCandidate& c : offer_pool(ctx, rates_)) list.push_back(std::move(c));
    }
    return list;
  }

  passes::Machine machine_;
  Rates rates_;
  ConvChoices conv_;
};

}  // namespace

std::unique_ptr<passes::KernelCatalogue> make_cpu_catalogue(passes::CatalogueOptions options) {
  return std::make_unique<CpuCatalogue>(std::move(options));
}

std::unique_ptr<passes::KernelCatalogue> make_cpu_catalogue(int threads) {
  passes::CatalogueOptions options;
  options.threads = threads;
  return make_cpu_catalogue(std::move(options));
}

}  // namespace lbann::kernels::cpu
