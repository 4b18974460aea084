// Appends inferred nodes to a graph. Shapes are checked as nodes are made; a refused node throws
// InferError before anything is appended.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "ops/op_def.hpp"

namespace lbann::ops {

class Builder {
public:
  explicit Builder(graph::Graph& g) : g_(g) {}

  graph::Graph& graph() { return g_; }
  const tensor::TensorSpec& spec(graph::ValueId v) const { return g_.value(v).spec; }
  /// A copy: adding nodes moves the values, and `reshape(f(b), b.shape(x))` may add first.
  tensor::Shape shape(graph::ValueId v) const { return g_.value(v).spec.shape; }
  void set_origin(int origin) { origin_ = origin; }
  int origin() const { return origin_; }
  void set_phase(graph::Phase phase) { phase_ = phase; }
  /// From now on operands that a placement rule refuses as they lie are redistributed instead (passes after
  /// place_tensors append nodes without knowing where their operands are).
  void redistribute_operands() { redistributes_ = true; }
  /// `x` at another place: x itself, or a redistribute, made once per place.
  graph::ValueId redistribute(graph::ValueId x, const tensor::Placement& to);

  std::vector<graph::ValueId> add_n(std::string_view op, std::vector<graph::ValueId> inputs,
                                    graph::Attrs attrs = {});
  graph::ValueId add(std::string_view op, std::vector<graph::ValueId> inputs, graph::Attrs attrs = {}) {
    return add_n(op, std::move(inputs), std::move(attrs)).front();
  }

  // Shorthands. Types follow the operands. reshape, expand and cast give back x where nothing changes.
  graph::ValueId input(const std::string& name, tensor::TensorSpec spec);
  graph::ValueId weight(const std::string& name, tensor::TensorSpec spec, std::string_view role = "weight");
  graph::ValueId ewise(std::string_view fn, std::vector<graph::ValueId> inputs, double a = 0, double b = 0);
  graph::ValueId fill(double value, tensor::TensorSpec spec);
  graph::ValueId cast(graph::ValueId x, tensor::DataType type);
  graph::ValueId reshape(graph::ValueId x, const tensor::Shape& shape);
  graph::ValueId permute(graph::ValueId x, std::vector<std::int64_t> perm);
  graph::ValueId expand(graph::ValueId x, const tensor::Shape& shape);  // size-1 dims to `shape`
  /// Sum (mean, max, ...) over `axes`; reduced dims stay with extent 1.
  graph::ValueId reduce(std::string_view fn, graph::ValueId x, std::vector<std::int64_t> axes);
  graph::ValueId scale(graph::ValueId x, double factor);
  graph::ValueId add2(graph::ValueId x, graph::ValueId y) { return ewise("add", {x, y}); }

private:
  void place_operands(graph::Node& n);

  graph::Graph& g_;
  bool redistributes_ = false;
  std::map<std::pair<graph::ValueId, std::string>, graph::ValueId> moved_;
  int origin_ = 0;
  graph::Phase phase_ = graph::Phase::forward;
};

}  // namespace lbann::ops
