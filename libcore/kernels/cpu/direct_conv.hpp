// Our own gradient of a convolution's data for few channels, where the library wastes lanes: 2-D, one
// group, at most 16 filters, windows of 3 or 5 rows. AVX-512 only. Id "direct.conv_bwd_data".
//
//   dy [n,k,oh,ow] channels last or blocked by 16     dx [n,c,h,w] channels last
//   w  [k,c,kh,kw] as Acdb16a = [kh][kw][c][16 filters], which forward and bwd_weights use as well
//
//   dx[pos + r, j] += sum_k dy[pos, k] w[r, j, k]     for rows r of the window and the kw c floats j of a row
//
// The kw c floats under one row of the window are contiguous in dx and fill the lanes: 30 of 32 for
// LeNet's second convolution (c = 6), where the library's lanes are channels, 6 of 16. Measured, one
// thread: 192 us against 313 ([64,6,12,12], 5x5, 16 filters); 1217 against 1958 ([64,3,32,32], 3x3).
// Forward and bwd_weights written the same way were no faster than the library.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/kernel.hpp"
#include "tensor/layout.hpp"

namespace lbann::kernels {

/// Throws base::Error (internal) where `try_direct_conv` offers nothing for the node's layouts.
std::unique_ptr<Kernel> make_direct_kernel(const graph::Graph& g, graph::NodeId node);

namespace cpu {

struct DirectConvOffer {
  std::int64_t scratch_bytes = 0;
  double lane_flops = 0;  // 2 x multiply-adds, idle lanes included
};

/// nullopt: not this node (op, shape, type, processor), or not in these layouts.
std::optional<DirectConvOffer> try_direct_conv(const graph::Graph& g, const graph::Node& node,
                                               const std::vector<tensor::Layout>& inputs,
                                               const std::vector<tensor::Layout>& outputs);

}  // namespace cpu
}  // namespace lbann::kernels
