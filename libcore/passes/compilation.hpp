// What the passes work on: the graph, the facts about training that turn a forward graph into a
// train step, and what the passes find out (gradients, memory plan, timings).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "passes/kernel_catalogue.hpp"
#include "passes/memory_plan.hpp"
#include "tensor/placement.hpp"

namespace lbann::passes {

/// A weight that the optimizer changes.
struct TrainableWeight {
  std::string name;
  std::string rule;                 // of the `update` primitive: "adam"
  std::vector<std::string> states;  // names of its state tensors: {"moment1", "moment2"}
  int slot = 0;                     // first of its step scalars
};

/// scale/2 * sum w^2 over the weights named (empty: all weights of the model).
struct L2Term {
  double scale = 1;
  std::vector<std::string> weights;
};

/// When updates happen: as soon as a gradient is final, or all together under a device flag that
/// leaves weights, state and running statistics untouched to the bit when it is 0.
enum class Commit { eager, committed };

/// Which activations the backward pass makes again instead of keeping them (recompute.cpp), beside those of
/// `recompute_layers`: none, those that are worth it, all that are cheap.
enum class Recompute { none, automatic, all };

struct RecomputeReport {
  int values = 0;                 // that are not kept
  std::int64_t bytes = 0;         // of these
  double flops = 0, traffic = 0;  // of making them again
};

struct PassReport {
  std::string name;
  double ms = 0;
  int nodes_before = 0;
  int nodes_after = 0;
  bool disabled = false;
};

struct Compilation {
  graph::Graph graph;
  bool training = false;
  std::vector<TrainableWeight> trainable;
  std::vector<L2Term> l2_terms;
  int num_step_scalars = 0;
  Commit commit = Commit::eager;
  bool expose_gradients = false;  // outputs "gradient:<weight>" instead of updates: checks and tests
  tensor::DataType compute_type = tensor::DataType::f32;  // of convolutions and matrix products
  bool mixed_precision = false;                           // compute_type differs from the model's type
  tensor::Mesh mesh{};
  int rank = 0;                                         // whose plan it becomes
  std::map<std::string, tensor::Placement> placements;  // of inputs and weights by name; see place_tensors
  std::int64_t bucket_bytes = std::int64_t{4} << 20;    // of gradients reduced as one message
  const KernelCatalogue* catalogue = nullptr;
  Recompute recompute = Recompute::automatic;
  std::set<std::string> recompute_layers;                // names
  std::map<std::string, tensor::Layout> weight_layouts;  // given: another plan owns the layout
  std::set<std::string> disabled;                        // pass names

  // Written by passes.
  std::map<graph::ValueId, graph::ValueId> gradients;  // weight value -> gradient (until insert_updates)
  std::string program;  // of more than one rank: the global program's text, the same on every rank
  MemoryPlan memory;
  RecomputeReport recomputed;
  std::vector<PassReport> reports;
};

}  // namespace lbann::passes
