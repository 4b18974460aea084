// Layers of an imported network that move entries: reshape, permute, slice, concatenation, tessellate,
// gather. See network.hpp.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/network.hpp"

namespace lbann::onnx {
namespace {

std::size_t at_index(int i) { return static_cast<std::size_t>(i); }

/// Entries of a sample before the mini-batch: they and those behind it keep their order in a reshape only
/// when their numbers stay.
std::int64_t entries_before_batch(const Dims& dims) {
  const auto batch = std::find(dims.begin(), dims.end(), batch_extent);
  return count_elements(Dims(dims.begin(), batch));
}

/// Dims of a sample, of which there is always one.
Dims sample_of(const Dims& dims, bool batched) {
  Value v;
  v.dims = dims;
  v.batched = batched;
  return v.sample();
}

}  // namespace

Value Network::reshape(const Value& x, const Dims& dims) {
  if (x.constant != nullptr) {
    if (std::any_of(dims.begin(), dims.end(), is_symbolic)) {
      throw NeedsWholeBatch("a constant becomes " + to_text(dims));
    }
    return x.dims == dims ? x : of(fold_reshape(x.constant, dims));
  }
  Value v = x;
  if (v.dims == dims) return v;
  const bool keeps_batch = std::count(dims.begin(), dims.end(), batch_extent) == 1;
  if (v.batched && (!keeps_batch || entries_before_batch(v.dims) != entries_before_batch(dims))) {
    throw NeedsWholeBatch(
        fmt::format("{} becomes {}, which mixes the samples", to_text(v.dims), to_text(dims)));
  }
  const Dims from = v.sample(), to = sample_of(dims, v.batched);
  for (const std::int64_t d : to) {
    if (is_symbolic(d)) throw NeedsWholeBatch(to_text(v.dims) + " becomes " + to_text(dims));
  }
  if (count_elements(from) != count_elements(to)) {
    throw ImportError(fmt::format("{} cannot become {}", to_text(v.dims), to_text(dims)));
  }
  if (from == to) {
    v.dims = dims;
    return v;
  }
  const Value y = add("reshape", {v}, dims, v.batched, v.type);
  for (const std::int64_t d : to) message(y).mutable_reshape()->add_dims(d);
  return y;
}

Value Network::transpose(const Value& x, const std::vector<int>& perm) {
  Dims dims;
  bool moves = false;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    dims.push_back(x.dims.at(at_index(perm[i])));
    moves = moves || perm[i] != static_cast<int>(i);
  }
  if (!moves) return x;
  if (x.constant != nullptr) {
    const Dims strides = strides_of(x.dims);
    const ConstantPtr c = fold_move(*x.constant, dims, [&](const Dims& index) {
      std::int64_t at = 0;
      for (std::size_t i = 0; i < perm.size(); ++i) at += index[i] * strides[at_index(perm[i])];
      return at;
    });
    if (c != nullptr) return of(c);
  }
  const Value v = materialize(x);
  const int batch = v.batch_axis();
  std::vector<int> own;  // of a sample's dims
  bool same = true;
  for (const int from : perm) {
    if (from == batch) continue;
    own.push_back(batch >= 0 && from > batch ? from - 1 : from);
    same = same && own.back() == static_cast<int>(own.size()) - 1;
  }
  if (same) {
    Value moved = v;
    moved.dims = dims;
    return moved;
  }
  const Value y = add("permute", {v}, dims, v.batched, v.type);
  for (const int axis : own) message(y).mutable_permute()->add_axes(static_cast<std::uint32_t>(axis));
  return y;
}

Value Network::slice(const Value& x, int axis, std::int64_t start, std::int64_t stop) {
  const std::int64_t extent = x.dims.at(at_index(axis));
  if (start == 0 && stop == extent) return x;
  if (start < 0 || stop > extent || start >= stop) {
    throw ImportError(
        fmt::format("the range {} to {} of an axis of {} is empty or outside", start, stop, extent));
  }
  if (x.constant != nullptr) {
    Dims part = x.dims;
    part[at_index(axis)] = stop - start;
    const Dims strides = strides_of(x.dims);
    const ConstantPtr c = fold_move(*x.constant, part, [&](const Dims& index) {
      std::int64_t at = start * strides[at_index(axis)];
      for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * strides[d];
      return at;
    });
    if (c != nullptr) return of(c);
  }
  const Value v = materialize(x);
  const int own = sample_axis(v, axis, "the slice");
  Dims dims = v.dims;
  dims[at_index(axis)] = stop - start;
  const Value y = add("slice", {v}, dims, v.batched, v.type);
  auto& p = *message(y).mutable_slice();
  p.set_axis(own);
  p.add_slice_points(start);
  p.add_slice_points(stop);
  // One child only: several children of a slice get different ranges.
  const Value only = add("part", {y}, dims, v.batched, v.type);
  message(only).mutable_identity();
  return only;
}

