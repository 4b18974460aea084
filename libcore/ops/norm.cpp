// Normalisation over all dims but the channels (dim 1), in the pieces every norm is made of.
//
//   norm_stats      x -> mean[c], var[c] (biased)
//   norm_apply      x, mean, rstd, scale, bias (, factor) -> y = fma((x - mean) rstd, scale, bias)
//   norm_bwd_stats  dy, x, mean, rstd (, scale, bias if act) -> sum_dy[c], sum_dy_xhat[c]
//   norm_bwd_apply  dy, x, mean, rstd, p, q, r (, scale, bias if act) -> dx = p dy + q xhat + r
//
// Gradient of norm_apply (n = elements per channel): dbias = sum_dy, dscale = sum_dy_xhat,
// p = scale rstd; with `factor` mean and rstd are x's own statistics and q = -p sum_dy_xhat factor / n,
// r = -p sum_dy / n; without, they are constants and q = r = 0.
// Per-channel tensors are f32 where x has a 16-bit type.
// Placement: batch and spatial dims S(d) with replicated channels, sums over them come out P; channels S(1)
// with S(0). Statistics of a sharded batch are those of the whole one, R: the projection combines the
// ranks' means and variances (synchronised batch normalisation).
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using graph::ValueId;
using tensor::AxisPlacement;
using tensor::Shape;
using tensor::TensorSpec;

std::int64_t infer_channels(std::string_view op, const TensorSpec& x) {
  check_floating(op, x);
  if (x.shape.rank() < 2) {
    refuse("input-rank", fmt::format("input {} has rank {}, a normalisation takes [n,c,..]",
                                     x.shape.to_string(), x.shape.rank()));
  }
  return x.shape[1];
}

// Operands from `first` on are per-channel tensors.
void check_per_channel(std::string_view op, std::span<const TensorSpec> in, std::size_t first,
                       const TensorSpec& x) {
  for (std::size_t i = first; i < in.size(); ++i) {
    const std::string name = fmt::format("operand {}", i);
    check_shape(op, name, in[i], {x.shape[1]});
    check_type(op, name, in[i], statistics_type(x.type));
  }
}

void check_arity(const graph::Attrs& attrs, std::string_view op, std::size_t arity, std::size_t plain) {
  const std::size_t expected = plain + (attrs.get_text("act", "").empty() ? 0 : 2);
  if (arity != expected) fail(fmt::format("{}: {} operands, expected {}", op, arity, expected));
}

TensorSpec per_channel(const TensorSpec& x) { return make_spec(statistics_type(x.type), {x.shape[1]}); }

Specs infer_stats(const graph::Attrs&, std::span<const TensorSpec> in) {
  infer_channels("norm_stats", in[0]);
  for (int d = 0; d < in[0].shape.rank(); ++d) {
    if (in[0].shape[d] == 0) {
      refuse("reduce-empty",
             fmt::format("norm_stats: dim {} of {} has extent 0", d, in[0].shape.to_string()));
    }
  }
  return {per_channel(in[0]), per_channel(in[0])};
}

Specs infer_apply(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_act("norm_apply", attrs);
  infer_channels("norm_apply", in[0]);
  check_per_channel("norm_apply", in, 1, in[0]);
  return {make_spec(in[0].type, in[0].shape.dims())};
}

void check_bwd(std::string_view op, const graph::Attrs& attrs, std::span<const TensorSpec> in,
               std::size_t plain) {
  check_act(op, attrs);
  check_arity(attrs, op, in.size(), plain);
  infer_channels(op, in[0]);
  check_shape(op, "x", in[1], in[0].shape);
  check_type(op, "x", in[1], in[0].type);
  check_per_channel(op, in, 2, in[0]);
}

Specs infer_bwd_stats(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_bwd("norm_bwd_stats", attrs, in, 4);
  return {per_channel(in[0]), per_channel(in[0])};
}

Specs infer_bwd_apply(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_bwd("norm_bwd_apply", attrs, in, 7);
  return {make_spec(in[0].type, in[0].shape.dims())};
}

double per_channel_count(const graph::Graph& g, ValueId x) {
  double n = 1;
  for (int d = 0; d < g.shape(x).rank(); ++d) n *= d == 1 ? 1.0 : static_cast<double>(g.shape(x)[d]);
  return n;
}

// For statistics used elsewhere than in norm_apply: dmean gives dmean / n, dvar gives 2 (x - mean) dvar / n.
std::vector<ValueId> vjp_stats(VjpArgs& args) {
  Builder& b = args.b;
  const ValueId x = args.node.inputs[0];
  const TensorSpec spec = b.spec(x);
  const tensor::DataType type = statistics_type(spec.type);
  const double n = per_channel_count(b.graph(), x);
  Dims dims(static_cast<std::size_t>(spec.shape.rank()), 1);
  dims[1] = spec.shape[1];
  const auto per_channel_term = [&](ValueId v) { return b.reshape(v, Shape(dims)); };
  ValueId dx = graph::none;
  if (args.cotangents[1] != graph::none) {
    const ValueId centred = b.ewise("sub", {b.cast(x, type), per_channel_term(args.node.outputs[0])});
    dx = b.ewise("mul", {centred, per_channel_term(b.scale(args.cotangents[1], 2 / n))});
  }
  if (args.cotangents[0] != graph::none) {
    const ValueId term = per_channel_term(b.scale(args.cotangents[0], 1 / n));
    dx = dx == graph::none ? b.expand(term, spec.shape) : b.add2(dx, term);
  }
  return {b.cast(dx, spec.type)};
}

