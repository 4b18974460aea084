// The sections of an experiment beside its layers: objective, metrics, callbacks, readers.
// A part of make_layer_graph; not for others.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "model/damage.hpp"
#include "model/layer_graph.hpp"

namespace lbann::model {

/// Index of the layer with this name, or -1 after it has reported that there is none.
using LayerResolver = std::function<int(const std::string& name, const base::SourceSpan& span)>;

/// The member of a oneof that is set, as field name and message; empty and nullptr if none is.
std::pair<std::string, const google::protobuf::Message*> chosen_member(
    const google::protobuf::Message& message, const char* oneof_name);

/// Fills objective, l2_terms, metrics, callbacks and readers of `graph`.
void make_sections(const Experiment& experiment, const Damage& damage, const LayerResolver& resolve,
                   LayerGraph& graph, base::Diagnostics& diagnostics);

}  // namespace lbann::model
