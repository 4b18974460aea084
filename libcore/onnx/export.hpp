// An experiment's network as an ONNX model (opset 13, IR 7), ready for inference.
//
//   input    "samples" [N, dims of a sample], N symbolic
//   outputs  what the objective and the metrics judge (a softmax, say), and layers that nobody reads; each
//            is named like its layer
//   weights  initializers, named like the weights objects, row-major in LBANN's linear order
//
// Losses, accuracies and whatever depends on labels are left out, and so is what no output needs. All
// arithmetic is float. The text of the interface is bytes, so that nobody above needs ONNX's headers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "model/lower.hpp"

namespace lbann::onnx {

/// By name of the weights object; LBANN's linear order.
using WeightValues = std::map<std::string, std::vector<double>>;

struct ExportOptions {
  std::string producer_version;  // of the suite
};

/// The serialized ModelProto. `lowered` must be in evaluation mode; a weight that is not in `values` is a
/// logic error. Layers without an ONNX form are reported all together, each by name and place; the result
/// is usable only when `diagnostics` has no errors. Throws base::Error (config) above ONNX's limit of 2 GB.
std::string export_model(const model::Experiment& experiment, const model::LayerGraph& graph,
                         const model::LoweredModel& lowered, const WeightValues& values,
                         const ExportOptions& options, base::Diagnostics& diagnostics);

/// The initial values of all weights of `lowered`, as lbann-train draws them with this seed.
WeightValues make_initial_values(const model::LoweredModel& lowered, std::uint64_t seed);

}  // namespace lbann::onnx
