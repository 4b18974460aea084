// The list of all layers: explicit calls, no static initialisers.
#include <algorithm>

#include "layers/families.hpp"

namespace lbann::layers {
namespace {

std::vector<LayerDef> make_list() {
  std::vector<LayerDef> list;
  const auto append = [&list](std::vector<LayerDef> family) {
    list.insert(list.end(), family.begin(), family.end());
  };
  append(input_layers());
  append(shape_layers());
  append(combine_layers());
  append(activation_layers());
  append(fully_connected_layers());
  append(convolution_layers());
  append(pooling_layers());
  append(deconvolution_layers());
  append(upsample_layers());
  append(entrywise_batch_normalization_layers());
  append(local_response_normalization_layers());
  append(dropout_layers());
  append(source_layers());
  append(batch_normalization_layers());
  append(loss_layers());
  append(accuracy_layers());
  append(operator_layers());
  append(embedding_layers());

  append(channelwise_layers());
  append(control_layers());
  append(index_layers());
  append(matrix_layers());
  append(normalization_layers());
  append(reduction_layers());
  append(window_shape_layers());
  return list;
}

}  // namespace

std::span<const LayerDef> all_layers() {
  static const std::vector<LayerDef> list = make_list();
  return list;
}

const LayerDef* try_layer(std::string_view kind) {
  const auto list = all_layers();
  const auto it = std::find_if(list.begin(), list.end(), [&](const LayerDef& d) { return d.kind == kind; });
  return it == list.end() ? nullptr : &*it;
}

}  // namespace lbann::layers
