// See lower_layers.hpp.
#include "model/lower_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "layers/helpers.hpp"
#include "lbann.pb.h"

namespace lbann::model {
namespace {

std::string plural(std::int64_t n, const std::string& word) {
  return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s");
}

/// "2", "1 to 3", "at least 1".
std::string arity_text(const layers::LayerDef& def) {
  if (def.max_parents < 0) return fmt::format("at least {}", def.min_parents);
  if (def.min_parents == def.max_parents) return fmt::format("{}", def.min_parents);
  return fmt::format("{} to {}", def.min_parents, def.max_parents);
}

}  // namespace

base::SourceSpan field_span(const SpanTable& spans, const std::string& path) {
  const bool is_list = spans.find(path) == nullptr && spans.find(path + "[0]") != nullptr;
  return spans.span(is_list ? path + "[0]" : path);
}

LayerLowering::LayerLowering(const LayerGraph& graph, const Experiment& experiment, LowerState& state,
                             base::Diagnostics& diagnostics)
  : graph_(graph),
    experiment_(experiment),
    state_(state),
    diagnostics_(diagnostics),
    damage_(experiment.spans, diagnostics),
    outputs_(graph.layers.size()) {}

void LayerLowering::run() {
  for (const int i : graph_.order) lower(i);
}

graph::ValueId LayerLowering::output(int layer) const {
  const auto& outputs = outputs_[static_cast<std::size_t>(layer)];
  return outputs.empty() ? graph::none : outputs.front();
}

void LayerLowering::error(const LayerNode& layer, const std::string& id, const std::string& message,
                          const std::string& field, std::string help, std::vector<base::Note> notes) {
  base::Diagnostic d;
  d.id = id;
  d.message = fmt::format("layer '{}' ({}): {}", layer.name, layer.kind, message);
  d.span = field_span(experiment_.spans, field.empty() ? layer.path : layer.path + "." + field);
  d.help = std::move(help);
  d.notes = std::move(notes);
  diagnostics_.add(std::move(d));
}

void LayerLowering::warn(const LayerNode& layer, const layers::LayerError& w) {
  const std::string path = layer.path + "." + layer.kind;
  const std::string field = w.field.empty() || experiment_.spans.find(path + "." + w.field) == nullptr
                                ? path
                                : path + "." + w.field;
  diagnostics_.warning(w.id, field_span(experiment_.spans, field),
                       fmt::format("layer '{}' ({}): {}", layer.name, layer.kind, w.message), w.help);
}

bool LayerLowering::check_placement(int index) {
  const LayerNode& layer = node(index);
  const int in_file = layer.second_of >= 0 ? layer.second_of : index;
  const lbann_data::Layer& p = experiment_.proto->model().layer(in_file);
  const auto& strategy = p.parallel_strategy();
  for (const std::int64_t groups :
       {strategy.sample_groups(), strategy.height_groups(), strategy.width_groups(),
        strategy.channel_groups(), strategy.filter_groups(), strategy.depth_groups(),
        strategy.replications()}) {
    if (groups >= 0 && groups <= 1) continue;
    error(layer, "not-supported",
          fmt::format("a parallel_strategy over {} groups is known to LBANN, not yet supported here", groups),
          "parallel_strategy");
    return false;
  }
  if (p.grid_tag().value() > 0 || strategy.grid_tag().value() > 0) {
    error(layer, "not-supported", "sub-grids (grid_tag) are known to LBANN, not yet supported here",
          p.has_grid_tag() ? "grid_tag" : "parallel_strategy.grid_tag");
    return false;
  }
  return true;
}

bool LayerLowering::check_common(int index, const layers::LayerDef* def) {
  const LayerNode& layer = node(index);
  bool ok = check_placement(index);
  if (def == nullptr) {
    error(layer, "not-supported", "this kind is known to LBANN, not yet supported here", layer.kind);
    return false;
  }
  const int n = static_cast<int>(layer.parents.size());
  if (n < def->min_parents || (def->max_parents >= 0 && n > def->max_parents)) {
    std::vector<base::Note> notes;
    for (const int p : layer.parents) notes.push_back({fmt::format("parent '{}'", node(p).name), {}});
    error(layer, "num-parents", fmt::format("{}, takes {}", plural(n, "parent"), arity_text(*def)), "parents",
          "", std::move(notes));
    ok = false;
  }
  if (static_cast<int>(layer.weights.size()) > def->max_weights) {
    error(layer, "too-many-weights",
          fmt::format("{} weights listed, holds {}", layer.weights.size(), def->max_weights), "weights");
    ok = false;
  }
  return ok;
}

graph::ValueId LayerLowering::output_for(int parent, int child) const {
  const auto& outputs = outputs_[static_cast<std::size_t>(parent)];
  if (outputs.size() <= 1) return outputs.empty() ? graph::none : outputs.front();
  const auto& children = node(parent).children;
  const auto edge = std::find(children.begin(), children.end(), child) - children.begin();
  return outputs.at(static_cast<std::size_t>(edge));
}

LayerInputs LayerLowering::gather(int index) {
  const LayerNode& layer = node(index);
  LayerInputs in;
  const tensor::DataType type = layer.type.value_or(state_.options.default_type);
  in.user = {layer.name, layer.path, layer.weights, layer.frozen, type};
  in.params = layer.params;
  in.num_children = static_cast<int>(layer.children.size());
  for (const int p : layer.parents) {
    in.values.push_back(state_.builder.cast(output_for(p, index), type));
    in.parent_names.push_back(node(p).name);
  }
  return in;
}

void LayerLowering::check_outputs(const LayerNode& layer, const std::vector<graph::ValueId>& outputs) {
  if (layer.hint < 0) return;
  const ops::Builder& b = state_.builder;
  const graph::ValueId wanted = output(layer.hint);
  if (wanted == graph::none || b.shape(wanted) == b.shape(outputs.front())) return;
  throw layers::LayerError{
      "hint-dims",
      fmt::format("produces {}, its hint_layer '{}' {}",
                  layers::sample_dims(state_.builder, outputs.front()).to_string(), node(layer.hint).name,
                  layers::sample_dims(state_.builder, wanted).to_string())};
}

void LayerLowering::add_trace(const LayerNode& layer, const ModelLowerContext& context,
                              const std::vector<graph::ValueId>& outputs, int origin,
                              std::size_t first_node) {
  LayerTrace t{layer.name, layer.kind, {}, {}, context.weight_names(), context.num_parameters(), 0};
  for (const graph::ValueId x : context.inputs()) t.inputs.push_back(layers::sample_dims(state_.builder, x));
  for (const graph::ValueId y : outputs) t.outputs.push_back(layers::sample_dims(state_.builder, y));
  const graph::Graph& g = state_.builder.graph();
  for (std::size_t i = first_node; i < g.nodes.size(); ++i) {
    if (g.nodes[i].origin == origin) t.flops += ops::cost_of(g, g.nodes[i]).flops;
  }
  trace_.push_back(std::move(t));
}

void LayerLowering::lower(int index) {
  const LayerNode& layer = node(index);
  if (layer.kind.empty() || damage_.inside(layer.path)) return;
  const layers::LayerDef* def = layers::try_layer(layer.kind);
  bool ok = check_common(index, def);
  for (const int p : layer.parents) ok = ok && output_for(p, index) != graph::none;
  if (!ok) return;

  graph::Graph& g = state_.builder.graph();
  const std::size_t first_node = g.nodes.size();
  const int origin = g.add_origin({layer.name, layer.kind, layer.span});
  state_.builder.set_origin(origin);
  try {
    ModelLowerContext context(state_, gather(index));
    const std::vector<graph::ValueId> outputs = def->lower(context);
    check_outputs(layer, outputs);
    for (const layers::LayerError& w : context.warnings()) warn(layer, w);
    add_trace(layer, context, outputs, origin, first_node);
    outputs_[static_cast<std::size_t>(index)] = outputs;
  } catch (const layers::LayerError& e) {
    // Without any reader that is what the user is told, not that each field is missing.
    if (e.id == "unknown-data-field" && state_.options.fields.empty() && diagnostics_.has_errors()) return;
    error(layer, e.id, e.message, e.field.empty() ? "" : layer.kind + "." + e.field, e.help, e.notes);
  } catch (const ops::InferError& e) {
    error(layer, e.id, e.message, "", e.help);
  } catch (const base::Diagnostic& d) {
    diagnostics_.add(d);
  } catch (const base::Error& e) {
    if (e.code() == base::ExitCode::internal) throw;
    error(layer, "tensor-too-large", e.what(), "", e.help());
  }
}

}  // namespace lbann::model
