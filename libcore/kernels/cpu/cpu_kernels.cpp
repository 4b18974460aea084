// The table of our own CPU kernels.
#include "kernels/cpu/cpu_kernels.hpp"

#include "base/diagnostic.hpp"
#include "kernels/cpu/cpu_makers.hpp"

namespace lbann::kernels {
namespace {

struct Row {
  std::string_view op;
  cpu::Maker* make;
};

constexpr Row table[] = {
    {"ewise", cpu::make_ewise},
    {"fused_ewise", cpu::make_ewise},
    {"update", cpu::make_update},
    {"all_finite", cpu::make_all_finite},
    {"norm_stats", cpu::make_norm_stats},
    {"norm_apply", cpu::make_norm_apply},
    {"norm_bwd_stats", cpu::make_norm_bwd_stats},
    {"norm_bwd_apply", cpu::make_norm_bwd_apply},
    {"pool", cpu::make_pool},
    {"pool_bwd", cpu::make_pool_bwd},
    {"reduce", cpu::make_reduce},
    {"arg_reduce", cpu::make_arg_reduce},
    {"softmax", cpu::make_softmax},
    {"softmax_bwd", cpu::make_softmax_bwd},
    {"expand", cpu::make_expand},
    {"slice", cpu::make_slice},
    {"concat", cpu::make_concat},
    {"pad", cpu::make_pad},
    {"permute", cpu::make_permute},
    {"cast", cpu::make_cast},
    {"fill", cpu::make_fill},
    {"sort", cpu::make_sort},
    {"matmul", cpu::make_matmul},
    {"layer_norm", cpu::make_layer_norm},
    {"layer_norm_bwd", cpu::make_layer_norm_bwd},
    {"gather", cpu::make_gather},
    {"scatter_add", cpu::make_scatter_add},
    {"update_rows", cpu::make_update_rows},
    {"random", cpu::make_random},
    {"lrn", cpu::make_lrn},
    {"lrn_bwd", cpu::make_lrn_bwd},
};

cpu::Maker* try_maker(std::string_view op) {
  for (const Row& row : table) {
    if (row.op == op) return row.make;
  }
  return nullptr;
}

}  // namespace

bool has_cpu_kernel(std::string_view op) { return try_maker(op) != nullptr; }

bool cpu_kernel_takes(const graph::Graph& g, graph::NodeId node) {
  const NodeView v(g, node);
  cpu::Maker* make = try_maker(v.n.op);
  if (make == nullptr) return false;
  try {
    make(v, cpu::Isa::generic);
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

std::unique_ptr<Kernel> make_cpu_kernel(const graph::Graph& g, graph::NodeId node, cpu::Isa isa) {
  const NodeView v(g, node);
  if (v.n.kernel != "cpu." + v.n.op) v.refuse("does not compute this primitive");
  cpu::Maker* make = try_maker(v.n.op);
  if (make == nullptr) v.refuse("no such kernel");
  return make(v, isa);
}

std::unique_ptr<Kernel> make_cpu_kernel(const graph::Graph& g, graph::NodeId node) {
  return make_cpu_kernel(g, node, cpu::detect_isa());
}

}  // namespace lbann::kernels
