// Layers of an imported network that reduce axes, and products of matrices. See network.hpp.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/network.hpp"

namespace lbann::onnx {
namespace {

std::size_t at_index(int i) { return static_cast<std::size_t>(i); }

}  // namespace

Value Network::reduce(std::string_view mode, const Value& x, std::vector<int> axes, bool keep) {
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (x.constant != nullptr) {
    if (const ConstantPtr c = fold_reduce(mode, *x.constant, axes)) {
      Dims left;
      for (int d = 0; d < x.rank(); ++d) {
        if (std::find(axes.begin(), axes.end(), d) == axes.end()) left.push_back(x.dims[at_index(d)]);
      }
      return keep ? of(c) : reshape(of(c), left);
    }
  }
  const Value v = materialize(x);
  Dims kept, with_ones = v.dims;
  std::int64_t count = 1;
  for (int d = 0; d < v.rank(); ++d) {
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) {
      kept.push_back(v.dims[at_index(d)]);
    } else {
      sample_axis(v, d, "the reduction");
      count *= v.dims[at_index(d)];
      with_ones[at_index(d)] = 1;
    }
  }
  const Dims& wanted = keep ? with_ones : kept;
  if (count == 1) return reshape(v, wanted);
  if (v.batch_axis() > 0) {
    // All dims before the mini-batch or some: the layers see the sample only.
    std::vector<int> moved;
    for (const int a : axes) moved.push_back(sample_axis(v, a, "") + 1);
    const Value y = reduce(mode, batch_to_front(v), moved, keep);
    const auto place = std::find(wanted.begin(), wanted.end(), batch_extent) - wanted.begin();
    return back_from_front(y, static_cast<int>(place));
  }
  const bool mean = mode == "mean";
  const Dims sample = v.sample();
  Value y;
  if (static_cast<std::size_t>(count_elements(sample)) == static_cast<std::size_t>(count)) {
    const Dims one = v.batched ? Dims{batch_extent, 1} : Dims{1};
    if (mean || mode == "sum") {
      y = add("reduction", {v}, one, v.batched, v.type);
      message(y).mutable_reduction()->set_mode(mean ? "mean" : "sum");
      return reshape(y, wanted);
    }
    const Value row = reshape(v, v.batched ? Dims{batch_extent, 1, count} : Dims{1, count});
    y = add("reduction", {row}, one, v.batched, v.type);
    message(y).mutable_multidim_reduction()->set_mode(std::string(mode));
    message(y).mutable_multidim_reduction()->add_axes(1);
    return reshape(y, wanted);
  }
  y = add("reduction", {v}, kept, v.batched, v.type);
  message(y).mutable_multidim_reduction()->set_mode(mean ? "sum" : std::string(mode));
  for (const int a : axes) {
    message(y).mutable_multidim_reduction()->add_axes(static_cast<std::uint32_t>(a - int{v.batched}));
  }
  if (mean) y = with_constant("Scale", y, 1.0 / static_cast<double>(count));
  return reshape(y, wanted);
}

Value Network::matmul(const Value& a, const Value& b, bool transpose_a, bool transpose_b) {
  Value x = materialize(a), y = materialize(b);
  if (y.batch_axis() >= y.rank() - 2) throw NeedsWholeBatch("the second factor's rows are the mini-batch");
  if (x.batched && x.batch_axis() == x.rank() - 1) throw NeedsWholeBatch("the sum runs along the mini-batch");
  if (x.batched && x.batch_axis() == x.rank() - 2) {
    // Every sample is one row.
    if (transpose_a || x.rank() != 2)
      throw NeedsWholeBatch("the first factor is transposed with its mini-batch");
    Value z = matmul(reshape(x, {batch_extent, 1, x.dims[1]}), y, false, transpose_b);
    return reshape(z, {batch_extent, z.dims.back()});
  }
  const std::int64_t m = x.dims[at_index(x.rank() - (transpose_a ? 1 : 2))],
                     k = x.dims[at_index(x.rank() - (transpose_a ? 2 : 1))],
                     k2 = y.dims[at_index(y.rank() - (transpose_b ? 1 : 2))],
                     n = y.dims[at_index(y.rank() - (transpose_b ? 2 : 1))];
  if (k != k2) throw ImportError(fmt::format("inner extents of {} and {}", to_text(a.dims), to_text(b.dims)));
  const Dims lead = broadcast(Dims(x.dims.begin(), x.dims.end() - 2), Dims(y.dims.begin(), y.dims.end() - 2));
  const auto place = std::find(lead.begin(), lead.end(), batch_extent) - lead.begin();
  const bool batched = place < static_cast<std::ptrdiff_t>(lead.size());
  const auto stack = [&](const Value& v) {
    Dims dims = lead;
    dims.insert(dims.end(), v.dims.end() - 2, v.dims.end());
    const Value all = batch_to_front(expand(v, dims));
    const Dims sample = all.sample();
    Dims flat = batched ? Dims{batch_extent} : Dims{};
    if (sample.size() > 2) flat.push_back(count_elements(Dims(sample.begin(), sample.end() - 2)));
    flat.insert(flat.end(), sample.end() - 2, sample.end());
    return reshape(all, flat);
  };
  const Value left = stack(x), right = stack(y);
  Dims flat = left.dims;
  flat[flat.size() - 2] = m;
  flat.back() = n;
  const Value z = add("matmul", {left, right}, flat, batched, x.type);
  if (transpose_a) message(z).mutable_matmul()->set_transpose_a(true);
  if (transpose_b) message(z).mutable_matmul()->set_transpose_b(true);
  message(z).mutable_matmul();
  Dims dims = lead;
  if (batched) {
    dims.erase(dims.begin() + place);
    dims.insert(dims.begin(), batch_extent);
  }
  dims.insert(dims.end(), {m, n});
  const Value y2 = reshape(z, dims);
  return batched ? back_from_front(y2, static_cast<int>(place)) : y2;
}

