// Movement of elements: reshape, permute, slice, pad, concat, expand. No arithmetic; each is the
// gradient of another.
//
// Placement follows the dims. Along a sharded dim slice, pad, concat and expand are not legal, and
// reshape keeps S(d) where all that stands before d survives: merged dims are cut in units, [n,c] @S0 ->
// [n c] @S0*c. P passes: all are linear.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

// --- reshape: x -> y, same C order.

Specs infer_reshape(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const Dims& dims = attrs.get_ints("dims");
  check_dims("reshape", dims);
  const tensor::Shape to(dims);
  if (to.num_elements() != in[0].shape.num_elements()) {
    refuse("reshape-count", fmt::format("reshape: {} has {} elements, {} has {}", in[0].shape.to_string(),
                                        in[0].shape.num_elements(), to.to_string(), to.num_elements()));
  }
  return {make_spec(in[0].type, dims)};
}

bool place_reshape(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                   AxisPlacements& out) {
  out[0] = in[0];
  if (!is_shard(in[0])) return true;
  const tensor::Shape& x = g.shape(n.inputs[0]);
  if (x.num_elements() == 0) return false;
  const tensor::Shape y(n.attrs.get_ints("dims"));
  std::int64_t before = 1, behind = 1;
  for (int d = 0; d < in[0].dim; ++d) before *= x[d];
  for (int d = in[0].dim + 1; d < x.rank(); ++d) behind *= x[d];
  // The cuts lie at multiples of `block` elements behind the dims before; so they must in y.
  const std::int64_t block = in[0].unit * behind;
  std::int64_t prefix = 1;
  for (int d = 0; d < y.rank() && prefix <= before; ++d) {
    if (prefix == before) {
      const std::int64_t inner = x.num_elements() / (prefix * y[d]);
      if (block % inner == 0 && y[d] % (block / inner) == 0) {
        out[0] = shard(d, block / inner);
        return true;
      }
    }
    prefix *= y[d];
  }
  return false;
}

// --- permute: y dim i = x dim perm[i].

