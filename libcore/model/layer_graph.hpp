// LBANN's layer graph as plain data: the file's layers 1:1, references resolved to indices.
//
// All independent errors are found in one pass: names, duplicates, dangling references (with a
// suggestion), cycles, missing kinds. Edges may be written on either side (`parents`,
// `children`); a layer's own list comes first and gives the order. Implicit layers of LBANN
// (splits, dummies, evaluations) are not made: the op graph needs none.
//
// Messages are pointed to, not copied: a graph must not outlive its experiment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/experiment.hpp"
#include "tensor/data_type.hpp"

namespace google::protobuf {
class Message;
}
namespace lbann_data {
class Callback;
class Initializer;
class Metric;
class Optimizer;
class Reader;
}  // namespace lbann_data

namespace lbann::model {

enum class DataLayout { data_parallel, model_parallel };

struct LayerNode {
  std::string name;
  std::string kind;  // field of the Layer message, "convolution"; empty after an error
  const google::protobuf::Message* params = nullptr;  // the kind's message
  std::string path;                                   // "model.layer[3]"
  base::SourceSpan span{};                            // its `layer` keyword
  bool named = false;                                 // by the user
  std::vector<int> parents;                           // in input order, without repetition
  std::vector<int> children;                          // in output order
  std::vector<std::string> weights;                   // names, all of them declared
  int hint = -1;
  DataLayout data_layout = DataLayout::data_parallel;
  std::string device{};                    // "cpu", "gpu" or empty: default
  std::optional<tensor::DataType> type{};  // nothing: the default
  bool frozen = false;
  bool recompute = false;  // outputs are made again in the backward pass
  /// An old input layer feeds samples and labels: it becomes two nodes, of which the second has
  /// this index of the first; -1 otherwise.
  int second_of = -1;
};

struct WeightsNode {
  std::string name;
  const lbann_data::Initializer* initializer = nullptr;  // nullptr: zeros
  const lbann_data::Optimizer* optimizer = nullptr;      // nullptr: the experiment's
  std::optional<tensor::DataType> type{};                // nothing: the default
  std::string path;                                      // "model.weights[0]"
  base::SourceSpan span{};
};

struct ObjectiveTerm {
  int layer = -1;
  double scale = 1;
  std::string path;
  base::SourceSpan span{};  // the layer's name in the term
};

struct L2Regularization {
  double scale = 1;
  std::vector<std::string> weights;  // empty: all. May name weights that layers make; not checked here
  std::string path;
  base::SourceSpan span{};
};

struct MetricNode {
  std::string name;
  std::string unit;
  int layer = -1;  // -1: not a layer metric
  const lbann_data::Metric* message = nullptr;
  std::string path;
  base::SourceSpan span{};
};

struct CallbackNode {
  std::string kind;  // "print"; empty: nothing set
  const google::protobuf::Message* params = nullptr;
  const lbann_data::Callback* message = nullptr;
  std::string path;
  base::SourceSpan span{};
};

struct ReaderNode {
  const lbann_data::Reader* message = nullptr;
  std::string path;
  base::SourceSpan span{};
};

struct LayerGraph {
  std::string model_name;         // default "model0"
  std::vector<LayerNode> layers;  // file order; second nodes of old inputs at the end
  std::vector<int> order;         // execution order
  std::vector<WeightsNode> weights;
  std::vector<ObjectiveTerm> objective;
  std::vector<L2Regularization> l2_terms;
  std::vector<MetricNode> metrics;
  std::vector<CallbackNode> callbacks;  // of the model, then of the trainer
  std::vector<ReaderNode> readers;
  const lbann_data::Optimizer* optimizer = nullptr;                     // nullptr: none given
  std::vector<std::shared_ptr<const google::protobuf::Message>> owned;  // parameters we made

  /// -1 when there is none.
  int find_layer(std::string_view name) const;
};

/// Where `field` of a layer's parameters was written ("groups"; "" is the layer itself).
base::SourceSpan layer_span(const Experiment& experiment, const LayerNode& layer, std::string_view field);

/// Errors that the graph has because of errors already in `diagnostics` (a broken layer has no
/// kind, a broken name cannot be found) are not reported again.
LayerGraph make_layer_graph(const Experiment& experiment, base::Diagnostics& diagnostics);

/// Marks layers `recompute` as the field of that name does. Throws base::Error (usage) for a name that no
/// layer has.
void mark_recompute(LayerGraph& graph, const std::vector<std::string>& names);

/// The graph as text: one line per layer in execution order, then objective and metrics.
std::string describe(const LayerGraph& graph);

}  // namespace lbann::model
