// See reader_sizes.hpp.
#include "model/reader_sizes.hpp"

#include <optional>

#include <fmt/format.h>

#include "lbann.pb.h"

namespace lbann::model {
namespace {

std::optional<std::int64_t> try_size(const std::vector<DataField>& fields, const std::string& name) {
  for (const DataField& field : fields)
    if (field.name == name) return field.dims.num_elements();
  return std::nullopt;
}

}  // namespace

void apply_reader_sizes(Experiment& experiment, const std::vector<DataField>& fields,
                        base::Diagnostics& diagnostics) {
  if (!experiment.proto->has_model()) return;
  auto& model = *experiment.proto->mutable_model();
  for (int i = 0; i < model.layer_size(); ++i) {
    auto& layer = *model.mutable_layer(i);
    const std::string path = fmt::format("model.layer[{}]", i);
    const bool labels = layer.has_fully_connected() && layer.fully_connected().num_neurons_is_num_labels();
    if (!labels && !layer.num_neurons_from_data_reader()) continue;
    const std::string flag =
        labels ? "fully_connected.num_neurons_is_num_labels" : "num_neurons_from_data_reader";
    const base::SourceSpan where = experiment.spans.name_span(path + "." + flag);
    const auto error = [&](const std::string& message, const std::string& help) {
      diagnostics.error("reader-size", where, message, help);
    };
    const auto size = try_size(fields, labels ? "labels" : "samples");
    if (!size) {
      error(fmt::format("'{}' asks for a size that no reader of this experiment tells", flag),
            "write the size into the layer");
    } else if (layer.has_fully_connected()) {
      auto& params = *layer.mutable_fully_connected();
      if (params.num_neurons() > 0 && params.num_neurons() != *size)
        error(fmt::format("num_neurons is {}, but '{}' makes it {}", params.num_neurons(), flag, *size),
              "remove one of them");
      params.set_num_neurons(*size);
      params.clear_num_neurons_is_num_labels();
    } else if (layer.has_reshape()) {
      layer.mutable_reshape()->clear_dims();
      layer.mutable_reshape()->add_dims(*size);
    } else if (layer.has_deconvolution()) {
      layer.mutable_deconvolution()->set_out_channels(*size);
    } else {
      error(
          "'num_neurons_from_data_reader' has a meaning for fully_connected, reshape and deconvolution only",
          "remove it");
    }
    layer.clear_num_neurons_from_data_reader();
  }
}

}  // namespace lbann::model
