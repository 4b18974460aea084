// Slots of the step scalars are dealt in the order of the model's weights.
#include "model/step_plan.hpp"

namespace lbann::model {

passes::Compilation make_compilation(graph::Graph graph, const LoweredModel& model,
                                     const StepOptions& options, const passes::KernelCatalogue& catalogue) {
  passes::Compilation c;
  c.graph = std::move(graph);
  c.training = options.training;
  c.commit = options.commit;
  c.expose_gradients = options.expose_gradients;
  c.l2_terms = model.l2_terms;
  c.disabled = options.disabled;
  c.weight_layouts = options.weight_layouts;
  c.recompute = options.recompute;
  c.recompute_layers = options.recompute_layers;
  c.recompute_layers.insert(model.recompute_layers.begin(), model.recompute_layers.end());
  c.catalogue = &catalogue;
  if (options.oracle) {
    for (const char* name : {"group_epilogues", "fuse_elementwise", "rematerialize", "recompute"})
      c.disabled.insert(name);
  }
  for (const LoweredWeight& w : model.weights) {
    if (!w.trainable || !w.optimizer || w.optimizer->kind == optim::OptimizerKind::none) continue;
    const optim::UpdateRule& rule = optim::update_rule(*w.optimizer);
    passes::TrainableWeight t{w.name, std::string(rule.name), {}, c.num_step_scalars};
    for (std::string_view state : rule.states) t.states.emplace_back(state);
    c.num_step_scalars += static_cast<int>(rule.slots.size());
    c.trainable.push_back(std::move(t));
  }
  return c;
}

}  // namespace lbann::model
