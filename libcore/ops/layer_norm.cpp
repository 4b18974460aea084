// Normalisation of every sample by itself, over the dims from `axis` on (Ba et al. 2016), in one pass:
//
//   layer_norm {axis, epsilon}  x[outer.., inner..] (, scale[inner..], bias[inner..])
//                               -> y, mean[outer.., 1..], rstd[outer.., 1..]
//       y = (x - mean) rstd (scale + bias as fma), rstd = 1 / sqrt(var + epsilon), var biased;
//       rstd = 1 where a row has one element (its y is 0 before the affine map)
//   layer_norm_bwd {axis}       dy, x, mean, rstd (, scale) -> dx (, dscale[inner..], dbias[inner..])
//       xhat = (x - mean) rstd, h = dy scale, dx = rstd (h - mean of h - xhat mean of (h xhat)),
//       dscale = sum over rows of dy xhat, dbias = sum over rows of dy
//
// Twins of their own, not norm_* with rows as channels: a row fits in the first-level cache, so
// statistics and result cost one reading, and every library has it as one call. With an axis of 2
// and no affine map it is instance norm.
// Statistics are f32 where x has a 16-bit type. Placement: outer dims; sums over rows come out P.
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

std::int64_t axis_of(const graph::Attrs& attrs) { return attrs.get_int("axis"); }

TensorSpec statistics_spec(const graph::Attrs& attrs, const TensorSpec& x) {
  Dims dims = x.shape.dims();
  for (std::size_t d = static_cast<std::size_t>(axis_of(attrs)); d < dims.size(); ++d) dims[d] = 1;
  return make_spec(statistics_type(x.type), std::move(dims));
}

TensorSpec affine_spec(const graph::Attrs& attrs, const TensorSpec& x) {
  return make_spec(statistics_type(x.type), tail(x.shape, static_cast<int>(axis_of(attrs))));
}

void check_operand(std::string_view op, std::string_view name, const TensorSpec& spec,
                   const TensorSpec& expected) {
  check_shape(op, name, spec, expected.shape);
  check_type(op, name, spec, expected.type);
}

Specs infer_layer_norm(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_floating("layer_norm", in[0]);
  check_axis("layer_norm", axis_of(attrs), in[0].shape.rank());
  if (in.size() == 2) fail("layer_norm: scale without bias");
  const TensorSpec affine = affine_spec(attrs, in[0]);
  for (std::size_t i = 1; i < in.size(); ++i) {
    check_operand("layer_norm", i == 1 ? "scale" : "bias", in[i], affine);
  }
  const TensorSpec statistics = statistics_spec(attrs, in[0]);
  return {make_spec(in[0].type, in[0].shape.dims()), statistics, statistics};
}

Specs infer_layer_norm_bwd(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_floating("layer_norm_bwd", in[0]);
  check_axis("layer_norm_bwd", axis_of(attrs), in[0].shape.rank());
  check_operand("layer_norm_bwd", "x", in[1], in[0]);
  const TensorSpec statistics = statistics_spec(attrs, in[0]);
  check_operand("layer_norm_bwd", "mean", in[2], statistics);
  check_operand("layer_norm_bwd", "rstd", in[3], statistics);
  Specs out{make_spec(in[0].type, in[0].shape.dims())};
  if (in.size() == 5) {
    const TensorSpec affine = affine_spec(attrs, in[0]);
    check_operand("layer_norm_bwd", "scale", in[4], affine);
    out.push_back(affine);
    out.push_back(affine);
  }
  return out;
}

std::vector<ValueId> vjp_layer_norm(VjpArgs& args) {
  const std::vector<ValueId>&in = args.node.inputs, &out = args.node.outputs;
  if (args.cotangents[1] != graph::none || args.cotangents[2] != graph::none) {
    fail("layer_norm: its statistics are not differentiated");
  }
  std::vector<ValueId> operands{args.cotangents[0], in[0], out[1], out[2]};
  if (in.size() == 3) operands.push_back(in[1]);
  std::vector<ValueId> result =
      args.b.add_n("layer_norm_bwd", operands, {{"axis", axis_of(args.node.attrs)}});
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!args.needs[i]) result[i] = graph::none;
  }
  return result;
}

// Rows (dims before the axis) may be sharded; what they share is replicated.
bool place_rows(const graph::Node& n, std::span<const AxisPlacement> in, std::size_t rows, AxisPlacement& x) {
  x = in[0];
  if (is_partial(x) || (!is_replicated(x) && x.dim >= axis_of(n.attrs))) return false;
  for (std::size_t i = 1; i < in.size(); ++i) {
    if (!(in[i] == (i < rows ? x : replicate))) return false;
  }
  return true;
}

}  // namespace

OpDef make_layer_norm_op() {
  OpDef def;
  def.name = "layer_norm";
  def.min_inputs = 1;
  def.max_inputs = 3;
  def.infer = infer_layer_norm;
  def.vjp = vjp_layer_norm;
  def.place = [](const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
    AxisPlacement x;
    if (!place_rows(n, in, 1, x)) return false;
    out[0] = out[1] = out[2] = x;
    return true;
  };
  def.flops = [](const graph::Graph& g, const graph::Node& n) { return 8 * elements(g, n.inputs[0]); };
  return def;
}

OpDef make_layer_norm_bwd_op() {
  OpDef def;
  def.name = "layer_norm_bwd";
  def.min_inputs = 4;
  def.max_inputs = 5;
  def.infer = infer_layer_norm_bwd;
  def.vjp = vjp_refuse;
  def.place = [](const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
    AxisPlacement x;
    if (!place_rows(n, in, 4, x)) return false;
    out[0] = x;
    for (std::size_t i = 1; i < out.size(); ++i) out[i] = is_replicated(x) ? replicate : partial;
    return true;
  };
  def.flops = [](const graph::Graph& g, const graph::Node& n) { return 14 * elements(g, n.inputs[0]); };
  return def;
}

}  // namespace lbann::ops
