// The definitions of all primitives, one function per OpDef; op_registry.cpp calls them in order.
// Internal to ops/.
#pragma once

#include "ops/op_def.hpp"

namespace lbann::ops {

// boundary.cpp
OpDef make_input_op();
OpDef make_weight_op();
OpDef make_stop_gradient_op();
OpDef make_reorder_op();
OpDef make_redistribute_op();
// collectives.cpp
OpDef make_all_reduce_op();
OpDef make_reduce_scatter_op();
OpDef make_all_gather_op();
OpDef make_local_slice_op();
OpDef make_all_to_all_op();
OpDef make_fetch_box_op();
OpDef make_scatter_box_op();
// ewise.cpp
OpDef make_ewise_op();
OpDef make_cast_op();
OpDef make_fill_op();
// fused_ewise.cpp
OpDef make_fused_ewise_op();
// movement.cpp
OpDef make_reshape_op();
OpDef make_permute_op();
OpDef make_slice_op();
OpDef make_pad_op();
OpDef make_concat_op();
OpDef make_expand_op();
// reduce.cpp
OpDef make_reduce_op();
OpDef make_arg_reduce_op();
OpDef make_all_finite_op();
// lrn.cpp
OpDef make_lrn_op();
OpDef make_lrn_bwd_op();
// random.cpp
OpDef make_random_op();
// softmax.cpp
OpDef make_softmax_op();
OpDef make_softmax_bwd_op();
// matmul.cpp
OpDef make_matmul_op();
// conv.cpp
OpDef make_conv_op();
OpDef make_conv_bwd_data_op();
OpDef make_conv_bwd_weights_op();
// pool.cpp
OpDef make_pool_op();
OpDef make_pool_bwd_op();
// norm.cpp
OpDef make_norm_stats_op();
OpDef make_norm_apply_op();
OpDef make_norm_bwd_stats_op();
OpDef make_norm_bwd_apply_op();
// sort.cpp
OpDef make_sort_op();
// layer_norm.cpp
OpDef make_layer_norm_op();
OpDef make_layer_norm_bwd_op();
// update.cpp
OpDef make_update_op();
OpDef make_update_rows_op();
// indexing.cpp
OpDef make_gather_op();
OpDef make_scatter_add_op();

}  // namespace lbann::ops
