// See graph_sections.hpp.
#include "model/graph_sections.hpp"

#include <google/protobuf/descriptor.h>

#include <fmt/format.h>

#include "lbann.pb.h"

namespace lbann::model {

namespace pb = google::protobuf;

std::pair<std::string, const pb::Message*> chosen_member(const pb::Message& message, const char* oneof_name) {
  const auto* oneof = message.GetDescriptor()->FindOneofByName(oneof_name);
  const auto* field = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
  if (field == nullptr) return {};
  return {field->name(), &message.GetReflection()->GetMessage(message, field)};
}

namespace {

class SectionMaker {
public:
  SectionMaker(const Experiment& experiment, const Damage& damage, const LayerResolver& resolve,
               LayerGraph& graph, base::Diagnostics& diagnostics)
    : experiment_(experiment),
      spans_(experiment.spans),
      model_(experiment.proto->model()),
      damage_(damage),
      resolve_(resolve),
      graph_(graph),
      diagnostics_(diagnostics) {}

  void make() {
    make_objective();
    make_metrics();
    make_callbacks(model_.callback(), "model");
    make_callbacks(experiment_.proto->trainer().callback(), "trainer");
    make_readers();
  }

private:
  void error(std::string id, base::SourceSpan span, std::string message, std::string help = {}) {
    diagnostics_.error(std::move(id), std::move(span), std::move(message), std::move(help));
  }

  void make_objective() {
    const auto& objective = model_.objective_function();
    for (int i = 0; i < objective.layer_term_size(); ++i) {
      const auto& message = objective.layer_term(i);
      ObjectiveTerm term;
      term.path = fmt::format("model.objective_function.layer_term[{}]", i);
      term.scale = scale_of(message, term.path);
      term.span = spans_.span(term.path + ".layer");
      if (message.layer().empty()) {
        if (!damage_.inside(term.path))
          error("missing-layer", term.span, "this term of the objective names no layer");
        continue;
      }
      term.layer = resolve_(message.layer(), term.span);
      if (term.layer >= 0) graph_.objective.push_back(std::move(term));
    }
    for (int i = 0; i < objective.l2_weight_regularization_size(); ++i) {
      const auto& message = objective.l2_weight_regularization(i);
      L2Regularization term;
      term.path = fmt::format("model.objective_function.l2_weight_regularization[{}]", i);
      term.scale = scale_of(message, term.path);
      term.span = spans_.span(term.path);
      term.weights.assign(message.weights().begin(), message.weights().end());
      graph_.l2_terms.push_back(std::move(term));
    }
  }

  template <class Term>
  double scale_of(const Term& message, const std::string& path) {
    if (!message.has_scale_factor()) return 1;
    if (message.scale_factor() == 0)
      diagnostics_.warning("scale-factor-zero", spans_.span(path + ".scale_factor"),
                           "scale_factor 0 switches this term off; LBANN reads it as 1");
    return message.scale_factor();
  }

  void make_metrics() {
    for (int i = 0; i < model_.metric_size(); ++i) {
      const auto& message = model_.metric(i);
      MetricNode node;
      node.message = &message;
      node.path = fmt::format("model.metric[{}]", i);
      node.span = spans_.span(node.path);
      if (message.metric_type_case() == lbann_data::Metric::METRIC_TYPE_NOT_SET) {
        if (!damage_.inside(node.path))
          error("metric-without-kind", node.span, "this metric has no kind",
                "add layer_metric { layer: \"...\" }");
        continue;
      }
      if (message.has_layer_metric()) {
        const auto& metric = message.layer_metric();
        node.span = spans_.span(node.path + ".layer_metric.layer");
        node.unit = metric.unit();
        node.name = metric.name().empty() ? metric.layer() : metric.name();
        if (metric.layer().empty()) {
          if (!damage_.inside(node.path)) error("missing-layer", node.span, "this metric names no layer");
          continue;
        }
        node.layer = resolve_(metric.layer(), node.span);
        if (node.layer < 0) continue;
      } else {
        node.name = message.has_executable_metric() ? message.executable_metric().name()
                                                    : message.python_metric().name();
      }
      graph_.metrics.push_back(std::move(node));
    }
  }

  template <class List>
  void make_callbacks(const List& list, const char* owner) {
    for (int i = 0; i < list.size(); ++i) {
      CallbackNode node;
      node.message = &list.Get(i);
      node.path = fmt::format("{}.callback[{}]", owner, i);
      std::tie(node.kind, node.params) = chosen_member(list.Get(i), "callback_type");
      node.span = spans_.span(node.kind.empty() ? node.path : node.path + "." + node.kind);
      if (node.kind.empty() && !damage_.inside(node.path))
        diagnostics_.warning("empty-callback", node.span, "this callback is empty and does nothing");
      graph_.callbacks.push_back(std::move(node));
    }
  }

  void make_readers() {
    const auto& proto = *experiment_.proto;
    for (int i = 0; i < proto.data_reader().reader_size(); ++i) {
      const std::string path = fmt::format("data_reader.reader[{}]", i);
      graph_.readers.push_back({&proto.data_reader().reader(i), path, spans_.span(path)});
    }
    if (proto.has_data_reader() && proto.data_reader().reader_size() == 0 && !damage_.inside("data_reader"))
      error("no-readers", spans_.span("data_reader"), "the data_reader has no readers", "add reader { ... }");
    if (proto.has_data_set_metadata())
      error("not-supported", spans_.span("data_set_metadata"),
            "'data_set_metadata' is known to LBANN, not yet supported here");
    if (proto.data_reader().requires_data_set_metadata())
      error("not-supported", spans_.span("data_reader.requires_data_set_metadata"),
            "'requires_data_set_metadata' is known to LBANN, not yet supported here");
    if (proto.data_reader().has_max_par_io_size())
      diagnostics_.warning("no-effect", spans_.span("data_reader.max_par_io_size"),
                           "field 'max_par_io_size' has no effect");
  }

  const Experiment& experiment_;
  const SpanTable& spans_;
  const lbann_data::Model& model_;
  const Damage& damage_;
  const LayerResolver& resolve_;
  LayerGraph& graph_;
  base::Diagnostics& diagnostics_;
};

}  // namespace

void make_sections(const Experiment& experiment, const Damage& damage, const LayerResolver& resolve,
                   LayerGraph& graph, base::Diagnostics& diagnostics) {
  SectionMaker(experiment, damage, resolve, graph, diagnostics).make();
}

}  // namespace lbann::model
