// Builder: a node is inferred as if it stood in the graph already and appended only then.
#include "ops/builder.hpp"

#include <algorithm>
#include <cmath>

#include "ops/rules.hpp"

namespace lbann::ops {

std::vector<graph::ValueId> Builder::add_n(std::string_view op_name, std::vector<graph::ValueId> inputs,
                                           graph::Attrs attrs) {
  graph::Node n;
  n.op = std::string(op_name);
  n.attrs = std::move(attrs);
  n.inputs = std::move(inputs);
  const Specs specs = infer_outputs(g_, n);
  const graph::NodeId id =
      g_.add_node(std::move(n.op), std::move(n.inputs), specs, std::move(n.attrs), origin_, phase_);
  return g_.node(id).outputs;
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
