// From the layer graph to the op graph: every layer is lowered to primitives in execution order, its weights
// are matched with the user's weights objects, objective and metrics are added as outputs.
//
//   outputs       "objective" [1] = sum of the terms, "term:<i>" [1] = scale * mean over the mini-batch,
//                 "metric:<name>" [1] = mean (times 100 if the unit is "%"),
//                 "layer:<name>" [batch, dims..] of the layers asked for
//   assignments   running statistics (training only)
//   inputs        "<data field>", and with random layers "random_state" i64[2] {key, draw} and
//                 "random_scalars" f64[2 k]
//
// The graph is forward only: gradients, updates and weight penalties are the passes' work. All independent
// errors are reported; a layer whose parents failed is skipped in silence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "graph/graph.hpp"
#include "layers/layer_def.hpp"
#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "optim/initializer.hpp"
#include "optim/optimizer.hpp"
#include "passes/compilation.hpp"

namespace lbann::model {

/// What the readers deliver; dims of one sample.
struct DataField {
  std::string name;  // "samples", "labels", "responses"
  tensor::Shape dims;
};

struct LowerOptions {
  layers::Mode mode = layers::Mode::train;
  std::int64_t batch = 1;
  tensor::DataType default_type = tensor::DataType::f32;  // of layers and weights that name none
  std::vector<DataField> fields{};
  std::vector<std::string> outputs{};  // layers whose values are outputs of the graph, for inference
};

struct LoweredWeight {
  std::string name;
  graph::ValueId value = graph::none;  // output of the `weight` node
  tensor::Shape shape;                 // storage order = LBANN's linear order
  tensor::DataType type = tensor::DataType::f32;
  optim::InitializerConfig initializer{};
  std::optional<optim::OptimizerConfig> optimizer{};  // of a trainable weight
  bool trainable = false;
  bool frozen = false;
  std::int64_t fan_in = 0, fan_out = 0, matrix_height = 0;  // see layers::WeightRequest
  std::int64_t zero_row = -1;                               // see layers::WeightRequest
  std::string first_layer{};                                // that asked for it
  base::SourceSpan span{};

  optim::InitializerTarget target() const { return {name, shape, fan_in, fan_out, matrix_height}; }
};

struct LoweredTerm {
  std::string layer;
  double scale = 1;
  std::string output;  // "term:0"
};

struct LoweredMetric {
  std::string name;  // as printed
  std::string unit;  // "%": the output is times 100 already
  std::string layer;
  std::string output;  // "metric:accuracy"
};

/// What `--trace` tells of a layer; dims of one sample.
struct LayerTrace {
  std::string name, kind;
  std::vector<tensor::Shape> inputs, outputs;
  std::vector<std::string> weights;
  std::int64_t num_parameters = 0;  // of its weights; shared ones count for each layer
  double flops = 0;                 // forward, whole mini-batch
};

/// What the host writes into `random_scalars` for a `random` node: its probability, and behind it the value
/// where that hits.
struct RandomScalar {
  std::string layer;
  std::string purpose;  // "dropout mask"
  double probability = 0;
  double value = 1;
};

struct LoweredModel {
  graph::Graph graph;
  std::vector<LoweredWeight> weights;  // in the order of their first use
  std::vector<passes::L2Term> l2_terms;
  std::vector<LoweredTerm> terms;
  std::vector<LoweredMetric> metrics;
  std::vector<LayerTrace> layers;
  std::vector<std::string> recompute_layers;  // that the user marks `recompute`
  std::vector<RandomScalar> random_scalars;   // slot = 2 * position
};

/// Nothing when `diagnostics` holds errors, of this or an earlier stage; layers whose text had errors before
/// are skipped in silence like those whose parents failed. Every call repeats its warnings: when a model is
/// lowered again (another mini-batch size, evaluation), give it diagnostics of its own.
std::optional<LoweredModel> lower_model(const Experiment& experiment, const LayerGraph& graph,
                                        const LowerOptions& options, base::Diagnostics& diagnostics);

}  // namespace lbann::model
