// See weight_table.hpp.
#include "model/weight_table.hpp"

#include <fmt/format.h>

#include "model/lower_layers.hpp"
#include "optimizers.pb.h"
#include "weights.pb.h"

namespace lbann::model {
namespace {

using layers::DefaultInitializer;
using optim::InitializerConfig;
using optim::InitializerKind;

InitializerConfig default_initializer(const DefaultInitializer& d) {
  InitializerConfig c;
  switch (d.kind) {
    case DefaultInitializer::Kind::constant:
      c.value = d.value;
      break;
    case DefaultInitializer::Kind::he_normal:
      c.kind = InitializerKind::he_normal;
      break;
    case DefaultInitializer::Kind::normal:
      c.kind = InitializerKind::normal;
      break;
    case DefaultInitializer::Kind::scale_bias:
      c.kind = InitializerKind::scale_bias;
      break;
  }
  return c;
}

[[noreturn]] void refuse(std::string id, const base::SourceSpan& span, std::string message,
                         std::vector<base::Note> notes = {}) {
  base::Diagnostic d;
  d.id = std::move(id);
  d.message = std::move(message);
  d.span = span;
  d.notes = std::move(notes);
  throw d;
}

/// No optimizer and `no_optimizer {}` are the same: not trained.
std::optional<optim::OptimizerConfig> trained(std::optional<optim::OptimizerConfig> c) {
  if (c && c->kind == optim::OptimizerKind::none) c.reset();
  return c;
}

}  // namespace

WeightTable::WeightTable(const LayerGraph& graph, const Experiment& experiment,
                         base::Diagnostics& diagnostics)
  : experiment_(experiment), diagnostics_(diagnostics) {
  if (graph.optimizer != nullptr) {
    default_optimizer_ =
        trained(bind_optimizer(*graph.optimizer, "optimizer", experiment.spans, diagnostics));
  }
  for (const WeightsNode& node : graph.weights) objects_.emplace(node.name, bind_object(node));
}

WeightTable::Object WeightTable::bind_object(const WeightsNode& node) {
  Object object;
  object.path = node.path;
  object.initializer_path = node.path + ".initializer";
  if (node.initializer != nullptr) {
    const auto& message = *node.initializer;
    if (const auto config =
            bind_initializer(message, object.initializer_path, experiment_.spans, diagnostics_)) {
      object.initializer = *config;
    }
    const auto* kind = message.GetDescriptor()->FindOneofByName("initializer_type");
    const auto* set = message.GetReflection()->GetOneofFieldDescriptor(message, kind);
    if (set != nullptr) object.initializer_path += "." + set->name();
  }
  object.own_optimizer = node.optimizer != nullptr;
  if (object.own_optimizer) {
    object.optimizer =
        trained(bind_optimizer(*node.optimizer, node.path + ".optimizer", experiment_.spans, diagnostics_));
  }
  object.type = node.type;
  return object;
}

std::vector<std::string> WeightTable::names() const {
  std::vector<std::string> all;
  for (const auto& [name, object] : objects_) all.push_back(name);
  for (const auto& [name, i] : index_) {
    if (objects_.count(name) == 0) all.push_back(name);
  }
  return all;
}

void WeightTable::check_sharing(const WeightUser& user, const LoweredWeight& w,
                                const layers::WeightRequest& request) const {
  const base::SourceSpan span = field_span(experiment_.spans, user.path + ".weights");
  const auto refuse_sharing = [&](const char* id, const std::string& what) {
    refuse(id, span,
           fmt::format("layer '{}' and layer '{}' share weights '{}', but {}", user.name, w.first_layer,
                       w.name, what),
           {{fmt::format("layer '{}' asked first", w.first_layer), w.span}});
  };
  if (w.shape != request.shape) {
    refuse_sharing("shared-weights-shape",
                   fmt::format("need {} and {}", request.shape.to_string(), w.shape.to_string()));
  }
  if (w.frozen != user.frozen) {
    refuse_sharing("shared-weights-freeze",
                   fmt::format("only '{}' is frozen", user.frozen ? user.name : w.first_layer));
  }
  if (!request.trainable) {
    refuse_sharing("not-supported", "sharing running statistics is not yet supported here");
  }
}

LoweredWeight WeightTable::make(const std::string& name, const WeightUser& user,
                                const layers::WeightRequest& request, const Object* object) {
  LoweredWeight w;
  w.name = name;
  w.shape = request.shape;
  w.type = object != nullptr && object->type ? *object->type : user.type;
  w.frozen = user.frozen;
  w.fan_in = request.fan_in;
  w.fan_out = request.fan_out;
  w.matrix_height = request.matrix_height;
  w.zero_row = request.zero_row;
  w.first_layer = user.name;
  w.span = experiment_.spans.span(object != nullptr ? object->path : user.path);
  w.initializer = object != nullptr ? object->initializer : default_initializer(request.initializer);
  if (request.trainable && !user.frozen) {
    w.optimizer = object != nullptr && object->own_optimizer ? object->optimizer : default_optimizer_;
  }
  w.trainable = w.optimizer.has_value();
  if (object != nullptr) {
    if (const auto finding = optim::check_initializer(w.initializer, w.target())) {
      report(*finding, object->initializer_path, experiment_.spans, diagnostics_);
    }
  }
  return w;
}

graph::ValueId WeightTable::request(const WeightUser& user, std::size_t i,
                                    const layers::WeightRequest& request, ops::Builder& b) {
  const bool listed = i < user.listed.size();
  const std::string name = listed ? user.listed[i] : user.name + request.suffix;
  const auto object = objects_.find(name);
  if (listed && object == objects_.end()) {
    // The layer graph has reported the name; here only this layer ends.
    refuse("unknown-weights", field_span(experiment_.spans, user.path + ".weights"),
           fmt::format("layer '{}': no weights '{}'", user.name, name));
  }
  if (!listed && has(name)) {
    refuse("duplicate-weights", experiment_.spans.span(user.path),
           fmt::format("layer '{}' makes weights '{}', but that name is taken", user.name, name),
           {{"list it in the layer's weights to use it, or rename it", {}}});
  }
  const auto known = index_.find(name);
  if (known != index_.end()) {
    last_ = known->second;
    check_sharing(user, weights_[last_], request);
  } else {
    LoweredWeight w = make(name, user, request, listed ? &object->second : nullptr);
    w.value = b.weight(name, {w.type, w.shape, {}}, request.trainable ? "weight" : "state");
    last_ = weights_.size();
    index_.emplace(name, last_);
    weights_.push_back(std::move(w));
  }
  return b.cast(weights_[last_].value, user.type);
}

}  // namespace lbann::model
