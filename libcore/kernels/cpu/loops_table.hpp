// Fills one table of loops; isa_*.cpp define LBANN_LOOPS, its name, and differ in compiler flags only.
// No header of the standard library's templates is used below: an instance compiled here for a newer
// instruction set could be the one the linker keeps for the whole program.
#pragma once

#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/loops_ewise.hpp"
#include "kernels/cpu/loops_layer_norm.hpp"
#include "kernels/cpu/loops_lrn.hpp"
#include "kernels/cpu/loops_matmul.hpp"
#include "kernels/cpu/loops_norm.hpp"
#include "kernels/cpu/loops_pool.hpp"
#include "kernels/cpu/loops_random.hpp"
#include "kernels/cpu/loops_reduce.hpp"
#include "kernels/cpu/loops_softmax.hpp"

namespace lbann::kernels::cpu {

const Loops LBANN_LOOPS = {
#define LBANN_EWISE_ENTRY(NAME, ARITY, EXPR) ewise_loop<shared::scalar::NAME>,
    {LBANN_SCALAR_FUNCTIONS(LBANN_EWISE_ENTRY)},
#undef LBANN_EWISE_ENTRY
    {update_loop<shared::Sgd>, update_loop<shared::Momentum>, update_loop<shared::Nesterov>,
     update_loop<shared::Adagrad>, update_loop<shared::Rmsprop>, update_loop<shared::Adam>},
    all_finite_loop,
    sum_loop,
    dot_loop,
    extreme_loop,
    tile_sum_loop,
    tile_extreme_loop,
    norm_stats_loop,
    norm_apply_loop,
    norm_bwd_stats_loop,
    norm_bwd_apply_loop,
    softmax_line_loop,
    softmax_short_loop,
    softmax_lines_loop,
    softmax_bwd_line_loop,
    softmax_bwd_lines_loop,
    pool_loop,
    pool_bwd_loop,
    lrn_loop,
    lrn_bwd_loop,
    philox_uniform_loop,
    philox_bernoulli_loop,
    layer_norm_loop,
    layer_norm_bwd_loop,
    product_tile_loop,
    small_matmul_loop,
};

}  // namespace lbann::kernels::cpu
