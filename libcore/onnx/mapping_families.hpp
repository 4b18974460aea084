// Rows of the mapping table that stand in files of their own.
#pragma once

#include "onnx/layer_mappings.hpp"

namespace lbann::onnx {

// operator_mappings.cpp
void map_operator_layer(GraphWriter& w, const MappedLayer& l);
// index_mappings.cpp
void map_embedding(GraphWriter& w, const MappedLayer& l);
void map_gather(GraphWriter& w, const MappedLayer& l);
void map_scatter(GraphWriter& w, const MappedLayer& l);
void map_argmax(GraphWriter& w, const MappedLayer& l);
void map_argmin(GraphWriter& w, const MappedLayer& l);
void map_one_hot(GraphWriter& w, const MappedLayer& l);
void map_sort(GraphWriter& w, const MappedLayer& l);
void map_in_top_k(GraphWriter& w, const MappedLayer& l);
void map_crop(GraphWriter& w, const MappedLayer& l);
// reduction_mappings.cpp
void map_reduction(GraphWriter& w, const MappedLayer& l);
void map_multidim_reduction(GraphWriter& w, const MappedLayer& l);
void map_batchwise_reduce_sum(GraphWriter& w, const MappedLayer& l);
void map_channelwise_mean(GraphWriter& w, const MappedLayer& l);
void map_covariance(GraphWriter& w, const MappedLayer& l);
void map_variance(GraphWriter& w, const MappedLayer& l);
void map_channelwise_scale_bias(GraphWriter& w, const MappedLayer& l);
void map_entrywise_scale_bias(GraphWriter& w, const MappedLayer& l);
void map_entrywise_batch_normalization(GraphWriter& w, const MappedLayer& l);
void map_instance_norm(GraphWriter& w, const MappedLayer& l);
void map_identity_zero(GraphWriter& w, const MappedLayer& l);
void map_tessellate(GraphWriter& w, const MappedLayer& l);
void map_upsample(GraphWriter& w, const MappedLayer& l);

}  // namespace lbann::onnx