Specs infer_permute(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const Dims& perm = attrs.get_ints("perm");
  Dims sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  Dims identity(static_cast<std::size_t>(in[0].shape.rank()));
  std::iota(identity.begin(), identity.end(), 0);
  if (sorted != identity) {
    refuse("permute-axes", fmt::format("permute: [{}] is no permutation of the {} dims of {}",
                                       fmt::join(perm, ","), in[0].shape.rank(), in[0].shape.to_string()));
  }
  Dims dims;
  for (std::int64_t from : perm) dims.push_back(in[0].shape[static_cast<int>(from)]);
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_permute(VjpArgs& args) {
  const Dims& perm = args.node.attrs.get_ints("perm");
  Dims inverse(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    inverse[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  }
  return {args.b.permute(args.cotangents[0], inverse)};
}

bool place_permute(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                   AxisPlacements& out) {
  out[0] = in[0];
  if (!is_shard(in[0])) return true;
  const Dims& perm = n.attrs.get_ints("perm");
  const auto at = std::find(perm.begin(), perm.end(), in[0].dim);
  out[0].dim = static_cast<int>(at - perm.begin());
  return true;
}

// --- slice, pad: one axis.

graph::ValueId add_slice(Builder& b, graph::ValueId x, std::int64_t axis, std::int64_t start,
                         std::int64_t stop) {
  return b.add("slice", {x}, {{"axis", axis}, {"start", start}, {"stop", stop}});
}

Specs infer_slice(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::int64_t axis = attrs.get_int("axis"), start = attrs.get_int("start"),
                     stop = attrs.get_int("stop");
  check_axis("slice", axis, in[0].shape.rank());
  Dims dims = in[0].shape.dims();
  std::int64_t& extent = dims[static_cast<std::size_t>(axis)];
  if (start < 0 || start > stop || stop > extent) {
    refuse("slice-bounds",
           fmt::format("slice: range [{}, {}) of dim {}, which has extent {}", start, stop, axis, extent));
  }
  extent = stop - start;
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_slice(VjpArgs& args) {
  const graph::Attrs& attrs = args.node.attrs;
  const std::int64_t axis = attrs.get_int("axis"), start = attrs.get_int("start"),
                     stop = attrs.get_int("stop");
  const std::int64_t extent = args.b.shape(args.node.inputs[0])[static_cast<int>(axis)];
  return {
      args.b.add("pad", {args.cotangents[0]}, {{"axis", axis}, {"before", start}, {"after", extent - stop}})};
}

Specs infer_pad(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::int64_t axis = attrs.get_int("axis");
  const std::int64_t before = attrs.get_int("before"), after = attrs.get_int("after");
  check_axis("pad", axis, in[0].shape.rank());
  if (before < 0 || after < 0) {
    refuse("pad-nonnegative", fmt::format("pad: {} before and {} after dim {}", before, after, axis));
  }
  Dims dims = in[0].shape.dims();
  std::int64_t& extent = dims[static_cast<std::size_t>(axis)];
  if (__builtin_add_overflow(extent, before, &extent) || __builtin_add_overflow(extent, after, &extent)) {
    refuse("tensor-too-large", fmt::format("pad: {} before and {} after dim {}", before, after, axis));
  }
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_pad(VjpArgs& args) {
  const std::int64_t axis = args.node.attrs.get_int("axis"), before = args.node.attrs.get_int("before");
  const std::int64_t extent = args.b.shape(args.node.inputs[0])[static_cast<int>(axis)];
  return {add_slice(args.b, args.cotangents[0], axis, before, before + extent)};
}

bool place_along_axis(const graph::Graph&, const graph::Node& n, std::span<const AxisPlacement> in,
                      AxisPlacements& out) {
  for (const AxisPlacement& p : in) {
    if (!(p == in[0])) return false;
  }
  out[0] = in[0];
  return !is_shard(in[0], static_cast<int>(n.attrs.get_int("axis")));
}

// Reads only what it writes.
double bytes_slice(const graph::Graph& g, const graph::Node& n) { return 2 * spec_bytes(g, n.outputs[0]); }

// --- concat.

Specs infer_concat(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::int64_t axis = attrs.get_int("axis");
  check_axis("concat", axis, in[0].shape.rank());
  check_same_type("concat", in);
  Dims dims = in[0].shape.dims();
  for (std::size_t i = 1; i < in.size(); ++i) {
    const tensor::Shape& shape = in[i].shape;
    if (shape.rank() != in[0].shape.rank()) {
      refuse("rank-mismatch", fmt::format("concat: operands 0 and {} have ranks {} and {}", i,
                                          in[0].shape.rank(), shape.rank()));
    }
    for (int d = 0; d < shape.rank(); ++d) {
      std::int64_t& extent = dims[static_cast<std::size_t>(d)];
      if (d == axis) {
        if (__builtin_add_overflow(extent, shape[d], &extent)) {
          refuse("tensor-too-large", fmt::format("concat: dim {} exceeds 63 bits", d));
        }
      } else if (shape[d] != extent) {
        refuse("concat-extents",
               fmt::format("concat along dim {}: operand {} is {}, operand 0 is {}: extents "
                           "{} and {} differ in dim {}",
                           axis, i, shape.to_string(), in[0].shape.to_string(), shape[d], extent, d));
      }
    }
  }
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_concat(VjpArgs& args) {
  const std::int64_t axis = args.node.attrs.get_int("axis");
  std::vector<graph::ValueId> result;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < args.node.inputs.size(); ++i) {
    const std::int64_t stop = start + args.b.shape(args.node.inputs[i])[static_cast<int>(axis)];
    result.push_back(args.needs[i] ? add_slice(args.b, args.cotangents[0], axis, start, stop) : graph::none);
    start = stop;
  }
  return result;
}

// --- expand: extent-1 dims repeated.

Specs infer_expand(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const Dims& dims = attrs.get_ints("dims");
  const tensor::Shape& from = in[0].shape;
  if (static_cast<int>(dims.size()) != from.rank()) {
    refuse("rank-mismatch", fmt::format("expand: {} has rank {}, [{}] has {}", from.to_string(), from.rank(),
                                        fmt::join(dims, ","), dims.size()));
  }
  for (int d = 0; d < from.rank(); ++d) {
    const std::int64_t to = dims[static_cast<std::size_t>(d)];
    if (from[d] != to && from[d] != 1) {
      refuse("expand-extents", fmt::format("expand: dim {} of {} has extent {} and cannot become {}", d,
                                           from.to_string(), from[d], to));
    }
  }
  return {make_spec(in[0].type, dims)};
}

bool place_expand(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  out[0] = in[0];
  if (!is_shard(in[0])) return true;
  const Dims& to = n.attrs.get_ints("dims");
  return g.shape(n.inputs[0])[in[0].dim] == to[static_cast<std::size_t>(in[0].dim)];
}

}  // namespace

OpDef make_reshape_op() {
  OpDef def;
  def.name = "reshape";
  def.infer = infer_reshape;
  def.vjp = [](VjpArgs& args) {
    const tensor::Shape shape = args.b.shape(args.node.inputs[0]);
    return std::vector<graph::ValueId>{args.b.reshape(args.cotangents[0], shape)};
  };
  def.place = place_reshape;
  def.bytes = no_bytes;
  return def;
}

OpDef make_permute_op() {
  OpDef def;
  def.name = "permute";
  def.infer = infer_permute;
  def.vjp = vjp_permute;
  def.place = place_permute;
  return def;
}

OpDef make_slice_op() {
  OpDef def;
  def.name = "slice";
  def.infer = infer_slice;
  def.vjp = vjp_slice;
  def.place = place_along_axis;
  def.bytes = bytes_slice;
  return def;
}

OpDef make_pad_op() {
  OpDef def;
  def.name = "pad";
  def.infer = infer_pad;
  def.vjp = vjp_pad;
  def.place = place_along_axis;
  return def;
}

OpDef make_concat_op() {
  OpDef def;
  def.name = "concat";
  def.max_inputs = -1;
  def.infer = infer_concat;
  def.vjp = vjp_concat;
  def.place = place_along_axis;
  return def;
}

OpDef make_expand_op() {
  OpDef def;
  def.name = "expand";
  def.infer = infer_expand;
  def.vjp = [](VjpArgs& args) {
    const tensor::Shape shape = args.b.shape(args.node.inputs[0]);
    return std::vector<graph::ValueId>{reduce_to(args.b, args.cotangents[0], shape)};
  };
  def.place = place_expand;
  return def;
}

}  // namespace lbann::ops
