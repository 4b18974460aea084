// Reduction over ranks in the fixed order of a binary tree.
//
//   level by level: rank i takes in rank i + s for s = 1, 2, 4, .. and i a multiple of 2 s
//
// f32, f64 and i64 in their own arithmetic, 16-bit types through float with one rounding per addition. NaN
// wins over numbers in max and min.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"

namespace lbann::comm {

/// out[i] = tree over r of sources[r][i] for i in [begin, end). `out` may be any of the sources.
void reduce_in_tree(std::span<const void* const> sources, void* out, std::int64_t begin, std::int64_t end,
                    tensor::DataType type, ReduceOp op);

}  // namespace lbann::comm
