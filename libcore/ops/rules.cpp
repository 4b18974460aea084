// Shared parts of the primitives' rules.
#include "ops/rules.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "ops/builder.hpp"

namespace lbann::ops {
namespace {

using tensor::TensorSpec;

constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t max_elements = std::int64_t{1} << 62;

void check_range(std::string_view what, std::string_view id, const Dims& list, std::size_t rank,
                 std::int64_t least) {
  if (list.size() != rank) {
    refuse("window-rank", fmt::format("{} {} for {} spatial dims", list.size(), what, rank));
  }
  for (std::int64_t v : list) {
    if (v < least) {
      refuse(std::string(id),
             fmt::format("{} [{}]: {} is less than {}", what, fmt::join(list, ","), v, least));
    }
    if (v > int_max) {
      refuse("window-too-large",
             fmt::format("{} [{}]: {} is more than {}", what, fmt::join(list, ","), v, int_max));
    }
  }
}

}  // namespace

void refuse(std::string id, std::string message, std::string help) {
  throw InferError{std::move(id), std::move(message), std::move(help)};
}

void fail(std::string message) { throw base::Error(base::ExitCode::internal, message); }

void check_same_type(std::string_view op, std::span<const TensorSpec> in) {
  for (const TensorSpec& spec : in) {
    if (spec.type != in.front().type) {
      refuse("type-mismatch", fmt::format("{}: operands of types {} and {}", op,
                                          tensor::to_string(in.front().type), tensor::to_string(spec.type)));
    }
  }
}

void check_shape(std::string_view op, std::string_view name, const TensorSpec& spec,
                 const tensor::Shape& expected) {
  if (spec.shape == expected) return;
  refuse("operand-shape", fmt::format("{}: {} has shape {}, expected {}", op, name, spec.shape.to_string(),
                                      expected.to_string()));
}

void check_type(std::string_view op, std::string_view name, const TensorSpec& spec,
                tensor::DataType expected) {
  if (spec.type == expected) return;
  refuse("type-mismatch", fmt::format("{}: {} has type {}, expected {}", op, name,
                                      tensor::to_string(spec.type), tensor::to_string(expected)));
}

void check_floating(std::string_view op, const TensorSpec& spec) {
  if (tensor::is_floating(spec.type)) return;
  refuse("type-mismatch",
         fmt::format("{}: operand has type {}, expected floating point", op, tensor::to_string(spec.type)));
}

void check_axis(std::string_view op, std::int64_t axis, int rank) {
  if (axis >= 0 && axis < rank) return;
  refuse("axis-range", fmt::format("{}: axis {} of a tensor of rank {}", op, axis, rank));
}

void check_dims(std::string_view op, const Dims& dims) {
  std::int64_t product = 1;
  bool too_large = false;
  for (std::int64_t d : dims) {
    if (d < 0) {
      refuse("negative-extent", fmt::format("{}: extent {} in [{}]", op, d, fmt::join(dims, ",")));
    }
    too_large = too_large || __builtin_mul_overflow(product, d, &product) || product > max_elements;
  }
  if (too_large) {
    refuse("tensor-too-large",
           fmt::format("{}: a tensor [{}] has more than 2^62 elements", op, fmt::join(dims, ",")));
  }
}

void check_act(std::string_view op, const graph::Attrs& attrs) {
  const std::string act = attrs.get_text("act", "");
  if (!act.empty() && act != "relu") fail(fmt::format("{}: unknown act '{}'", op, act));
}

TensorSpec make_spec(tensor::DataType type, Dims dims) { return {type, tensor::Shape(std::move(dims)), {}}; }

Dims infer_window_extents(const Dims& input, const Window& w) {
  check_range("window extents", "window-positive", w.window, input.size(), 1);
  check_range("strides", "stride-positive", w.strides, input.size(), 1);
  check_range("pads", "pad-nonnegative", w.pads, input.size(), 0);
  check_range("dilations", "dilation-positive", w.dilations, input.size(), 1);
  Dims out;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const std::int64_t padded = input[i] + 2 * w.pads[i];
    const std::int64_t reach = w.dilations[i] * (w.window[i] - 1) + 1;  // extent the dilated window covers
    if (padded < reach) {
      std::string window = fmt::format("window {}", w.window[i]);
      if (w.dilations[i] != 1) window += fmt::format(" with dilation {} (reach {})", w.dilations[i], reach);
      refuse("window-exceeds-input",
             fmt::format("{} exceeds input extent {} with padding {} on both sides (spatial dim {} of [{}])",
                         window, input[i], w.pads[i], i, fmt::join(input, ",")),
             fmt::format("use a window of at most {} or a padding of at least {}",
                         padded > 0 ? (padded - 1) / w.dilations[i] + 1 : 0, (reach - input[i] + 1) / 2));
    }
    out.push_back((padded - reach) / w.strides[i] + 1);
  }
  return out;
}

Dims tail(const tensor::Shape& shape, int first) {
  const Dims& d = shape.dims();
  return first < shape.rank() ? Dims(d.begin() + first, d.end()) : Dims{};
}

tensor::DataType statistics_type(tensor::DataType type) {
  return type == tensor::DataType::f64 ? tensor::DataType::f64 : tensor::DataType::f32;
}

graph::ValueId reduce_to(Builder& b, graph::ValueId v, const tensor::Shape& shape) {
  const tensor::Shape& from = b.shape(v);
  Dims axes;
  for (int d = 0; d < from.rank(); ++d) {
    if (shape[d] == 1 && from[d] != 1) axes.push_back(d);
  }
  return axes.empty() ? v : b.reduce("sum", v, std::move(axes));
}

Dims axes_without(int rank, int kept) {
  Dims axes;
  for (int d = 0; d < rank; ++d) {
    if (d != kept) axes.push_back(d);
  }
  return axes;
}

std::vector<graph::ValueId> vjp_refuse(VjpArgs& args) {
  fail(fmt::format("no gradient rule for primitive '{}' (layer '{}')", args.node.op,
                   args.b.graph().origins[static_cast<std::size_t>(args.node.origin)].layer));
}

bool is_replicated(const tensor::AxisPlacement& p) { return p.kind == tensor::PlacementKind::replicate; }
bool is_partial(const tensor::AxisPlacement& p) { return p.kind == tensor::PlacementKind::partial; }
bool is_shard(const tensor::AxisPlacement& p) { return p.kind == tensor::PlacementKind::shard; }
bool is_shard(const tensor::AxisPlacement& p, int dim) { return is_shard(p) && p.dim == dim; }
tensor::AxisPlacement shard(int dim, std::int64_t unit) { return {tensor::PlacementKind::shard, dim, unit}; }
bool same_cut(const tensor::AxisPlacement& a, const tensor::AxisPlacement& b) {
  return is_shard(a) && is_shard(b) && a.unit == b.unit;
}
bool all_replicated(std::span<const tensor::AxisPlacement> in) {
  return std::all_of(in.begin(), in.end(), is_replicated);
}

double elements(const graph::Graph& g, graph::ValueId v) {
  return static_cast<double>(g.shape(v).num_elements());
}
double spec_bytes(const graph::Graph& g, graph::ValueId v) {
  return elements(g, v) * tensor::size_bytes(g.value(v).spec.type);
}
double no_bytes(const graph::Graph&, const graph::Node&) { return 0; }

}  // namespace lbann::ops