Value Network::concat(const std::vector<Value>& parts, int axis) {
  std::vector<Value> made;
  bool batched = false;
  std::vector<ConstantPtr> all;
  for (const Value& part : parts) {
    if (part.constant != nullptr) all.push_back(part.constant);
  }
  if (!parts.empty() && all.size() == parts.size()) {
    if (const ConstantPtr c = fold_concat(all, axis)) return of(c);
  }
  for (const Value& part : parts) {
    if (std::find(part.dims.begin(), part.dims.end(), 0) != part.dims.end()) continue;
    made.push_back(materialize(part));
    batched = batched || made.back().batched;
  }
  if (made.empty()) throw ImportError("nothing to concatenate");
  if (made.size() == 1) return made[0];
  Dims dims = made[0].dims;
  std::int64_t extent = 0;
  for (Value& part : made) {
    if (part.batch_axis() != made[0].batch_axis())
      throw NeedsWholeBatch("tensors with and without mini-batch are joined");
    Dims rest = part.dims;
    if (rest.size() != dims.size()) throw ImportError("tensors with different numbers of dims are joined");
    extent += rest[at_index(axis)];
    rest[at_index(axis)] = dims[at_index(axis)];
    if (rest != dims) {
      throw ImportError(
          fmt::format("{} and {} are joined along axis {}", to_text(dims), to_text(part.dims), axis));
    }
  }
  dims[at_index(axis)] = extent;
  const int own = sample_axis(made[0], axis, "the concatenation");
  const Value y = add("concatenation", made, dims, batched, made[0].type);
  message(y).mutable_concatenation()->set_axis(own);
  return y;
}

Value Network::tile(const Value& x, const Dims& dims) {
  if (x.dims == dims) return x;
  if (x.constant != nullptr && count_elements(dims) <= 65536) {
    const Dims strides = strides_of(x.dims);
    return of(fold_move(*x.constant, dims, [&](const Dims& index) {
      std::int64_t at = 0;
      for (std::size_t d = 0; d < index.size(); ++d) at += index[d] % x.dims[d] * strides[d];
      return at;
    }));
  }
  const Value v = materialize(x);
  if (v.batched && dims[at_index(v.batch_axis())] != batch_extent)
    throw NeedsWholeBatch("the mini-batch is repeated");
  const Value y = add("tessellate", {v}, dims, v.batched, v.type);
  for (const std::int64_t d : y.sample()) message(y).mutable_tessellate()->add_dims(d);
  return y;
}

Value Network::expand(const Value& x, const Dims& dims) {
  Value v = x;
  if (v.dims == dims) return v;
  if (broadcast(v.dims, dims) != dims) {
    throw ImportError(fmt::format("{} cannot be broadcast to {}", to_text(v.dims), to_text(dims)));
  }
  Dims aligned(dims.size() - v.dims.size(), 1);
  aligned.insert(aligned.end(), v.dims.begin(), v.dims.end());
  const auto batch = std::find(dims.begin(), dims.end(), batch_extent) - dims.begin();
  const bool batched = batch < static_cast<std::ptrdiff_t>(dims.size());
  if (v.batched && (!batched || aligned[static_cast<std::size_t>(batch)] != batch_extent)) {
    throw NeedsWholeBatch(
        fmt::format("{} is broadcast to {}, which moves its mini-batch", to_text(v.dims), to_text(dims)));
  }
  if (batched && !v.batched) {
    // Every sample sees the same: only the other dims have to be produced.
    Dims others = dims;
    aligned.erase(aligned.begin() + batch);
    others.erase(others.begin() + batch);
    v = materialize(expand(reshape(v, aligned), others));
    v.dims = dims;
    v.batched = true;
    return v;
  }
  return tile(reshape(v, aligned), dims);
}

Value Network::pad(const Value& x, int axis, std::int64_t before, std::int64_t after, double value) {
  Value v = materialize(x);
  if (before == 0 && after == 0) return v;
  sample_axis(v, axis, "the padding");
  const std::int64_t extent = v.dims.at(at_index(axis));
  const std::int64_t start = std::max<std::int64_t>(0, -before),
                     stop = extent - std::max<std::int64_t>(0, -after);
  v = slice(v, axis, start, stop);
  std::vector<Value> parts;
  const auto add_part = [&](std::int64_t count) {
    if (count <= 0) return;
    Dims dims = v.dims;
    dims[at_index(axis)] = count;
    parts.push_back(fill(value, dims, v.type, v.batched));
  };
  add_part(before);
  parts.push_back(v);
  add_part(after);
  return concat(parts, axis);
}

