// ONNX operators that move entries or change dims.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

using Ints = std::vector<std::int64_t>;

std::size_t at_index(int i) { return static_cast<std::size_t>(i); }

/// A reshape's target: 0 copies a dim, -1 is what is left. A literal extent of 1 in place of the mini-batch
/// is what exporters write for models with a fixed batch.
Dims resolve_shape(const Dims& from, Ints to, bool allow_zero) {
  int open = -1;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && !allow_zero) {
      if (i >= from.size()) refuse(fmt::format("dim {} is to be copied from {}", i, to_text(from)));
      to[i] = from[i];
    }
    if (is_symbolic(to[i]) && to[i] != batch_extent) {
      throw NeedsWholeBatch(fmt::format("{} is reshaped across its mini-batch", to_text(from)));
    }
    if (to[i] == -1) {
      if (open >= 0) refuse("two dims of -1");
      open = static_cast<int>(i);
    } else if (to[i] < 0) {
      refuse("the shape " + to_text(to));
    }
  }
  if (open < 0) return to;
  // Without the mini-batch on both sides the rest can be counted.
  Dims known_from, known_to;
  bool batch_from = false, batch_to = false;
  for (const std::int64_t d : from) {
    if (d == batch_extent) {
      batch_from = true;
    } else {
      known_from.push_back(d);
    }
  }
  for (const std::int64_t d : to) {
    if (d == batch_extent) {
      batch_to = true;
    } else if (d != -1) {
      known_to.push_back(d);
    }
  }
  const std::int64_t have = count_elements(known_from), other = count_elements(known_to);
  if (other == 0 || have % other != 0) {
    refuse(fmt::format("{} has no whole number of {}", to_text(from), to_text(to)));
  }
  std::int64_t left = have / other;
  if (batch_from && !batch_to) {
    if (left != 1)
      throw NeedsWholeBatch(
          fmt::format("{} becomes {}, which mixes the samples", to_text(from), to_text(to)));
    left = batch_extent;
  }
  to[at_index(open)] = left;
  return to;
}

void import_reshape(Op& op) {
  const Ints to = op.has(1) ? op.ints(1, "the shape") : op.attr_ints("shape");
  op.out(op.net().reshape(op.in(0), resolve_shape(op.in(0).dims, to, op.attr("allowzero", 0) != 0)));
}

void import_flatten(Op& op) {
  const Dims& dims = op.in(0).dims;
  const std::int64_t given = op.attr("axis", 1);
  const auto rank = static_cast<std::int64_t>(dims.size());
  const std::int64_t axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis > rank) refuse(fmt::format("axis {} of {}", given, to_text(dims)));
  const Dims front(dims.begin(), dims.begin() + axis), back(dims.begin() + axis, dims.end());
  const auto extent = [](Dims part) {
    const bool batch = std::erase(part, batch_extent) > 0;
    if (batch && count_elements(part) != 1) throw NeedsWholeBatch("it mixes the samples");
    return batch ? batch_extent : count_elements(part);
  };
  op.out(op.net().reshape(op.in(0), {extent(front), extent(back)}));
}

void import_squeeze(Op& op) {
  const Dims& dims = op.in(0).dims;
  const Ints axes = op.axes("axes", 1);
  const bool all = !op.has_attr("axes") && !op.has(1);
  Dims out;
  std::vector<bool> drop(dims.size(), false);
  for (const std::int64_t a : axes) drop[at_index(Network::wrap(a, op.in(0).rank()))] = true;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (all ? dims[i] == 1 : bool{drop[i]}) {
      if (dims[i] == batch_extent) throw NeedsWholeBatch("the mini-batch is squeezed away");
      if (dims[i] != 1) refuse(fmt::format("dim {} of {} is not 1", i, to_text(dims)));
    } else {
      out.push_back(dims[i]);
    }
  }
  op.out(op.net().reshape(op.in(0), out));
}

void import_unsqueeze(Op& op) {
  const Ints axes = op.axes("axes", 1);
  const int rank = op.in(0).rank() + static_cast<int>(axes.size());
  std::vector<bool> is_new(at_index(rank), false);
  for (const std::int64_t a : axes) is_new[at_index(Network::wrap(a, rank))] = true;
  Dims out;
  std::size_t next = 0;
  for (int i = 0; i < rank; ++i) {
    if (!is_new[at_index(i)] && next >= op.in(0).dims.size()) refuse("an axis is named twice");
    out.push_back(is_new[at_index(i)] ? 1 : op.in(0).dims[next++]);
  }
  op.out(op.net().reshape(op.in(0), out));
}

