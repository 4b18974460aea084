// Our own vectorised CPU kernels: f32, ids "cpu.<primitive>". What they take (anything else is refused
// when the kernel is made; the catalogue offers only this):
//
//   ewise, fused_ewise   any layout of the results, all alike. An operand lies like the result and has
//                        its shape, or is row-major, or is blocked like the result; both broadcast.
//                        Into a layout with several blocks only operands that lie like it.
//   update               weight, gradient, states alike, any layout
//   norm_*               x, dy, y, dx alike: row-major, channels last, 8- or 16-blocked; rank 2 to 5
//   pool, pool_bwd       x and y alike: row-major, channels last, 8- or 16-blocked. Max pooling with at
//                        most 256 taps saves one byte per element of y's storage, and its backward
//                        needs them. dtype of `saved`: u8[storage elements of y]
//   reduce               any layout; result lies like the operand, or is row-major when the operand is
//                        or when everything is reduced; at most [keep, reduce, keep, reduce] groups of
//                        neighbouring storage dims
//   arg_reduce, softmax, softmax_bwd, expand, permute    row-major
//   gather, scatter_add, update_rows                     row-major
//   slice, concat, pad   one common layout; cuts at multiples of the blocks
//   cast, fill, all_finite    any layout (other types than f32: row-major)
//
// May run in place (output i takes the buffer of an input of its shape and layout): ewise, fused_ewise,
// update, update_rows, norm_apply (x), norm_bwd_apply (dy or x), softmax (x), softmax_bwd (dy or y).
// No scratch.
#pragma once

#include <memory>
#include <string_view>

#include "graph/graph.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/kernel.hpp"

namespace lbann::kernels {

/// Throws base::Error (internal) for an unknown id or operands the kernel does not take.
std::unique_ptr<Kernel> make_cpu_kernel(const graph::Graph& g, graph::NodeId node);
/// With the loops of a given instruction set; it must be at most what the processor has.
std::unique_ptr<Kernel> make_cpu_kernel(const graph::Graph& g, graph::NodeId node, cpu::Isa isa);
/// Is there an own kernel for this primitive?
bool has_cpu_kernel(std::string_view op);
/// Would make_cpu_kernel take the node as it stands (operands' and results' layouts set)?
bool cpu_kernel_takes(const graph::Graph& g, graph::NodeId node);

}  // namespace lbann::kernels
