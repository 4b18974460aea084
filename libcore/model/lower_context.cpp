// See lower_context.hpp.
#include "model/lower_context.hpp"

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "base/philox.hpp"

namespace lbann::model {

graph::ValueId ModelLowerContext::weight(const layers::WeightRequest& request) {
  const graph::ValueId value = state_.weights.request(layer_.user, names_.size(), request, state_.builder);
  const LoweredWeight& w = state_.weights.last();
  names_.push_back(w.name);
  nodes_.push_back(w.value);
  num_parameters_ += w.shape.num_elements();
  return value;
}

layers::MadeWeight ModelLowerContext::made_weight() {
  const LoweredWeight* w =
      layer_.user.listed.empty() ? nullptr : state_.weights.try_made(layer_.user.listed[0]);
  if (w == nullptr) return LowerContext::made_weight();
  names_.push_back(w->name);
  nodes_.push_back(w->value);
  return {state_.builder.cast(w->value, type()), w->shape, w->matrix_height};
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

graph::ValueId ModelLowerContext::random(const layers::RandomRequest& request) {
  ops::Builder& b = state_.builder;
  if (state_.random_state == graph::none) {
    state_.random_state = b.input("random_state", {tensor::DataType::i64, {2}, {}});
  }
  const std::uint64_t stream =
      base::make_stream(layer_.user.name, request.purpose, static_cast<std::uint64_t>(num_random_++));
  graph::Attrs attrs{{"distribution", request.distribution},
                     {"type", std::string(tensor::to_string(type()))},
                     {"dims", request.shape.dims()},
                     {"stream", static_cast<std::int64_t>(stream)}};
  std::vector<graph::ValueId> operands{state_.random_state};
  if (request.distribution == "bernoulli") {
    const auto slot = static_cast<std::int64_t>(2 * state_.scalars.size());
    state_.scalars.push_back({layer_.user.name, request.purpose, request.probability, request.value});
    if (state_.random_scalars == graph::none) {
      state_.random_scalars = b.input("random_scalars", {tensor::DataType::f64, {2}, {}});
    }
    b.graph().value(state_.random_scalars).spec.shape = tensor::Shape{slot + 2};
    attrs.set("slot", slot);
    operands.push_back(state_.random_scalars);
  }
  return b.add("random", std::move(operands), std::move(attrs));
}

}  // namespace lbann::model
