// How each kind of layer is written in ONNX operators: one row of a table per kind.
//
// The rows stand here and not beside the layers' lowerings, because layers/ would otherwise need ONNX's
// headers and with it every tool its library. Parameters have been checked by the lowering before a row is
// asked, so a row reads them without checks.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/layer_graph.hpp"
#include "model/lower.hpp"
#include "onnx/export.hpp"
#include "onnx/graph_writer.hpp"

namespace lbann::onnx {

/// A layer as its row sees it. Tensors carry the mini-batch in front, `trace` has the dims behind it.
struct MappedLayer {
  const model::LayerNode& node;
  const model::LayerTrace& trace;
  std::vector<std::string> inputs;   // of the parents
  std::vector<std::string> weights;  // initializers, in the order the layer asks for them
  std::vector<std::string> outputs;  // names to give: one per child of a slice, else exactly one
};

/// What a layer has no ONNX form for; `field` locates it among the layer's parameters.
struct NoMapping {
  std::string message;
  std::string field{};
};

using LayerMapping = void (*)(GraphWriter& writer, const MappedLayer& layer);

/// nullptr: this kind has no ONNX form here. Mappings throw NoMapping.
LayerMapping try_mapping(std::string_view kind);

/// Layers that only judge: losses, norms and accuracies. Inference does without them.
bool is_judge(std::string_view kind);

}  // namespace lbann::onnx