std::vector<ValueId> vjp_apply(VjpArgs& args) {
  if (!args.node.attrs.get_text("act", "").empty()) {
    fail("norm_apply: differentiated after an activation was merged in");
  }
  Builder& b = args.b;
  const std::vector<ValueId>& in = args.node.inputs;
  const ValueId x = in[0], mean = in[1], rstd = in[2], scale = in[3], dy = args.cotangents[0];
  const bool own_statistics = in.size() == 6;
  const TensorSpec stats_spec = b.spec(mean);
  const double n = per_channel_count(b.graph(), x);
  std::vector<ValueId> result(in.size(), graph::none);
  ValueId sum_dy = graph::none, sum_dy_xhat = graph::none;
  if (args.needs[3] || args.needs[4] || (args.needs[0] && own_statistics)) {
    const std::vector<ValueId> sums = b.add_n("norm_bwd_stats", {dy, x, mean, rstd});
    sum_dy = sums[0];
    sum_dy_xhat = sums[1];
  }
  if (args.needs[3]) result[3] = sum_dy_xhat;
  if (args.needs[4]) result[4] = sum_dy;
  if (args.needs[0]) {
    const ValueId p = b.ewise("mul", {scale, rstd});
    ValueId q = graph::none, r = graph::none;
    if (own_statistics) {
      q = b.scale(b.ewise("mul", {b.ewise("mul", {p, sum_dy_xhat}), in[5]}), -1 / n);
      r = b.scale(b.ewise("mul", {p, sum_dy}), -1 / n);
    } else {
      q = r = b.fill(0, make_spec(stats_spec.type, stats_spec.shape.dims()));
    }
    result[0] = b.add("norm_bwd_apply", {dy, x, mean, rstd, p, q, r});
  }
  return result;
}

// The first `big` operands are x-like, the others per channel. P passes nowhere.
bool place_norm(std::span<const AxisPlacement> in, std::size_t big, AxisPlacement& x) {
  x = in[0];
  if (is_partial(x)) return false;
  const AxisPlacement channel = is_shard(x, 1) ? shard(0, x.unit) : replicate;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!(in[i] == (i < big ? x : channel))) return false;
  }
  return true;
}

bool place_stats(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
  AxisPlacement x;
  if (!place_norm(in, 1, x)) return false;
  out[0] = out[1] = is_shard(x, 1) ? shard(0, x.unit) : replicate;
  return true;
}

bool place_apply(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
  return place_norm(in, 1, out[0]);
}

bool place_bwd_stats(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                     AxisPlacements& out) {
  AxisPlacement x;
  if (!place_norm(in, 2, x)) return false;
  out[0] = out[1] = is_shard(x, 1) ? shard(0, x.unit) : is_shard(x) ? partial : replicate;
  return true;
}

bool place_bwd_apply(const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                     AxisPlacements& out) {
  return place_norm(in, 2, out[0]);
}

OpDef make_norm(std::string_view name, int min_inputs, int max_inputs, double flops_per_element) {
  OpDef def;
  def.name = name;
  def.min_inputs = min_inputs;
  def.max_inputs = max_inputs;
  def.flops = [flops_per_element](const graph::Graph& g, const graph::Node& n) {
    return flops_per_element * elements(g, n.inputs[0]);
  };
  return def;
}

}  // namespace

OpDef make_norm_stats_op() {
  OpDef def = make_norm("norm_stats", 1, 1, 4);  // subtract the shift, add, multiply-add
  def.infer = infer_stats;
  def.vjp = vjp_stats;
  def.place = place_stats;
  return def;
}

OpDef make_norm_apply_op() {
  OpDef def = make_norm("norm_apply", 5, 6, 4);
  def.infer = infer_apply;
  def.vjp = vjp_apply;
  def.place = place_apply;
  return def;
}

OpDef make_norm_bwd_stats_op() {
  OpDef def = make_norm("norm_bwd_stats", 4, 6, 5);
  def.infer = infer_bwd_stats;
  def.vjp = vjp_refuse;
  def.place = place_bwd_stats;
  return def;
}

OpDef make_norm_bwd_apply_op() {
  OpDef def = make_norm("norm_bwd_apply", 7, 9, 6);
  def.infer = infer_bwd_apply;
  def.vjp = vjp_refuse;
  def.place = place_bwd_apply;
  return def;
}

}  // namespace lbann::ops
