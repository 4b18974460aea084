// What several layers share: reading parameters, refusing, shapes of samples.
//
// Values carry the mini-batch at index 0; a user's dims and axes do not. `sample_dims` and `axis + 1`
// are the two places where one becomes the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "layers/layer_def.hpp"

namespace lbann::layers {

/// The layer's parameters as the generated message of its kind (std::bad_cast if the driver mixed them up).
template <class Params>
const Params& params_as(const LowerContext& ctx) {
  return dynamic_cast<const Params&>(ctx.params());
}

/// Throws LayerError.
[[noreturn]] void refuse(std::string id, std::string message, std::string field = {}, std::string help = {},
                         std::vector<base::Note> notes = {});
/// Refuses the absence of a required field.
[[noreturn]] void refuse_missing(std::string_view field, std::string help = {});
/// Refuses when `value` is outside [low, high]: "groups = 0, must be at least 1".
void check_range(std::string_view field, std::int64_t value, std::int64_t low,
                 std::int64_t high = 2147483647);
/// Refuses the value of an option with few words: "pool_mode = 'maximum', must be one of ...", with a
/// suggestion.
[[noreturn]] void refuse_word(std::string_view field, std::string_view value,
                              const std::vector<std::string>& words);

/// Dims of one sample of `x`.
tensor::Shape sample_dims(ops::Builder& b, graph::ValueId x);
/// Dims of one sample of the i-th parent.
tensor::Shape sample_dims(LowerContext& ctx, std::size_t i);
/// [batch, dims of one sample]
tensor::Shape with_batch(std::int64_t batch, const tensor::Shape& sample);
/// x as [batch, number of entries of a sample].
graph::ValueId flatten(ops::Builder& b, graph::ValueId x);
/// "'pool1' produces [96,27,27]" for every parent.
std::vector<base::Note> parent_notes(LowerContext& ctx);
/// Refuses unless all parents have equal dims.
void check_equal_dims(LowerContext& ctx);
/// 0, 1, .., n - 1 along `axis` of a tensor with `rank` dims, all others 1.
graph::ValueId iota(ops::Builder& b, std::int64_t n, int axis, int rank, tensor::DataType type);
/// floor(x) as i64, -1 for NaN.
graph::ValueId floor_to_index(ops::Builder& b, graph::ValueId x);
/// Counts from the end where negative; refuses outside [0, rank).
int wrap_axis(std::string_view field, std::int64_t axis, int rank);
/// The constant as a tensor of extents 1 that broadcasts against x.
graph::ValueId scalar_like(ops::Builder& b, graph::ValueId x, double value);

}  // namespace lbann::layers