void import_transpose(Op& op) {
  std::vector<int> perm;
  for (const std::int64_t a : op.attr_ints("perm")) perm.push_back(Network::wrap(a, op.in(0).rank()));
  if (perm.empty()) {
    for (int d = op.in(0).rank() - 1; d >= 0; --d) perm.push_back(d);
  }
  std::vector<int> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int>(i) || sorted.size() != op.in(0).dims.size())
      refuse("perm is no permutation");
  }
  op.out(op.net().transpose(op.in(0), perm));
}

void import_concat(Op& op) {
  std::vector<Value> parts;
  for (std::size_t i = 0; i < op.num_inputs(); ++i) parts.push_back(op.in(i));
  op.out(op.net().concat(parts, op.axis("axis", op.opset() < 4 ? 1 : 0, op.in(0).rank())));
}

void import_split(Op& op) {
  const int axis = op.axis("axis", 0, op.in(0).rank());
  Ints sizes = op.axes("split", 1);
  const std::int64_t extent = op.in(0).dims[at_index(axis)], n = static_cast<std::int64_t>(op.num_outputs());
  if (sizes.empty()) {
    const std::int64_t each = (extent + n - 1) / n;
    for (std::int64_t i = 0; i < n; ++i) sizes.push_back(std::min(each, extent - i * each));
  }
  if (static_cast<std::int64_t>(sizes.size()) != n ||
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != extent) {
    refuse(fmt::format("an axis of {} in parts of {} for {} outputs", extent, to_text(sizes), n));
  }
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (op.wants(i)) op.out(i, op.net().slice(op.in(0), axis, start, start + sizes[i]));
    start += sizes[i];
  }
}

/// Positions that one axis of a slice visits.
Ints visited(std::int64_t extent, std::int64_t start, std::int64_t stop, std::int64_t step) {
  if (step == 0) refuse("a step of 0");
  const auto clamp = [&](std::int64_t v, std::int64_t low, std::int64_t high) {
    if (v < 0) v += extent;
    return std::clamp(v, low, high);
  };
  if (extent > max_folded) refuse(fmt::format("a step of {} through {} entries", step, extent));
  Ints list;
  if (step > 0) {
    const std::int64_t last = clamp(stop, 0, extent);
    for (std::int64_t i = clamp(start, 0, extent); i < last; i += step) list.push_back(i);
  } else {
    const std::int64_t last = stop < -extent ? -1 : clamp(stop, -1, extent - 1);
    for (std::int64_t i = clamp(start, -1, extent - 1); i > last; i += step) list.push_back(i);
  }
  return list;
}

void import_slice(Op& op) {
  const bool old = op.opset() < 10;
  const Ints starts = old ? op.attr_ints("starts") : op.ints(1, "the starts");
  const Ints stops = old ? op.attr_ints("ends") : op.ints(2, "the ends");
  Ints axes = old ? op.attr_ints("axes") : op.axes("axes", 3);
  const Ints steps = !old && op.has(4) ? op.ints(4, "the steps") : Ints(starts.size(), 1);
  if (axes.empty()) {
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (stops.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    refuse("starts, ends, axes and steps of different lengths");
  }
  Value y = op.in(0);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const int axis = Network::wrap(axes[i], y.rank());
    const std::int64_t extent = y.dims[at_index(axis)];
    if (extent == batch_extent) {
      if (starts[i] == 0 && steps[i] == 1 && stops[i] >= batch_extent) continue;
      throw NeedsWholeBatch("the slice acts along the mini-batch");
    }
    if (starts[i] == 0 && steps[i] == 1 && stops[i] >= extent) continue;
    const Ints list = visited(extent, starts[i], stops[i], steps[i]);
    if (list.empty()) {
      // Nothing is left: such a tensor may be joined to others, then it vanishes.
      y.dims[at_index(axis)] = 0;
      y.constant = std::make_shared<Constant>(y.type, y.dims, std::vector<double>{});
      y.layer = -1;
      y.batched = false;
      return op.out(y);
    }
    y = op.net().take(y, axis, list);
  }
  op.out(y);
}

void import_expand(Op& op) {
  const Dims to = broadcast(op.in(0).dims, op.ints(1, "the shape"));
  op.out(op.net().expand(op.in(0), to));
}

void import_tile(Op& op) {
  Dims dims = op.in(0).dims;
  const Ints& repeats = op.ints(1, "the repeats");
  if (repeats.size() != dims.size()) refuse(fmt::format("repeats {} of {}", to_text(repeats), to_text(dims)));
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (repeats[i] < 1) refuse("no repeat");
    if (dims[i] == batch_extent && repeats[i] != 1) throw NeedsWholeBatch("the mini-batch is repeated");
    if (repeats[i] == 1) continue;
    if (repeats[i] > max_elements / std::max<std::int64_t>(1, dims[i]))
      refuse(fmt::format("{} repeats", repeats[i]));
    dims[i] *= repeats[i];
  }
  Dims counted = dims;
  std::erase(counted, batch_extent);
  count_elements(counted);
  op.out(op.net().tile(op.in(0), dims));
}

