// Builder: a node is inferred as if it stood in the graph already and appended only then.
#include "ops/builder.hpp"

#include <algorithm>
#include <cmath>

#include "ops/operand_placement.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {

std::vector<graph::ValueId> Builder::add_n(std::string_view op_name, std::vector<graph::ValueId> inputs,
                                           graph::Attrs attrs) {
  graph::Node n;
  n.op = std::string(op_name);
  n.attrs = std::move(attrs);
  n.inputs = std::move(inputs);
  if (redistributes_ && !op(n.op).places_itself) place_operands(n);
  const Specs specs = infer_outputs(g_, n);
  const graph::NodeId id =
      g_.add_node(std::move(n.op), std::move(n.inputs), specs, std::move(n.attrs), origin_, phase_);
  return g_.node(id).outputs;
}

void Builder::place_operands(graph::Node& n) {
  const bool everything_replicated = std::all_of(n.inputs.begin(), n.inputs.end(), [&](graph::ValueId v) {
    return g_.value(v).spec.placement.is_replicated();
  });
  if (everything_replicated) return;
  Specs in;
  for (graph::ValueId v : n.inputs) in.push_back(spec(v));
  n.outputs.resize(op(n.op).infer(n.attrs, in).size(), graph::none);  // rules look at their number
  const std::vector<tensor::Placement> to = choose_operand_placements(g_, n);
  for (std::size_t i = 0; i < to.size(); ++i) n.inputs[i] = redistribute(n.inputs[i], to[i]);
}

graph::ValueId Builder::redistribute(graph::ValueId x, const tensor::Placement& to) {
  const tensor::Placement& from = spec(x).placement;
  if (from == to || (from.is_replicated() && to.is_replicated())) return x;
  const auto key = std::pair{x, to.to_string()};
  const auto found = moved_.find(key);
  if (found != moved_.end()) return found->second;
  return moved_[key] = add("redistribute", {x}, {{"to", to.to_string()}});
}

graph::ValueId Builder::input(const std::string& name, tensor::TensorSpec spec) {
  check_dims("input", spec.shape.dims());
  const graph::NodeId id = g_.add_node("input", {}, {spec}, {{"name", name}}, origin_, phase_);
  const graph::ValueId v = g_.node(id).outputs.front();
  g_.value(v).name = name;
  return v;
}

graph::ValueId Builder::weight(const std::string& name, tensor::TensorSpec spec, std::string_view role) {
  check_dims("weight", spec.shape.dims());
  const graph::NodeId id =
      g_.add_node("weight", {}, {spec}, {{"name", name}, {"role", std::string(role)}}, origin_, phase_);
  const graph::ValueId v = g_.node(id).outputs.front();
  g_.value(v).name = name;
  return v;
}

graph::ValueId Builder::ewise(std::string_view fn, std::vector<graph::ValueId> inputs, double a, double b) {
  graph::Attrs attrs{{"fn", std::string(fn)}};
  if (a != 0 || std::signbit(a)) attrs.set("a", a);
  if (b != 0 || std::signbit(b)) attrs.set("b", b);
  return add("ewise", std::move(inputs), std::move(attrs));
}

graph::ValueId Builder::fill(double value, tensor::TensorSpec spec) {
  return add(
      "fill", {},
      {{"type", std::string(tensor::to_string(spec.type))}, {"dims", spec.shape.dims()}, {"value", value}});
}

graph::ValueId Builder::cast(graph::ValueId x, tensor::DataType type) {
  if (spec(x).type == type) return x;
  return add("cast", {x}, {{"type", std::string(tensor::to_string(type))}});
}

graph::ValueId Builder::reshape(graph::ValueId x, const tensor::Shape& to) {
  if (shape(x) == to) return x;
  return add("reshape", {x}, {{"dims", to.dims()}});
}

graph::ValueId Builder::permute(graph::ValueId x, std::vector<std::int64_t> perm) {
  return add("permute", {x}, {{"perm", std::move(perm)}});
}

graph::ValueId Builder::expand(graph::ValueId x, const tensor::Shape& to) {
  if (shape(x) == to) return x;
  return add("expand", {x}, {{"dims", to.dims()}});
}

graph::ValueId Builder::reduce(std::string_view fn, graph::ValueId x, std::vector<std::int64_t> axes) {
  std::sort(axes.begin(), axes.end());
  return add("reduce", {x}, {{"fn", std::string(fn)}, {"axes", std::move(axes)}});
}

graph::ValueId Builder::scale(graph::ValueId x, double factor) { return ewise("scale", {x}, factor); }

}  // namespace lbann::ops
