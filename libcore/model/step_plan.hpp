// From a lowered model to a compilation: which weights are trained by which rule, where their step
// scalars lie. The trainer and the tools that only plan make the same plan because both come here.
#pragma once

#include "model/lower.hpp"
#include "passes/compilation.hpp"

namespace lbann::model {

struct StepOptions {
  bool training = true;
  passes::Commit commit = passes::Commit::eager;
  bool oracle = false;            // no fusion: with the naive catalogue the reference of everything else
  bool expose_gradients = false;  // outputs "gradient:<weight>" instead of updates
  passes::Recompute recompute = passes::Recompute::automatic;
  std::set<std::string> recompute_layers{};  // beside those that the model marks
  std::set<std::string> disabled{};
  std::map<std::string, tensor::Layout> weight_layouts{};
};

/// Ready for passes::compile. Takes the model's graph. `catalogue` must outlive the compilation.
passes::Compilation make_compilation(graph::Graph graph, const LoweredModel& model,
                                     const StepOptions& options, const passes::KernelCatalogue& catalogue);

}  // namespace lbann::model
