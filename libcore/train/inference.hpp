// A network on given inputs, without data reader, objective or optimizer: what an importer and its tests
// need.
//
// The experiment is lowered for evaluation (running statistics, no dropout) and compiled once for one
// mini-batch size; weights are those of the experiment's initializers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/experiment.hpp"
#include "model/layer_graph.hpp"
#include "tensor/shape.hpp"

namespace lbann::train {

struct InferenceOptions {
  std::int64_t batch = 1;
  tensor::Shape sample_dims;         // of the data field "samples"; rank 0: the network reads none
  std::vector<std::string> outputs;  // names of layers
  int threads = 1;
  std::uint64_t seed = 1;  // of initializers that draw
  bool oracle = false;     // naive kernels in double
};

class Inference {
public:
  /// Throws base::Error (config) with the first diagnostic when the network cannot be lowered.
  Inference(const model::Experiment& experiment, const model::LayerGraph& graph, InferenceOptions options);
  ~Inference();
  /// `samples`: batch times the sample, C order. The values of each output, [batch, dims..] in C order.
  std::map<std::string, std::vector<double>> run(const std::vector<float>& samples);
  /// Dims of an output, with the mini-batch.
  tensor::Shape shape(const std::string& output) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lbann::train
