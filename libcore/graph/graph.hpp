// The op graph: nodes and values in two vectors, referred to by integer id. Plain data: passes
// edit it, the verifier checks it after each pass, the printer's text parses back.
//
//   weight/input boundary nodes -> forward -> backward -> update nodes -> results
//
// One train step is ONE graph. `order` is the execution order (a topological order, the verifier
// checks). Removing a node marks it dead; `compact` drops the dead and renumbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "graph/attrs.hpp"
#include "tensor/layout.hpp"
#include "tensor/tensor_spec.hpp"

namespace lbann::graph {

using ValueId = int;
using NodeId = int;
inline constexpr int none = -1;

enum class Phase : std::uint8_t { forward, backward, update };

/// Where a node comes from: the user's layer. Every node names one.
struct Origin {
  std::string layer;  // "conv1", or "<objective>", "<optimizer>"
  std::string kind;   // "convolution"
  base::SourceSpan span{};
};

struct Value {
  tensor::TensorSpec spec;
  tensor::Layout layout;  // row-major until select_kernels
  NodeId producer = none;
  int output = 0;    // position among the producer's outputs
  std::string name;  // of boundaries and results; else empty
};

struct Node {
  std::string op;
  Attrs attrs;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  int origin = 0;
  Phase phase = Phase::forward;
  bool dead = false;
  // Written by select_kernels:
  std::string kernel;  // id in the kernel catalogue
  std::int64_t scratch_bytes = 0;
  bool scratch_exact = true;   // false: an upper bound
  std::vector<int> may_alias;  // per output: index of the input whose buffer it may take, or none
};

/// What leaves a step: a named output (loss, metric) ...
struct Output {
  std::string name;  // "objective", "metric:accuracy", "term:0", "commit"
  ValueId value = none;
};
/// ... or the new contents of a weight or state variable (both are `weight` nodes).
struct Assignment {
  ValueId target = none;  // output of the `weight` node
  ValueId value = none;
};

struct Graph {
  std::string name;  // "train", "evaluate"
  std::vector<Node> nodes;
  std::vector<Value> values;
  std::vector<Origin> origins{Origin{"<model>", "", {}}};
  std::vector<NodeId> order;
  std::vector<Output> outputs;
  std::vector<Assignment> assignments;

  Node& node(NodeId id) { return nodes[static_cast<std::size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes[static_cast<std::size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  const Node& producer(ValueId id) const { return node(value(id).producer); }
  const tensor::Shape& shape(ValueId id) const { return value(id).spec.shape; }

  /// Appends a node with fresh output values of the given specs, at the end of `order`.
  NodeId add_node(std::string op, std::vector<ValueId> inputs, const std::vector<tensor::TensorSpec>& outputs,
                  Attrs attrs, int origin, Phase phase);
  int add_origin(Origin origin);
  /// Live consumers of every value, in order; results are not among them.
  std::vector<std::vector<NodeId>> consumers() const;
  /// Number of uses of every value by live nodes, outputs and assignments.
  std::vector<int> num_uses() const;
  /// Makes every user of `from` (nodes, outputs, assigned values) use `to`.
  void replace_uses(ValueId from, ValueId to);
  /// Marks nodes dead whose outputs nobody needs. Boundary nodes and numbered messages stay.
  int remove_unused();
  /// Topological sort of `order`: keeps it where it is legal, puts appended nodes before their first user.
  void sort();
  /// Drops dead nodes and unproduced values and renumbers.
  void compact();
};

}  // namespace lbann::graph
