// Layers of positions in ONNX. LBANN's indices are real numbers, rounded down; one that is no position reads
// zeros and writes nothing. ONNX's must be in range, so they are replaced by 0 and what they read is masked.
#include <cmath>

#include "onnx/mapping_families.hpp"
#include "onnx/mapping_helpers.hpp"

namespace lbann::onnx {
namespace {

constexpr auto int64 = ::onnx::TensorProto::INT64;
constexpr auto float32 = ::onnx::TensorProto::FLOAT;

struct Positions {
  std::string index;  // int64, in [0, extent)
  std::string valid;  // bool
};

/// NaN compares as not valid.
Positions checked(Nodes& node, const std::string& numbers, std::int64_t extent) {
  const std::string whole = node("Floor", {numbers}), zero = node.number(0);
  const std::string valid = node("And", {node("GreaterOrEqual", {whole, zero}),
                                         node("Less", {whole, node.number(static_cast<double>(extent))})});
  return {node.cast(node("Where", {valid, whole, zero}), int64), valid};
}

std::string masked(Nodes& node, const std::string& valid, const std::string& values) {
  return node("Where", {valid, values, node.number(0)});
}

/// Entries of `values` [N, dims] at `positions` along `axis` (which counts the mini-batch). `positions` has
/// the same rank with extent 1 in the other dims, into which it is broadcast.
std::string take(Nodes& node, const std::string& values, const Positions& at, int axis, const Dims& sample) {
  Dims wide{1};
  wide.insert(wide.end(), sample.begin(), sample.end());
  wide[static_cast<std::size_t>(axis)] = 1;
  const std::string index = node("Expand", {at.index, node.integers(wide)});
  return masked(node, at.valid, node("GatherElements", {values, index}, "axis", std::int64_t{axis}));
}

int axis_of(const MappedLayer& l, std::uint64_t axis) {
  return input_dims(l).rank() == 1 ? 1 : static_cast<int>(axis) + 1;
}

/// [N, count] as [N, count, 1] or [N, 1, count] where the values have two dims.
std::string along(Nodes& node, const std::string& numbers, std::int64_t count, int rank, int axis) {
  if (rank == 1) return numbers;
  return node.shaped(numbers, axis == 1 ? Dims{count, 1} : Dims{1, count});
}

/// Positions of the k largest entries of every row of `flat`, int64 [N, k]; `values` gets the entries if it
/// is given.
std::string largest(GraphWriter& w, Nodes& node, const MappedLayer& l, const std::string& flat,
                    std::int64_t k, bool descending, std::string* values) {
  const std::string entries = inner(w, l, "entries"), positions = inner(w, l, "positions");
  ::onnx::NodeProto& top = w.add_node("TopK", {flat, node.integers({k})}, entries);
  top.add_output(positions);
  set_attribute(top, "axis", std::int64_t{1});
  set_attribute(top, "largest", std::int64_t{descending});
  set_attribute(top, "sorted", std::int64_t{1});
  if (values != nullptr) *values = entries;
  return positions;
}

/// NaN never wins: it becomes the worst number. (Beside infinities of that sign alone it may still be named.)
void add_arg(GraphWriter& w, const MappedLayer& l, std::string_view op, double worst) {
  Nodes node(w, l);
  const std::string numbers = node("Where", {node("IsNaN", {x(l)}), node.number(worst), x(l)});
  node.result(node.cast(node(op, {numbers}, "axis", std::int64_t{1}), float32));
}

}  // namespace

void map_embedding(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::Embedding>(l);
  Nodes node(w, l);
  Positions at = checked(node, x(l), p.num_embeddings());
  if (p.has_padding_idx()) {
    const std::string none = node("Equal", {at.index, node.integers({p.padding_idx().value()})});
    at.valid = node("And", {at.valid, node("Not", {none})});
  }
  const std::string rows = node("Gather", {l.weights[0], at.index}, "axis", std::int64_t{0});
  const std::string valid = node("Unsqueeze", {at.valid, node.integers({-1})});
  node.result(masked(node, valid, rows));
}

void map_gather(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const int axis = axis_of(l, params_of<Layer::Gather>(l).axis().value()), rank = input_dims(l).rank();
  const std::int64_t count = l.trace.inputs[1][0];
  Positions at = checked(node, l.inputs[1], input_dims(l)[axis - 1]);
  at.index = along(node, at.index, count, rank, axis);
  at.valid = along(node, at.valid, count, rank, axis);
  node.result(take(node, x(l), at, axis, input_dims(l).dims()));
}

/// y = M x with M[i,j] = 1 where entry j goes to row i: ONNX adds up in ScatterElements only from operator
/// set 16.
void map_scatter(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const int axis = axis_of(l, params_of<Layer::Scatter>(l).axis().value()), rank = input_dims(l).rank();
  const std::int64_t count = input_dims(l)[axis - 1], rows = l.trace.outputs.front()[axis - 1];
  const std::string where = node.shaped(node("Floor", {l.inputs[1]}), {count, 1});
  const std::string goes =
      node.cast(node("Equal", {where, node.iota(rows, 3)}), float32);  // [N, count, rows]
  const std::string to = node("Transpose", {goes}, "perm", Dims{0, 2, 1});
  if (rank == 1) return node.result_shaped(node("MatMul", {to, node.shaped(x(l), {count, 1})}));
  node.result(axis == 1 ? node("MatMul", {to, x(l)}) : node("MatMul", {x(l), goes}));
}

void map_argmax(GraphWriter& w, const MappedLayer& l) { add_arg(w, l, "ArgMax", -INFINITY); }
void map_argmin(GraphWriter& w, const MappedLayer& l) { add_arg(w, l, "ArgMin", INFINITY); }

void map_one_hot(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const std::string index = node("Floor", {node.shaped(x(l), {1})});
  node.result(node.cast(node("Equal", {index, node.iota(params_of<Layer::OneHot>(l).size(), 2)}), float32));
}

void map_sort(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  std::string values;
  largest(w, node, l, flat_input(w, l), input_dims(l).num_elements(), params_of<Layer::Sort>(l).descending(),
          &values);
  node.result_shaped(values);
}

void map_in_top_k(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const std::int64_t k = params_of<Layer::InTopK>(l).k(), size = input_dims(l).num_elements();
  if (k < 1 || k >= size) {
    const std::string truth = node("Equal", {x(l), x(l)});  // whatever it is
    const std::string all = node("Or", {truth, node("Not", {truth})});
    return node.result(node("Mul", {node.cast(all, float32), node.number(k < 1 ? 0 : 1)}));
  }
  const std::string flat = flat_input(w, l);  // NaN is the smallest of all
  const std::string numbers = node("Where", {node("IsNaN", {flat}), node.number(-INFINITY), flat});
  const std::string positions = node.shaped(largest(w, node, l, numbers, k, true, nullptr), {k, 1});
  const std::string hits =
      node.cast(node("Equal", {node.cast(positions, float32), node.iota(size, 3)}), float32);  // [N, k, size]
  node.result_shaped(node("ReduceMax", {hits}, "axes", Dims{1}));
}

/// Along each dim the window starts at min(floor(position (in - out + 1)), in - out).
void map_crop(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const auto& p = params_of<Layer::Crop>(l);
  Dims sample = input_dims(l).dims();
  std::string value = x(l);
  for (int d = 0; d < p.dims_size(); ++d) {
    const auto at = static_cast<std::size_t>(d);
    const std::int64_t extent = sample[at], out = p.dims(d), room = extent - out;
    const std::string position =
        node("Slice", {l.inputs[1], node.integers({d}), node.integers({d + 1}), node.integers({1})});
    const std::string start =
        node("Min", {node("Floor", {node("Mul", {position, node.number(static_cast<double>(room + 1))})}),
                     node.number(static_cast<double>(room))});
    Dims lone(sample.size(), 1);
    lone[at] = out;
    Positions where = checked(node, node("Add", {start, node.iota(out, 2)}), extent);  // [N, out]
    where.index = node.shaped(where.index, lone);
    where.valid = node.shaped(where.valid, lone);
    value = take(node, value, where, d + 1, sample);
    sample[at] = out;
  }
  node.result(value);
}

}  // namespace lbann::onnx
