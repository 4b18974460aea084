// The layers' half of lower_model: checks what all kinds have in common, calls each kind's lowering and turns
// its refusals into diagnostics.
#pragma once

#include <string>
#include <vector>

#include "model/damage.hpp"
#include "model/lower.hpp"
#include "model/lower_context.hpp"

namespace lbann::model {

/// The place of a field: of the first entry where it is a list.
base::SourceSpan field_span(const SpanTable& spans, const std::string& path);

class LayerLowering {
public:
  LayerLowering(const LayerGraph& graph, const Experiment& experiment, LowerState& state,
                base::Diagnostics& diagnostics);

  /// Lowers all layers in execution order.
  void run();
  /// The layer's first output; graph::none when it or an ancestor failed.
  graph::ValueId output(int layer) const;
  std::vector<LayerTrace> take_trace() { return std::move(trace_); }

private:
  void lower(int index);
  /// False: refused, with a diagnostic.
  bool check_common(int index, const layers::LayerDef* def);
  bool check_placement(int index);
  void check_outputs(const LayerNode& layer, const std::vector<graph::ValueId>& outputs);
  LayerInputs gather(int index);
  graph::ValueId output_for(int parent, int child) const;
  void add_trace(const LayerNode& layer, const ModelLowerContext& context,
                 const std::vector<graph::ValueId>& outputs, int origin, std::size_t first_node);
  void error(const LayerNode& layer, const std::string& id, const std::string& message,
             const std::string& field, std::string help = {}, std::vector<base::Note> notes = {});
  void warn(const LayerNode& layer, const layers::LayerError& w);

  const LayerNode& node(int i) const { return graph_.layers[static_cast<std::size_t>(i)]; }

  const LayerGraph& graph_;
  const Experiment& experiment_;
  LowerState& state_;
  base::Diagnostics& diagnostics_;
  const Damage damage_;
  std::vector<std::vector<graph::ValueId>> outputs_;  // per layer; empty: failed
  std::vector<LayerTrace> trace_;
};

}  // namespace lbann::model