/// Positions an axis shows with `before` and `after` more entries.
Ints padded_positions(std::int64_t extent, std::int64_t before, std::int64_t after, const std::string& mode) {
  if (before > max_folded || after > max_folded || extent > max_folded) {
    refuse(fmt::format("pads of {} and {} around {}", before, after, extent));
  }
  Ints list;
  for (std::int64_t i = -before; i < extent + after; ++i) {
    std::int64_t j = i;
    if (mode == "edge") {
      j = std::clamp<std::int64_t>(i, 0, extent - 1);
    } else if (mode == "wrap") {
      j = ((i % extent) + extent) % extent;
    } else if (extent == 1) {
      j = 0;
    } else {
      const std::int64_t period = 2 * (extent - 1);
      j = ((i % period) + period) % period;
      if (j >= extent) j = period - j;
    }
    list.push_back(j);
  }
  return list;
}

void import_pad(Op& op) {
  const std::string mode = op.attr_text("mode", "constant");
  const Ints pads = op.has(1) ? op.ints(1, "the pads") : op.attr_ints("pads");
  const double value = op.has(2) ? op.scalar(2, "the value") : op.attr_real("value", 0);
  Ints axes = op.has(3) ? op.ints(3, "the axes") : Ints{};
  if (axes.empty()) {
    for (int d = 0; d < op.in(0).rank(); ++d) axes.push_back(d);
  }
  if (pads.size() != 2 * axes.size()) refuse(fmt::format("{} pads for {} axes", pads.size(), axes.size()));
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    refuse("mode '" + mode + "'");
  Value y = op.in(0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = Network::wrap(axes[i], y.rank());
    const std::int64_t before = pads[i], after = pads[i + axes.size()];
    if (before == 0 && after == 0) continue;
    if (mode == "constant") {
      y = op.net().pad(y, axis, before, after, value);
    } else {
      const std::int64_t extent = y.dims[at_index(axis)];
      if (extent == batch_extent) throw NeedsWholeBatch("the padding acts along the mini-batch");
      y = op.net().take(y, axis, padded_positions(extent, before, after, mode));
    }
  }
  op.out(y);
}

void import_depth_to_space(Op& op) {
  const Dims& d = op.in(0).dims;
  const std::int64_t s = op.attr("blocksize", 0);
  if (d.size() != 4 || s < 1 || d[1] % (s * s) != 0)
    refuse(fmt::format("blocks of {} from {}", s, to_text(d)));
  const std::int64_t c = d[1] / (s * s);
  const bool crd = op.attr_text("mode", "DCR") == "CRD";
  Network& n = op.net();
  Value y = n.reshape(op.in(0), crd ? Dims{d[0], c, s, s, d[2], d[3]} : Dims{d[0], s, s, c, d[2], d[3]});
  y = n.transpose(y, crd ? std::vector<int>{0, 1, 4, 2, 5, 3} : std::vector<int>{0, 3, 4, 1, 5, 2});
  op.out(n.reshape(y, {d[0], c, d[2] * s, d[3] * s}));
}

void import_space_to_depth(Op& op) {
  const Dims& d = op.in(0).dims;
  const std::int64_t s = op.attr("blocksize", 0);
  if (d.size() != 4 || s < 1 || d[2] % s != 0 || d[3] % s != 0)
    refuse(fmt::format("blocks of {} from {}", s, to_text(d)));
  Network& n = op.net();
  Value y = n.reshape(op.in(0), {d[0], d[1], d[2] / s, s, d[3] / s, s});
  y = n.transpose(y, {0, 3, 5, 1, 2, 4});
  op.out(n.reshape(y, {d[0], d[1] * s * s, d[2] / s, d[3] / s}));
}

}  // namespace

std::vector<OpRow> shape_ops() {
  return {{"Reshape", "reshape", import_reshape, "a shape that is computed"},
          {"Flatten", "reshape", import_flatten},
          {"Squeeze", "reshape", import_squeeze},
          {"Unsqueeze", "reshape", import_unsqueeze},
          {"Transpose", "permute", import_transpose},
          {"Concat", "concatenation", import_concat},
          {"Split", "slice", import_split},
          {"Slice", "slice, or gather", import_slice, "ranges that are computed"},
          {"Expand", "tessellate", import_expand, "a shape that is computed"},
          {"Tile", "tessellate", import_tile, "repeats that are computed"},
          {"Pad", "concatenation with constant, or gather", import_pad, "pads that are computed"},
          {"DepthToSpace", "reshape, permute", import_depth_to_space},
          {"SpaceToDepth", "reshape, permute", import_space_to_depth}};
}

}  // namespace lbann::onnx