Value Network::dense(const Value& x, const ConstantPtr& matrix, bool transposed) {
  const Dims& m = matrix->dims();
  const std::int64_t in = m[transposed ? 1 : 0], out = m[transposed ? 0 : 1];
  if (x.dims.back() != in)
    throw ImportError(fmt::format("{} times a matrix {}", to_text(x.dims), to_text(m)));
  if (x.batch_axis() == x.rank() - 1) throw NeedsWholeBatch("the sum runs along the mini-batch");
  if (x.batch_axis() > 0)
    return back_from_front(dense(batch_to_front(x), matrix, transposed), x.batch_axis());
  Dims dims = x.dims;
  dims.back() = out;
  // Files of matrices are [height,width]: [out,in], with `transpose` [in,out].
  if (x.sample().size() == 1) {
    const Value y = add("fully_connected", {x}, dims, x.batched, x.type);
    auto& p = *message(y).mutable_fully_connected();
    p.set_num_neurons(out);
    p.set_has_bias(false);
    p.set_transpose(!transposed);
    add_weight(y, matrix, m, "matrix");
    return y;
  }
  const std::int64_t rows = count_elements(x.sample()) / in;
  Dims flat = x.batched ? Dims{batch_extent, rows, in} : Dims{rows, in};
  const Value rows_of_x = reshape(x, flat);
  flat.back() = out;
  const Value y = add("channelwise_fully_connected", {rows_of_x}, flat, x.batched, x.type);
  auto& p = *message(y).mutable_channelwise_fully_connected();
  p.add_output_channel_dims(static_cast<std::uint64_t>(out));
  p.mutable_bias()->set_value(false);
  p.mutable_transpose()->set_value(!transposed);
  add_weight(y, matrix, m, "matrix");
  return reshape(y, dims);
}

Value Network::softmax(const Value& x, int axis) {
  const Value v = materialize(x);
  const int own = sample_axis(v, axis, "the softmax");
  const Value y = add("softmax", {v}, v.dims, v.batched, v.type);
  if (v.sample().size() == 1) {
    message(y).mutable_softmax();
    return y;
  }
  message(y).mutable_channelwise_softmax()->set_dim(own);
  message(y).mutable_channelwise_softmax()->set_single_dim_mode(true);
  return y;
}

Value Network::log_softmax(const Value& x, int axis) {
  const Value v = materialize(x);
  sample_axis(v, axis, "the softmax");
  if (v.sample().size() == 1) {
    const Value y = add("log_softmax", {v}, v.dims, v.batched, v.type);
    message(y).mutable_log_softmax();
    return y;
  }
  const Value shifted = binary("Subtract", v, reduce("max", v, {axis}, true));
  const Value sum = reduce("sum", unary("Exp", shifted), {axis}, true);
  return binary("Subtract", shifted, unary("Log", sum));
}

Value Network::arg(bool largest, bool last, const Value& x, int axis) {
  const Value v = materialize(x);
  sample_axis(v, axis, "the search");
  const std::int64_t n = v.dims[at_index(axis)];
  Dims dims = v.dims;
  dims[at_index(axis)] = 1;
  Value y;
  if (v.sample().size() == 1 && !last && n > 1) {
    y = add(largest ? "argmax" : "argmin", {v}, dims, v.batched, ::onnx::TensorProto::INT64);
    if (largest) {
      message(y).mutable_argmax();
    } else {
      message(y).mutable_argmin();
    }
    return y;
  }
  const Value hit = binary("Equal", v, reduce(largest ? "max" : "min", v, {axis}, true));
  const Value place = iota(n, axis, v.rank());
  const Value none = known({}, std::vector<double>{last ? -1.0 : static_cast<double>(n)});
  y = reduce(last ? "max" : "min", select(hit, place, none), {axis}, true);
  y.type = ::onnx::TensorProto::INT64;
  return y;
}

}  // namespace lbann::onnx
