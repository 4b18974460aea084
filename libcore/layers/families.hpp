// The families of layers, one function per file, collected by layer_registry.cpp.
#pragma once

#include <vector>

#include "layers/layer_def.hpp"

namespace lbann::layers {

std::vector<LayerDef> input_layers();
std::vector<LayerDef> shape_layers();
std::vector<LayerDef> combine_layers();
std::vector<LayerDef> activation_layers();
std::vector<LayerDef> fully_connected_layers();
std::vector<LayerDef> convolution_layers();
std::vector<LayerDef> pooling_layers();
std::vector<LayerDef> deconvolution_layers();
std::vector<LayerDef> upsample_layers();
std::vector<LayerDef> entrywise_batch_normalization_layers();
std::vector<LayerDef> local_response_normalization_layers();
std::vector<LayerDef> dropout_layers();
std::vector<LayerDef> source_layers();
std::vector<LayerDef> batch_normalization_layers();
std::vector<LayerDef> loss_layers();
std::vector<LayerDef> accuracy_layers();
std::vector<LayerDef> operator_layers();
std::vector<LayerDef> embedding_layers();

std::vector<LayerDef> channelwise_layers();
std::vector<LayerDef> control_layers();
std::vector<LayerDef> index_layers();
std::vector<LayerDef> matrix_layers();
std::vector<LayerDef> normalization_layers();
std::vector<LayerDef> reduction_layers();
std::vector<LayerDef> window_shape_layers();

}  // namespace lbann::layers