Value Network::take(const Value& x, int axis, const std::vector<std::int64_t>& indices) {
  const std::int64_t extent = x.dims.at(at_index(axis));
  bool contiguous = true;
  std::vector<double> numbers;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= extent) {
      throw ImportError(fmt::format("index {} into an axis of {}", indices[i], extent));
    }
    contiguous = contiguous && indices[i] == indices[0] + static_cast<std::int64_t>(i);
    numbers.push_back(static_cast<double>(indices[i]));
  }
  if (indices.empty()) throw ImportError("no index");
  const auto count = static_cast<std::int64_t>(indices.size());
  if (contiguous) return slice(x, axis, indices[0], indices[0] + count);
  if (x.constant != nullptr) {
    Dims chosen = x.dims;
    chosen[at_index(axis)] = count;
    const Dims strides = strides_of(x.dims);
    const ConstantPtr c = fold_move(*x.constant, chosen, [&](const Dims& index) {
      std::int64_t at = 0;
      for (std::size_t d = 0; d < index.size(); ++d) {
        at += (static_cast<int>(d) == axis ? indices[static_cast<std::size_t>(index[d])] : index[d]) *
              strides[d];
      }
      return at;
    });
    if (c != nullptr) return of(c);
  }
  const Value given = materialize(x);
  const int own = sample_axis(given, axis, "the choice of entries");
  if (given.batch_axis() > 0) {
    return back_from_front(take(batch_to_front(given), own + 1, indices), given.batch_axis());
  }
  const Value& v = given;
  // [axis, everything else], gathered along its first dim.
  std::vector<int> perm(v.dims.size());
  std::iota(perm.begin(), perm.end(), 0);
  const int first = v.batched ? 1 : 0;
  std::rotate(perm.begin() + first, perm.begin() + axis, perm.begin() + axis + 1);
  const Value turned = transpose(v, perm);
  const Dims sample = turned.sample();
  const std::int64_t rest = count_elements(sample) / extent;
  Dims flat = v.batched ? Dims{batch_extent, extent, rest} : Dims{extent, rest};
  const Value rows = reshape(turned, flat);
  flat[at_index(first)] = count;
  const Value places = materialize(known({count}, numbers), false);
  const Value taken = add("gather", {rows, places}, flat, v.batched, v.type);
  message(taken).mutable_gather()->mutable_axis()->set_value(0);
  Dims out = turned.dims;
  out[at_index(first)] = count;
  const Value back = reshape(taken, out);
  std::vector<int> inverse(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) inverse[at_index(perm[i])] = static_cast<int>(i);
  return transpose(back, inverse);
}

Value Network::linear_map(const Value& x, int axis, std::int64_t rows, std::vector<double> matrix) {
  const Value v = materialize(x);
  const int own = sample_axis(v, axis, "the operation");
  if (v.batch_axis() > 0) {
    const Value front = batch_to_front(v);
    return back_from_front(linear_map(front, own + 1, rows, std::move(matrix)), v.batch_axis());
  }
  const std::int64_t extent = v.dims.at(at_index(axis));
  std::vector<int> perm(v.dims.size());
  std::iota(perm.begin(), perm.end(), 0);
  std::rotate(perm.begin() + axis, perm.begin() + axis + 1, perm.end());
  const Value turned = transpose(v, perm);
  const std::int64_t rest = count_elements(turned.sample()) / extent;
  Dims flat = v.batched ? Dims{batch_extent, rest, extent} : Dims{rest, extent};
  const Value in = reshape(turned, flat);
  flat.back() = rows;
  const Value product = add("linear_map", {in}, flat, v.batched, v.type);
  auto& p = *message(product).mutable_channelwise_fully_connected();
  p.add_output_channel_dims(static_cast<std::uint64_t>(rows));
  p.mutable_bias()->set_value(false);
  add_weight(product, known({rows, extent}, std::move(matrix)).constant, {rows, extent}, "matrix", false);
  Dims out = turned.dims;
  out.back() = rows;
  const Value back = reshape(product, out);
  std::vector<int> inverse(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) inverse[at_index(perm[i])] = static_cast<int>(i);
  return transpose(back, inverse);
}

}  // namespace lbann::onnx
