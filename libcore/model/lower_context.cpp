// See lower_context.hpp.
#include "model/lower_context.hpp"

#include <fmt/format.h>

#include "base/edit_distance.hpp"

namespace lbann::model {

graph::ValueId ModelLowerContext::weight(const layers::WeightRequest& request) {
  const graph::ValueId value = state_.weights.request(layer_.user, names_.size(), request, state_.builder);
  const LoweredWeight& w = state_.weights.last();
  names_.push_back(w.name);
  nodes_.push_back(w.value);
  num_parameters_ += w.shape.num_elements();
  return value;
}

void ModelLowerContext::assign(std::size_t weight_index, graph::ValueId value) {
  const graph::ValueId target = nodes_.at(weight_index);
  graph::Graph& g = state_.builder.graph();
  if (!state_.assigned.insert(target).second) {
    throw layers::LayerError{"not-supported",
                             fmt::format("weights '{}' hold two statistics at once", names_[weight_index])};
  }
  g.assignments.push_back({target, state_.builder.cast(value, g.value(target).spec.type)});
}

graph::ValueId ModelLowerContext::data_field(const std::string& field) {
  const auto& fields = state_.options.fields;
  std::vector<std::string> names;
  for (const DataField& f : fields) {
    names.push_back(f.name);
    if (f.name != field) continue;
    // The data pipeline delivers float; layers of another type get the field cast.
    const auto known = state_.fields.find(field);
    if (known != state_.fields.end()) return state_.builder.cast(known->second, type());
    std::vector<std::int64_t> dims{batch()};
    dims.insert(dims.end(), f.dims.dims().begin(), f.dims.dims().end());
    const graph::ValueId x = state_.builder.input(field, {tensor::DataType::f32, tensor::Shape(dims), {}});
    state_.fields.emplace(field, x);
    return state_.builder.cast(x, type());
  }
  std::vector<base::Note> notes;
  for (const DataField& f : fields) {
    notes.push_back({fmt::format("the readers provide '{}' {}", f.name, f.dims.to_string()), {}});
  }
  throw layers::LayerError{"unknown-data-field", fmt::format("no reader provides the data field '{}'", field),
                           "data_field", base::did_you_mean(field, names), notes};
}

}  // namespace lbann::model
