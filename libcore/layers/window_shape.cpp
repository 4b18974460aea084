// Layers that repeat or cut a sample: tessellate (copies side by side) and crop (a window at a place that
// each sample names).
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

/// The dims a user gives, one per dim of the input.
template <class List>
std::vector<std::int64_t> checked_dims(LowerContext& ctx, const List& list, bool may_grow) {
  const tensor::Shape in = sample_dims(ctx, 0);
  if (list.empty()) refuse_missing("dims");
  if (list.size() != in.rank()) {
    refuse("dims-length", fmt::format("{} dims for an input {}", list.size(), in.to_string()), "dims", "",
           parent_notes(ctx));
  }
  for (int d = 0; d < in.rank(); ++d) {
    check_range("dims", list.Get(d), 1, may_grow ? 2147483647 : in[d]);
  }
  return {list.begin(), list.end()};
}

/// y[i,j,..] = x[i mod I, j mod J, ..]
std::vector<graph::ValueId> lower_tessellate(LowerContext& ctx) {
  const auto dims = checked_dims(ctx, params_as<lbann_data::Layer::Tessellate>(ctx).dims(), true);
  ops::Builder& b = ctx.b();
  graph::ValueId y = ctx.inputs()[0];
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const std::int64_t axis = static_cast<std::int64_t>(d) + 1, extent = b.shape(y)[static_cast<int>(axis)];
    const std::int64_t whole = dims[d] / extent, rest = dims[d] % extent;
    // [.., extent, ..] repeated: [.., 1, extent, ..] expanded and read as one dim.
    std::vector<std::int64_t> shape = b.shape(y).dims(), repeated = shape;
    graph::ValueId copies = graph::none;
    if (whole > 1) {
      shape.insert(shape.begin() + axis, 1);
      std::vector<std::int64_t> expanded = shape;
      expanded[static_cast<std::size_t>(axis)] = whole;
      repeated[static_cast<std::size_t>(axis)] = whole * extent;
      copies = b.reshape(b.expand(b.reshape(y, tensor::Shape(shape)), tensor::Shape(expanded)),
                         tensor::Shape(repeated));
    } else if (whole == 1) {
      copies = y;
    }
    if (rest > 0) {
      const graph::ValueId part =
          b.add("slice", {y}, {{"axis", axis}, {"start", std::int64_t{0}}, {"stop", rest}});
      copies = copies == graph::none ? part : b.add("concat", {copies, part}, {{"axis", axis}});
    }
    y = copies;
  }
  return {y};
}

/// Along each dim the window starts at min(floor(position (in - out + 1)), in - out), positions in [0, 1].
std::vector<graph::ValueId> lower_crop(LowerContext& ctx) {
  const auto dims = checked_dims(ctx, params_as<lbann_data::Layer::Crop>(ctx).dims(), false);
  ops::Builder& b = ctx.b();
  const tensor::Shape in = sample_dims(ctx, 0), positions = sample_dims(ctx, 1);
  if (positions.rank() != 1 || positions[0] != in.rank()) {
    refuse("position-dims",
           fmt::format("the second parent gives one position per dim of {}, not {}", in.to_string(),
                       positions.to_string()),
           "", "", parent_notes(ctx));
  }
  const std::int64_t n = ctx.batch();
  const graph::ValueId position = b.add("stop_gradient", {ctx.inputs()[1]});
  graph::ValueId y = ctx.inputs()[0];
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const int axis = static_cast<int>(d) + 1;
    const std::int64_t room = in[axis - 1] - dims[d];
    const auto at = static_cast<std::int64_t>(d);
    graph::ValueId start =
        b.add("slice", {position}, {{"axis", std::int64_t{1}}, {"start", at}, {"stop", at + 1}});
    start = b.ewise("floor", {b.scale(start, static_cast<double>(room + 1))});
    start = b.ewise("min2", {start, scalar_like(b, start, static_cast<double>(room))});
    const graph::ValueId index =
        floor_to_index(b, b.add2(start, iota(b, dims[d], 1, 2, b.spec(start).type)));  // [n, out]
    // Rows of the dim: [n, dim, everything before it and behind it].
    std::vector<std::int64_t> order{0, axis};
    for (int k = 1; k <= in.rank(); ++k) {
      if (k != axis) order.push_back(k);
    }
    const graph::ValueId turned = axis == 1 ? y : b.permute(y, order);
    std::vector<std::int64_t> shape = b.shape(turned).dims();
    const std::int64_t extent = shape[1], rest = b.shape(turned).num_elements() / (n * extent);
    const graph::ValueId rows =
        b.add("gather", {b.reshape(turned, {n, extent, rest}), index}, {{"batch_dims", std::int64_t{1}}});
    shape[1] = dims[d];
    y = b.reshape(rows, tensor::Shape(shape));
    if (axis == 1) continue;
    std::vector<std::int64_t> back(order.size());
    for (std::size_t k = 0; k < order.size(); ++k)
      back[static_cast<std::size_t>(order[k])] = static_cast<std::int64_t>(k);
    y = b.permute(y, back);
  }
  return {y};
}

}  // namespace

std::vector<LayerDef> window_shape_layers() {
  return {{"tessellate", "copies side by side", 1, 1, 0, lower_tessellate},
          {"crop", "a window at a given place", 2, 2, 0, lower_crop}};
}

}  // namespace lbann::layers
