// Makers of our own CPU kernels, one per primitive. Private to kernels/cpu.
#pragma once

#include <memory>

#include "kernels/cpu/isa.hpp"
#include "kernels/node_view.hpp"

namespace lbann::kernels::cpu {

using Maker = std::unique_ptr<Kernel>(const NodeView&, Isa);

Maker make_ewise, make_update, make_all_finite, make_cast, make_fill;
Maker make_norm_stats, make_norm_apply, make_norm_bwd_stats, make_norm_bwd_apply;
Maker make_reduce, make_arg_reduce, make_softmax, make_softmax_bwd;
Maker make_expand, make_slice, make_concat, make_pad, make_permute;
Maker make_pool, make_pool_bwd;
Maker make_sort, make_matmul, make_product_update, make_layer_norm, make_layer_norm_bwd;
Maker make_gather, make_scatter_add, make_update_rows;
Maker make_random, make_lrn, make_lrn_bwd;

template <class T>
const T* input(const KernelArgs& args, int i) {
  return static_cast<const T*>(args.inputs[i]);
}
template <class T>
T* output(const KernelArgs& args, int i) {
  return static_cast<T*>(args.outputs[i]);
}

}  // namespace lbann::kernels::cpu
