// See plan_options.hpp.
#include "common/plan_options.hpp"

namespace lbann::tools {

void add_plan_options(OptionTable& table, PlanOptions& options) {
  using passes::Recompute;
  table.add_choice<Recompute>(
      "recompute", options.recompute,
      {{"auto", Recompute::automatic}, {"none", Recompute::none}, {"all", Recompute::all}},
      "Which cheap activations are computed again in the backward pass instead of kept. "
      "auto: those that save memory for a few percent of time. Changes no bit.");
  table.add_list(
      "recompute-layer", "NAME", options.recompute_layers,
      "Compute what this layer makes again in the backward pass, like 'recompute: true' in the layer. "
      "Repeatable.");
  table.add_list("disable-pass", "NAME", options.disabled_passes,
                 "Leave out one pass of the compiler. Repeatable.");
}

}  // namespace lbann::tools
