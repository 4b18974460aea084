// See lower_fixture.hpp.
#include "lower_fixture.hpp"

namespace lbann::test {

Lowered lower_text(const std::string& text, const model::LowerOptions& options) {
  Lowered r{{}, options, std::nullopt};
  model::Experiment experiment;
  model::parse_experiment("exp.prototext", text, experiment, r.diagnostics);
  const model::LayerGraph graph = model::make_layer_graph(experiment, r.diagnostics);
  r.model = model::lower_model(experiment, graph, options, r.diagnostics);
  return r;
}

}  // namespace lbann::test
