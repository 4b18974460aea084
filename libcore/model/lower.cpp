// See lower.hpp. The layers' half is in lower_layers.cpp; here objective, metrics and weight penalties.
#include "model/lower.hpp"

#include <cmath>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "layers/helpers.hpp"
#include "lbann.pb.h"
#include "model/lower_layers.hpp"

namespace lbann::model {
namespace {

class ModelLowering {
public:
  ModelLowering(const Experiment& experiment, const LayerGraph& graph, const LowerOptions& options,
                base::Diagnostics& diagnostics)
    : experiment_(experiment),
      graph_(graph),
      options_(options),
      diagnostics_(diagnostics),
      builder_(result_.graph),
      weights_(graph, experiment, diagnostics),
      state_{options, builder_, weights_},
      layers_(graph, experiment, state_, diagnostics) {}

  std::optional<LoweredModel> run() {
    result_.graph.name = options_.mode == layers::Mode::train ? "train" : "evaluate";
    if (experiment_.proto->model().amp().enabled()) {
      diagnostics_.error("not-supported", experiment_.spans.span("model.amp"),
                         "automatic mixed precision is known to LBANN, not yet supported here");
    }
    layers_.run();
    add_objective();
    add_metrics();
    add_layer_outputs();
    // Names of weights are complete only when every layer has made its own.
    if (!diagnostics_.has_errors()) add_l2_terms();
    if (diagnostics_.has_errors()) return std::nullopt;
    result_.weights = weights_.take();
    result_.layers = layers_.take_trace();
    for (const LayerNode& layer : graph_.layers) {
      if (layer.recompute) result_.recompute_layers.push_back(layer.name);
    }
    result_.random_scalars = std::move(state_.scalars);
    return std::move(result_);
  }

private:
  /// The layer's value if it has one number per sample; graph::none where the layer failed or after a
  /// diagnostic.
  graph::ValueId scalar_output(int layer, const base::SourceSpan& span, const std::string& subject) {
    const graph::ValueId x = layers_.output(layer);
    if (x == graph::none || builder_.shape(x).num_elements() == options_.batch) return x;
    diagnostics_.error("not-scalar", span,
                       fmt::format("{} needs one number per sample, layer '{}' produces {}", subject,
                                   graph_.layers[static_cast<std::size_t>(layer)].name,
                                   layers::sample_dims(builder_, x).to_string()));
    return graph::none;
  }

  /// Mean over the mini-batch, [1].
  graph::ValueId batch_mean(graph::ValueId x) {
    const graph::ValueId column = builder_.reshape(x, {options_.batch, 1});
    const graph::ValueId mean = builder_.reshape(builder_.reduce("mean", column, {0}), {1});
    return builder_.cast(mean, options_.default_type);
  }

  graph::ValueId zero() { return builder_.fill(0, {options_.default_type, {1}, {}}); }

  bool check_scale(double scale, const std::string& path) {
    if (std::isfinite(scale)) return true;
    diagnostics_.error("value-out-of-range", experiment_.spans.span(path + ".scale_factor"),
                       fmt::format("scale_factor = {}, must be finite", scale));
    return false;
  }

  /// A scale of 0 switches a term off: not even its NaN reaches the sum.
  void add_objective() {
    const base::SourceSpan span = experiment_.spans.span("model.objective_function");
    builder_.set_origin(result_.graph.add_origin({"<objective>", "", span}));
    graph::ValueId total = graph::none;
    for (std::size_t i = 0; i < graph_.objective.size(); ++i) {
      const ObjectiveTerm& term = graph_.objective[i];
      const graph::ValueId x = scalar_output(term.layer, term.span, fmt::format("objective term {}", i));
      if (!check_scale(term.scale, term.path) || x == graph::none) continue;
      graph::ValueId value = term.scale == 0 ? zero() : batch_mean(x);
      if (term.scale != 0 && term.scale != 1) value = builder_.scale(value, term.scale);
      const std::string& layer = graph_.layers[static_cast<std::size_t>(term.layer)].name;
      result_.terms.push_back({layer, term.scale, fmt::format("term:{}", i)});
      result_.graph.outputs.push_back({result_.terms.back().output, value});
      if (term.scale != 0) total = total == graph::none ? value : builder_.add2(total, value);
    }
    result_.graph.outputs.push_back({"objective", total == graph::none ? zero() : total});
  }

  void add_metrics() {
    std::set<std::string> taken;
    for (const MetricNode& metric : graph_.metrics) {
      if (metric.layer < 0) {
        diagnostics_.error(
            "not-supported", metric.span,
            fmt::format("metric '{}': metrics by programs and Python are known to LBANN, not yet "
                        "supported here",
                        metric.name));
        continue;
      }
      const graph::ValueId x =
          scalar_output(metric.layer, metric.span, fmt::format("metric '{}'", metric.name));
      if (x == graph::none) continue;
      builder_.set_origin(result_.graph.add_origin({"<metric:" + metric.name + ">", "", metric.span}));
      std::string output = "metric:" + metric.name;
      for (int copy = 2; !taken.insert(output).second; ++copy) {
        output = fmt::format("metric:{}#{}", metric.name, copy);
      }
      const graph::ValueId mean = batch_mean(x);
      result_.graph.outputs.push_back({output, metric.unit == "%" ? builder_.scale(mean, 100) : mean});
      const std::string& layer = graph_.layers[static_cast<std::size_t>(metric.layer)].name;
      result_.metrics.push_back({metric.name, metric.unit, layer, output});
    }
  }

  void add_layer_outputs() {
    for (const std::string& name : options_.outputs) {
      const int layer = graph_.find_layer(name);
      if (layer < 0) throw std::logic_error("no layer '" + name + "' to be an output");
      const graph::ValueId x = layers_.output(layer);
      if (x != graph::none) result_.graph.outputs.push_back({"layer:" + name, x});
    }
  }

  void add_l2_terms() {
    for (const L2Regularization& term : graph_.l2_terms) {
      bool ok = check_scale(term.scale, term.path);
      for (std::size_t i = 0; i < term.weights.size(); ++i) {
        if (weights_.has(term.weights[i])) continue;
        diagnostics_.error("unknown-weights",
                           experiment_.spans.span(fmt::format("{}.weights[{}]", term.path, i)),
                           fmt::format("weights '{}' do not exist", term.weights[i]),
                           base::did_you_mean(term.weights[i], weights_.names()));
        ok = false;
      }
      if (ok && term.scale != 0) result_.l2_terms.push_back({term.scale, term.weights});
    }
  }

  const Experiment& experiment_;
  const LayerGraph& graph_;
  const LowerOptions& options_;
  base::Diagnostics& diagnostics_;
  LoweredModel result_;
  ops::Builder builder_;
  WeightTable weights_;
  LowerState state_;
  LayerLowering layers_;
};

}  // namespace

std::optional<LoweredModel> lower_model(const Experiment& experiment, const LayerGraph& graph,
                                        const LowerOptions& options, base::Diagnostics& diagnostics) {
  return ModelLowering(experiment, graph, options, diagnostics).run();
}

}  // namespace lbann::model
