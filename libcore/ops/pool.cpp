// Pooling {mode, window, strides, pads, saved} and its twin {same, input_dims}.
//
//   pool      x[n,c,s..] -> y[n,c,o..] (, saved u8[bytes])   o = floor((s + 2p - k) / stride) + 1
//   pool_bwd  max: dy, x -> dx, or dy, saved -> dx; averages: dy -> dx
//
// `saved` > 0 is written by select_kernels where the kernel keeps the places of the maxima. A padding
// as large as the window is refused: a window could lie in padding alone.
// Averages are linear, so the gradient of their twin is the pooling itself.
// Placement: batch and channels; P through averages.
#include <algorithm>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::Shape;
using tensor::TensorSpec;

bool is_max(const graph::Attrs& attrs) { return attrs.get_text("mode") == "max"; }

Dims infer_pool_dims(const graph::Attrs& attrs, const Shape& x) {
  const std::string& mode = attrs.get_text("mode");
  if (mode != "max" && mode != "avg" && mode != "avg_no_pad")
    fail(fmt::format("pool: unknown mode '{}'", mode));
  if (x.rank() < 3 || x.rank() > 5) {
    refuse("input-rank", fmt::format("input [n,c,..] of shape {} has {} spatial dims, a pooling takes 1 to 3",
                                     x.to_string(), x.rank() - 2));
  }
  const Dims spatial = tail(x, 2);
  const Window window{attrs.get_ints("window"), attrs.get_ints("strides"), attrs.get_ints("pads"),
                      Dims(spatial.size(), 1)};
  const Dims extents = infer_window_extents(spatial, window);
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (window.pads[i] >= window.window[i]) {
      refuse("pad-below-window",
             fmt::format("padding {} is not below the window {} (spatial dim {})", window.pads[i],
                         window.window[i], i),
             fmt::format("use a padding of at most {}", window.window[i] - 1));
    }
  }
  Dims dims{x[0], x[1]};
  dims.insert(dims.end(), extents.begin(), extents.end());
  return dims;
}

Specs infer_pool(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_floating("pool", in[0]);
  Specs out{make_spec(in[0].type, infer_pool_dims(attrs, in[0].shape))};
  const std::int64_t saved = attrs.get_int("saved", 0);
  if (saved > 0) out.push_back(make_spec(tensor::DataType::u8, {saved}));
  return out;
}

Specs infer_pool_bwd(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_floating("pool_bwd", in[0]);
  const Dims& dims = attrs.get_ints("input_dims");
  check_dims("pool_bwd", dims);
  check_shape("pool_bwd", "dy", in[0], Shape(infer_pool_dims(attrs, Shape(dims))));
  const std::size_t arity = is_max(attrs) ? 2 : 1;
  if (in.size() != arity) fail(fmt::format("pool_bwd: {} operands, expected {}", in.size(), arity));
  const std::int64_t saved = attrs.get_int("saved", 0);
  if (arity == 2 && saved > 0) {
    check_shape("pool_bwd", "saved", in[1], {saved});
    check_type("pool_bwd", "saved", in[1], tensor::DataType::u8);
  } else if (arity == 2) {
    check_shape("pool_bwd", "x", in[1], Shape(dims));
    check_same_type("pool_bwd", in);
  }
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_pool(VjpArgs& args) {
  graph::Attrs attrs = args.node.attrs;
  attrs.set("input_dims", args.b.shape(args.node.inputs[0]).dims());
  std::vector<graph::ValueId> operands{args.cotangents[0]};
  if (is_max(attrs))
    operands.push_back(args.node.outputs.size() > 1 ? args.node.outputs[1] : args.node.inputs[0]);
  return {args.b.add("pool_bwd", std::move(operands), std::move(attrs))};
}

std::vector<graph::ValueId> vjp_pool_bwd(VjpArgs& args) {
  if (is_max(args.node.attrs)) return vjp_refuse(args);
  graph::Attrs attrs = args.node.attrs;
  attrs.erase("input_dims");
  return {args.b.add("pool", {args.cotangents[0]}, std::move(attrs))};
}

bool place_pool(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                AxisPlacements& out) {
  out[0] = in[0];
  if (is_partial(in[0])) {  // dy of a maximum is linear, x is not
    return n.op == "pool" ? !is_max(n.attrs) : all_replicated(in.subspan(1));
  }
  if (out.size() > 1 || n.attrs.get_int("saved", 0) > 0) {
    if (!is_replicated(in[0]) && !is_shard(in[0], 0)) return false;  // opaque bytes, one piece per rank
    if (out.size() > 1) out[1] = in[0];
  }
  for (const AxisPlacement& p : in) {
    if (!(p == in[0])) return false;
  }
  return is_replicated(in[0]) || is_shard(in[0], 0) || is_shard(in[0], 1);
}

// One operation per window entry of the pooled (smaller) tensor.
double pool_flops(const graph::Node& n, double pooled) {
  for (std::int64_t extent : n.attrs.get_ints("window")) pooled *= static_cast<double>(extent);
  return pooled;
}

}  // namespace

OpDef make_pool_op() {
  OpDef def;
  def.name = "pool";
  def.infer = infer_pool;
  def.vjp = vjp_pool;
  def.place = place_pool;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    return pool_flops(n, elements(g, n.outputs[0]));
  };
  return def;
}

OpDef make_pool_bwd_op() {
  OpDef def;
  def.name = "pool_bwd";
  def.max_inputs = 2;
  def.infer = infer_pool_bwd;
  def.vjp = vjp_pool_bwd;
  def.place = place_pool;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    return pool_flops(n, elements(g, n.inputs[0]));
  };
  return def;
}

}  // namespace lbann::ops
