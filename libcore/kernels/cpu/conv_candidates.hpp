// All kernels that could compute a convolution, in all layouts worth a measurement: what --autotune tries.
#pragma once

#include <vector>

#include "passes/kernel_table.hpp"

namespace lbann::kernels::cpu {

struct ConvCandidate {
  passes::KernelCandidate kernel;  // as the catalogue offers it; without an estimate
  passes::ConvLayouts layouts;
};

/// Of a conv, conv_bwd_data or conv_bwd_weights node, for the OpenMP threads that are set. Empty: only the
/// naive kernel can.
std::vector<ConvCandidate> list_conv_candidates(const graph::Graph& g, graph::NodeId node,
                                                passes::Numerics numerics);

}  // namespace lbann::kernels::cpu
