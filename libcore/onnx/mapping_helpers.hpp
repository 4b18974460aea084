// What the rows of the mapping table share: a layer's parameters, names and the commonest nodes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "layers.pb.h"
#include "onnx/layer_mappings.hpp"

namespace lbann::onnx {

using Dims = std::vector<std::int64_t>;
using lbann_data::Layer;

template <class Params>
const Params& params_of(const MappedLayer& l) {
  return dynamic_cast<const Params&>(*l.node.params);
}

inline const tensor::Shape& input_dims(const MappedLayer& l) { return l.trace.inputs.front(); }
inline const std::string& x(const MappedLayer& l) { return l.inputs.front(); }
inline const std::string& y(const MappedLayer& l) { return l.outputs.front(); }

/// Name for a value inside a layer.
inline std::string inner(GraphWriter& w, const MappedLayer& l, const std::string& what) {
  return w.unique_name(l.node.name + "/" + what);
}

/// One entry stands for all spatial dims, none for `fallback`.
template <class List>
inline Dims per_dim(const List& list, int rank, std::int64_t fallback) {
  const auto n = static_cast<std::size_t>(rank);
  if (list.empty()) return Dims(n, fallback);
  if (list.size() == 1) return Dims(n, *list.begin());
  return Dims(list.begin(), list.end());
}

inline Dims both_sides(const Dims& pads) {
  Dims out = pads;
  out.insert(out.end(), pads.begin(), pads.end());
  return out;
}

/// [N, all entries of a sample]
inline std::string flat_input(GraphWriter& w, const MappedLayer& l) {
  if (input_dims(l).rank() == 1) return x(l);
  const std::string flat = inner(w, l, "flat");
  set_attribute(w.add_node("Flatten", {x(l)}, flat), "axis", std::int64_t{1});
  return flat;
}

/// 0 keeps the mini-batch, whatever it is.
inline void add_reshape(GraphWriter& w, const MappedLayer& l, const std::string& from,
                        const tensor::Shape& sample) {
  Dims dims{0};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  w.add_node("Reshape", {from, w.add_integers(l.node.name + "/shape", dims)}, y(l));
}

inline std::string add_constant(GraphWriter& w, const MappedLayer& l, const std::string& what, double value) {
  return w.add_floats(l.node.name + "/" + what, {}, {value});
}

inline std::string add_transposed(GraphWriter& w, const MappedLayer& l, const std::string& from,
                                  const Dims& perm) {
  const std::string to = inner(w, l, "transposed");
  set_attribute(w.add_node("Transpose", {from}, to), "perm", perm);
  return to;
}

inline std::string add_shaped(GraphWriter& w, const MappedLayer& l, const std::string& from,
                              const Dims& sample) {
  Dims dims{0};
  dims.insert(dims.end(), sample.begin(), sample.end());
  const std::string to = inner(w, l, "shaped");
  w.add_node("Reshape", {from, w.add_integers(l.node.name + "/shape", dims)}, to);
  return to;
}

/// Nodes inside a layer, each with one output that gets a name of its own.
class Nodes {
public:
  Nodes(GraphWriter& w, const MappedLayer& l) : w_(w), l_(l) {}

  std::string operator()(std::string_view op, const std::vector<std::string>& inputs) {
    const std::string to = inner(w_, l_, std::string(op));
    w_.add_node(op, inputs, to);
    return to;
  }
  template <class Value>
  std::string operator()(std::string_view op, const std::vector<std::string>& inputs,
                         const std::string& attribute, const Value& value) {
    const std::string to = inner(w_, l_, std::string(op));
    set_attribute(w_.add_node(op, inputs, to), attribute, value);
    return to;
  }
  std::string cast(const std::string& from, ::onnx::TensorProto::DataType type) {
    return (*this)("Cast", {from}, "to", std::int64_t{type});
  }
  std::string number(double value) { return add_constant(w_, l_, "number", value); }
  std::string numbers(const Dims& dims, const std::vector<double>& values) {
    return w_.add_floats(l_.node.name + "/numbers", dims, values);
  }
  std::string integers(const Dims& values) { return w_.add_integers(l_.node.name + "/integers", values); }
  /// 0, 1, .. along the last of `rank` dims.
  std::string iota(std::int64_t count, int rank) {
    Dims dims(static_cast<std::size_t>(rank), 1);
    dims.back() = count;
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i));
    return numbers(dims, values);
  }
  /// The mini-batch, then `sample`.
  std::string shaped(const std::string& from, const Dims& sample) { return add_shaped(w_, l_, from, sample); }
  /// The layer's result.
  void result(const std::string& from) { w_.add_node("Identity", {from}, y(l_)); }
  /// The same in the layer's own dims.
  void result_shaped(const std::string& from) { add_reshape(w_, l_, from, l_.trace.outputs.front()); }

private:
  GraphWriter& w_;
  const MappedLayer& l_;
};

}  // namespace lbann::onnx
