// What the rules of the primitives share: refusals, operand checks, window arithmetic, placement
// idioms and element counts. Internal to ops/.
//
// Window arithmetic: out = floor((in + 2 pad - dilation (window - 1) - 1) / stride) + 1. Windows,
// strides, pads and dilations are limited to 2^31 - 1 first, extents to 2^62, so that nothing in
// it overflows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op_def.hpp"

namespace lbann::ops {

using Dims = std::vector<std::int64_t>;
using AxisPlacements = std::vector<tensor::AxisPlacement>;

[[noreturn]] void refuse(std::string id, std::string message, std::string help = {});
/// A state no input file can cause. Throws base::Error (internal).
[[noreturn]] void fail(std::string message);

/// All operands have the first one's type; refuses with "type-mismatch".
void check_same_type(std::string_view op, std::span<const tensor::TensorSpec> in);
/// `name` says which operand, e.g. "bias"; refuses with "operand-shape".
void check_shape(std::string_view op, std::string_view name, const tensor::TensorSpec& spec,
                 const tensor::Shape& expected);
void check_type(std::string_view op, std::string_view name, const tensor::TensorSpec& spec,
                tensor::DataType expected);
void check_floating(std::string_view op, const tensor::TensorSpec& spec);
/// 0 <= axis < rank; refuses with "axis-range".
void check_axis(std::string_view op, std::int64_t axis, int rank);
/// All dims >= 0 and their product below 2^62; refuses with "tensor-too-large" or "negative-extent".
void check_dims(std::string_view op, const Dims& dims);
/// Text of the attribute must be "" or "relu".
void check_act(std::string_view op, const graph::Attrs& attrs);
tensor::TensorSpec make_spec(tensor::DataType type, Dims dims);

/// A window over the spatial dims (those from dim 2 on).
struct Window {
  Dims window, strides, pads, dilations;
};
/// Spatial output extents; refuses non-positive windows, strides, dilations, negative pads, wrong
/// lengths and windows that do not fit. `input` and `w` hold spatial entries only.
Dims infer_window_extents(const Dims& input, const Window& w);
/// dims from `first` on.
Dims tail(const tensor::Shape& shape, int first);

/// The type statistics and their gradients have: f32 for 16-bit types, else the tensor's own.
tensor::DataType statistics_type(tensor::DataType type);

/// Sums `v` over the dims in which `shape` has extent 1 and `v` has more (the transpose of a broadcast).
graph::ValueId reduce_to(Builder& b, graph::ValueId v, const tensor::Shape& shape);
/// All dims of a rank but `kept`.
Dims axes_without(int rank, int kept);
/// A vjp for what has a gradient in mathematics but no rule here: throws instead of giving zero.
std::vector<graph::ValueId> vjp_refuse(VjpArgs& args);

// Placement idioms.
bool all_replicated(std::span<const tensor::AxisPlacement> in);
bool is_replicated(const tensor::AxisPlacement& p);
bool is_partial(const tensor::AxisPlacement& p);
bool is_shard(const tensor::AxisPlacement& p);
/// Is it S(dim), however it is cut?
bool is_shard(const tensor::AxisPlacement& p, int dim);
tensor::AxisPlacement shard(int dim, std::int64_t unit);
/// Two shards, perhaps of different dims, cut in the same units.
bool same_cut(const tensor::AxisPlacement& a, const tensor::AxisPlacement& b);
inline constexpr tensor::AxisPlacement replicate{};
inline constexpr tensor::AxisPlacement partial{tensor::PlacementKind::partial, -1};

// Element counts as doubles, for costs.
double elements(const graph::Graph& g, graph::ValueId v);
double spec_bytes(const graph::Graph& g, graph::ValueId v);
double no_bytes(const graph::Graph& g, const graph::Node& n);

}  // namespace lbann::ops
