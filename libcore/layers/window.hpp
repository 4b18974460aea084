// Sliding windows of convolution and pooling: lists per spatial dim, and the output's extent.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "layers/layer_def.hpp"

namespace lbann::layers {

struct Window {
  std::vector<std::int64_t> size, strides, pads, dilations;  // per spatial dim
};

/// Number of spatial dims of the parent's [C, spatial...]; refuses all but 1 to 3, and a `num_dims`
/// (0: not given) that says otherwise.
int spatial_rank(LowerContext& ctx, std::int64_t num_dims);
/// A list with one entry per spatial dim: one entry stands for all, none for `fallback`; refuses other
/// lengths and entries below `low`.
std::vector<std::int64_t> per_dim(std::string_view field, const std::vector<std::int64_t>& list, int rank,
                                  std::int64_t fallback, std::int64_t low);
/// Refuses a window that fits nowhere into the padded input: o = floor((s + 2 p - l (k - 1) - 1) / stride) +
/// 1 < 1.
void check_window_fits(LowerContext& ctx, const Window& w, std::string_view field);

}  // namespace lbann::layers
