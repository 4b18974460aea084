// Layers that move entries and change none: identity, split, reshape, concatenation, slice.
// Axes are the user's: the mini-batch does not count.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

/// identity: y = x; split: every child gets x (the gradients of its uses add up).
std::vector<graph::ValueId> lower_same(LowerContext& ctx) { return {ctx.inputs()[0]}; }

/// The first dim <= 0 is what is left of the size, further ones are 1.
std::vector<graph::ValueId> lower_reshape(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Reshape>(ctx);
  const tensor::Shape in = sample_dims(ctx, 0);
  const std::int64_t size = in.num_elements();
  if (p.dims_size() == 0) refuse_missing("dims");

  std::vector<std::int64_t> dims(p.dims().begin(), p.dims().end());
  int inferred = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] > 0) continue;
    if (inferred < 0) inferred = static_cast<int>(i);
    dims[i] = 1;
  }
  const std::int64_t known = tensor::Shape(dims).num_elements();
  if (inferred >= 0 && size % known == 0) dims[static_cast<std::size_t>(inferred)] = size / known;

  const tensor::Shape out(dims);
  if (out.num_elements() != size) {
    const std::string wanted =
        inferred >= 0 ? fmt::format("a multiple of {}", known) : fmt::format("{} entries", known);
    refuse("reshape-size",
           fmt::format("{} has {} entries per sample, dims ask for {}", in.to_string(), size, wanted), "dims",
           "", parent_notes(ctx));
  }
  return {ctx.b().reshape(ctx.inputs()[0], with_batch(ctx.batch(), out))};
}

int checked_axis(LowerContext& ctx, std::int64_t axis) {
  const int rank = sample_dims(ctx, 0).rank();
  if (axis < 0 || axis >= rank) {
    refuse("axis-out-of-range",
           fmt::format("axis = {}, but the input has {} dim{} (axes count from 0, without the mini-batch)",
                       axis, rank, rank == 1 ? "" : "s"),
           "axis", "", parent_notes(ctx));
  }
  return static_cast<int>(axis);
}

std::vector<graph::ValueId> lower_concatenation(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Concatenation>(ctx);
  const int axis = checked_axis(ctx, p.axis());
  const tensor::Shape first = sample_dims(ctx, 0);
  for (std::size_t i = 1; i < ctx.inputs().size(); ++i) {
    tensor::Shape other = sample_dims(ctx, i);
    const bool same_rank = other.rank() == first.rank();
    if (same_rank) other[axis] = first[axis];
    if (!same_rank || other != first) {
      refuse("dims-differ",
             fmt::format("parents '{}' {} and '{}' {} must agree in all dims but axis {}", ctx.parent_name(0),
                         first.to_string(), ctx.parent_name(i), sample_dims(ctx, i).to_string(), axis),
             "", "", parent_notes(ctx));
    }
  }
  if (ctx.inputs().size() == 1) return {ctx.inputs()[0]};
  return {
      ctx.b().add("concat", {ctx.inputs().begin(), ctx.inputs().end()}, {{"axis", std::int64_t{axis + 1}}})};
}

/// Child i gets the half-open range between points i and i + 1.
std::vector<graph::ValueId> lower_slice(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Slice>(ctx);
  if (!p.get_slice_points_from_reader().empty()) {
    refuse("not-supported", "slice points from a reader are not yet supported here",
           "get_slice_points_from_reader", "write them as slice_points");
  }
  const int axis = checked_axis(ctx, p.axis());
  const std::int64_t extent = sample_dims(ctx, 0)[axis];
  const int children = ctx.num_children();
  if (p.slice_points_size() < 2 || p.slice_points_size() < children + 1) {
    refuse("slice-points-missing",
           fmt::format("{} slice points for {} children, {} needed", p.slice_points_size(), children,
                       std::max(2, children + 1)),
           "slice_points");
  }
  std::vector<graph::ValueId> outputs;
  for (int i = 0; i < std::max(1, children); ++i) {
    const std::int64_t start = p.slice_points(i), stop = p.slice_points(i + 1);
    if (start < 0 || stop > extent) {
      refuse(
          "slice-points-range",
          fmt::format("slice points {} to {} are not within axis {} of extent {}", start, stop, axis, extent),
          "slice_points", "", parent_notes(ctx));
    }
    if (stop <= start) {
      refuse("slice-points-order", fmt::format("slice points {} and {} leave child {} empty", start, stop, i),
             "slice_points", "slice points must grow");
    }
    outputs.push_back(ctx.b().add("slice", {ctx.inputs()[0]},
                                  {{"axis", std::int64_t{axis + 1}}, {"start", start}, {"stop", stop}}));
  }
  return outputs;
}

}  // namespace

std::vector<LayerDef> shape_layers() {
  return {{"identity", "y = x", 1, 1, 0, lower_same},
          {"split", "every child gets x", 1, 1, 0, lower_same},
          {"reshape", "other dims, same entries in the same order", 1, 1, 0, lower_reshape},
          {"concatenation", "parents joined along an axis", 1, -1, 0, lower_concatenation},
          {"slice", "consecutive ranges of an axis, one per child", 1, 1, 0, lower_slice}};
}

}  // namespace lbann::layers
