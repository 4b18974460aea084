// The contract of a primitive: what its outputs look like, how its gradient is written in
// primitives, how it may be placed on a mesh, what it costs. One file per primitive (or pair of
// twins) defines an OpDef; `op_registry.cpp` lists them by explicit calls.
//
// Gradients are graph transformations: a vjp rule appends nodes that compute the cotangents of
// the inputs. It may use inputs and outputs of the node; what it does not use need not be kept.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "tensor/tensor_spec.hpp"

namespace lbann::ops {

class Builder;

/// A shape rule's refusal. The caller knows the layer and its place in the user's file.
struct InferError {
  std::string id;       // stable diagnostic id, e.g. "groups-divide-channels"
  std::string message;  // names both numbers
  std::string help{};
};

struct VjpArgs {
  Builder& b;
  const graph::Node node;                  // a copy: the rule appends nodes, references would dangle
  std::vector<graph::ValueId> cotangents;  // per output; graph::none where nothing flows back
  std::vector<bool> needs;                 // per input: is its cotangent wanted?
};

struct Cost {
  double flops = 0;
  double bytes = 0;  // unavoidable traffic: operands read and results written once
};

using Specs = std::vector<tensor::TensorSpec>;

struct OpDef {
  std::string_view name;
  int min_inputs = 1;
  int max_inputs = 1;  // -1: no limit
  /// Output specs (placement left alone); throws InferError. Absent: a boundary, whose spec is declared.
  std::function<Specs(const graph::Attrs&, std::span<const tensor::TensorSpec>)> infer{};
  /// Cotangents per input (graph::none = zero). Absent: not differentiable, zero gradient.
  std::function<std::vector<graph::ValueId>(VjpArgs&)> vjp{};
  /// Output placement per output from input placements (one mesh axis at a time): returns false when
  /// this combination is not legal. Absent: only replicated operands.
  std::function<bool(const graph::Graph&, const graph::Node&, std::span<const tensor::AxisPlacement> inputs,
                     std::vector<tensor::AxisPlacement>& outputs)>
      place{};
  /// The shape rule gives placements too: redistribute and the collectives.
  bool places_itself = false;
  /// Floating-point operations, a multiply-add counting 2. Absent: none.
  std::function<double(const graph::Graph&, const graph::Node&)> flops{};
  /// Memory traffic. Absent: every operand and every result once.
  std::function<double(const graph::Graph&, const graph::Node&)> bytes{};
};

/// nullptr when there is no such primitive.
const OpDef* try_op(std::string_view name);
/// Throws base::Error (internal).
const OpDef& op(std::string_view name);
/// All primitives, in registration order.
std::span<const OpDef> all_ops();
/// What the outputs of `n` must be, from its operands as they are now: arity, shape rule, placement
/// rule per mesh axis. Throws InferError where a shape is refused, base::Error (internal) for a wrong
/// number of operands or operands placed as the primitive cannot take them. Not for boundaries.
Specs infer_outputs(const graph::Graph& g, const graph::Node& n);
/// Does a projected node of this primitive exchange messages with other ranks?
bool is_collective(std::string_view op);
Cost cost_of(const graph::Graph& g, const graph::Node& n);

}  // namespace lbann::ops
