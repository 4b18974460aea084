// The table of naive kernels.
#include "kernels/reference/reference_kernels.hpp"

#include "kernels/reference/makers.hpp"

namespace lbann::kernels {
namespace {

struct Row {
  std::string_view op;
  reference::Maker* make;
};

constexpr Row table[] = {
    {"ewise", reference::make_ewise},
    {"fused_ewise", reference::make_ewise},
    {"cast", reference::make_cast},
    {"fill", reference::make_fill},
    {"reshape", reference::make_view},
    {"stop_gradient", reference::make_view},
    {"permute", reference::make_permute},
    {"slice", reference::make_slice},
    {"pad", reference::make_pad},
    {"concat", reference::make_concat},
    {"expand", reference::make_expand},
    {"reduce", reference::make_reduce},
    {"arg_reduce", reference::make_arg_reduce},
    {"softmax", reference::make_softmax},
    {"softmax_bwd", reference::make_softmax_bwd},
    {"matmul", reference::make_matmul},
    {"conv", reference::make_conv},
    {"conv_bwd_data", reference::make_conv_bwd_data},
    {"conv_bwd_weights", reference::make_conv_bwd_weights},
    {"pool", reference::make_pool},
    {"pool_bwd", reference::make_pool_bwd},
    {"norm_stats", reference::make_norm_stats},
    {"norm_apply", reference::make_norm_apply},
    {"norm_bwd_stats", reference::make_norm_bwd_stats},
    {"norm_bwd_apply", reference::make_norm_bwd_apply},
    {"sort", reference::make_sort},
    {"layer_norm", reference::make_layer_norm},
    {"layer_norm_bwd", reference::make_layer_norm_bwd},
    {"all_finite", reference::make_all_finite},
    {"update", reference::make_update},
    {"reorder", reference::make_reorder},
    {"gather", reference::make_gather},
    {"scatter_add", reference::make_scatter_add},
    {"update_rows", reference::make_update_rows},
    {"random", reference::make_random},
    {"lrn", reference::make_lrn},
    {"lrn_bwd", reference::make_lrn_bwd},
};

reference::Maker* try_maker(std::string_view op) {
  for (const Row& row : table) {
    if (row.op == op) return row.make;
  }
  return nullptr;
}

}  // namespace

bool has_reference_kernel(std::string_view op) { return try_maker(op) != nullptr; }

std::unique_ptr<Kernel> make_plain_reference_kernel(const NodeView& v) {
  reference::Maker* make = try_maker(v.n.op);
  if (make == nullptr) v.refuse("no such naive kernel");
  v.check_plain();
  return make(v);
}

std::unique_ptr<Kernel> make_reference_kernel(const graph::Graph& g, graph::NodeId node) {
  const NodeView v(g, node);
  if (v.n.kernel == "view") {
    // A reorder to the same layout is the plain copy that carries a value into its weight's buffer.
    if (v.n.op != "reshape" && v.n.op != "stop_gradient" && v.n.op != "reorder") v.refuse("is no view");
    return reference::make_view(v);
  }
  if (v.n.kernel != "ref." + v.n.op) v.refuse("does not compute this primitive");
  reference::Maker* make = try_maker(v.n.op);
  if (make == nullptr) v.refuse("no such naive kernel");
  if (v.n.op != "reorder" && v.n.op != "reshape" && v.n.op != "stop_gradient") v.check_plain();
  return make(v);
}

}  // namespace lbann::kernels
