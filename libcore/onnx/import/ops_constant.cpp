// ONNX operators whose result is known when the model is imported.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

using T = ::onnx::TensorProto;
using Ints = std::vector<std::int64_t>;

Value from_tensor(const ::onnx::TensorProto& t, const std::string& folder) {
  Value v;
  v.constant = std::make_shared<Constant>("", TensorSource(t, folder));
  v.dims = v.constant->dims();
  v.type = v.constant->type();
  return v;
}

void import_constant(Op& op) {
  if (const auto* t = op.attr_tensor("value")) return op.out(from_tensor(*t, op.folder()));
  const auto count = [](std::size_t n) { return Dims{static_cast<std::int64_t>(n)}; };
  if (op.has_attr("value_float"))
    return op.out(Network::known({}, std::vector<double>{op.attr_real("value_float", 0)}));
  if (op.has_attr("value_int")) return op.out(Network::known({}, Ints{op.attr("value_int", 0)}));
  if (op.has_attr("value_floats")) {
    const auto list = op.attr_reals("value_floats");
    return op.out(Network::known(count(list.size()), list));
  }
  if (op.has_attr("value_ints")) {
    const auto list = op.attr_ints("value_ints");
    return op.out(Network::known(count(list.size()), list));
  }
  refuse("a constant that is no tensor of numbers");
}

void import_shape(Op& op) {
  const Dims& dims = op.in(0).dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto bound = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const std::int64_t start = bound(op.attr("start", 0)), stop = bound(op.attr("end", rank));
  Ints list;
  for (std::int64_t i = start; i < stop; ++i) list.push_back(dims[static_cast<std::size_t>(i)]);
  op.out(Network::known({static_cast<std::int64_t>(list.size())}, list));
}

void import_size(Op& op) {
  const Dims& dims = op.in(0).dims;
  Dims others = dims;
  const bool batched = std::erase(others, batch_extent) > 0;
  const std::int64_t n = count_elements(others);
  op.out(Network::known({}, Ints{batched ? n * batch_extent : n}));
}

void import_constant_of_shape(Op& op) {
  const Ints& dims = op.ints(0, "the shape");
  Value value = Network::known({1}, std::vector<double>{0});
  if (const auto* t = op.attr_tensor("value")) value = from_tensor(*t, op.folder());
  if (value.constant->size() != 1) refuse("a value of several numbers");
  const double number = value.constant->reals()[0];
  if (std::count(dims.begin(), dims.end(), batch_extent) == 1) {
    return op.out(op.net().fill(number, dims, value.type, true));
  }
  const std::int64_t size = count_elements(dims);
  if (size > (std::int64_t{1} << 24)) return op.out(op.net().fill(number, dims, value.type));
  op.out(Network::known(dims, std::vector<double>(static_cast<std::size_t>(size), number), value.type));
}

void import_range(Op& op) {
  const double start = op.scalar(0, "the start"), stop = op.scalar(1, "the limit"),
               step = op.scalar(2, "the step");
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  if (!(count <= 1 << 24)) refuse("a range as long as the mini-batch, or above 2^24");
  std::vector<double> list;
  for (double i = 0; i < count; ++i) list.push_back(start + i * step);
  op.out(Network::known({static_cast<std::int64_t>(list.size())}, list, op.in(0).type));
}

void import_eye_like(Op& op) {
  const Dims& d = op.in(0).dims;
  if (d.size() != 2 || d[0] == batch_extent || count_elements(d) > (1 << 24))
    refuse("the shape " + to_text(d));
  const std::int64_t k = op.attr("k", 0);
  std::vector<double> list(static_cast<std::size_t>(d[0] * d[1]), 0);
  for (std::int64_t i = 0; i < d[0]; ++i) {
    if (i + k >= 0 && i + k < d[1]) list[static_cast<std::size_t>(i * d[1] + i + k)] = 1;
  }
  op.out(Network::known(d, list, static_cast<int>(op.attr("dtype", op.in(0).type))));
}

/// a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n) (Harris, Proc. IEEE 66, 1978).
void window(Op& op, double a0, double a1, double a2) {
  const auto size = static_cast<std::int64_t>(op.scalar(0, "the size"));
  if (size < 1 || size > (1 << 24)) refuse(fmt::format("a window of {}", size));
  const double n = static_cast<double>(op.attr("periodic", 1) != 0 ? size : size - 1);
  std::vector<double> list;
  for (std::int64_t i = 0; i < size; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / n;
    list.push_back(a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle));
  }
  op.out(Network::known({size}, list, static_cast<int>(op.attr("output_datatype", T::FLOAT))));
}
void import_hann(Op& op) { window(op, 0.5, 0.5, 0); }
void import_hamming(Op& op) { window(op, 25.0 / 46, 1 - 25.0 / 46, 0); }
void import_blackman(Op& op) { window(op, 0.42, 0.5, 0.08); }

}  // namespace

std::vector<OpRow> constant_ops() {
  return {{"Constant", "a known tensor", import_constant, "texts, sparse tensors"},
          {"Shape", "known numbers", import_shape},
          {"Size", "a known number", import_size},
          {"ConstantOfShape", "a known tensor, or constant", import_constant_of_shape,
           "a shape that is computed"},
          {"Range", "a known tensor", import_range, "limits that are computed"},
          {"EyeLike", "a known tensor", import_eye_like},
          {"HannWindow", "a known tensor", import_hann, "a size that is computed"},
          {"HammingWindow", "a known tensor", import_hamming, "a size that is computed"},
          {"BlackmanWindow", "a known tensor", import_blackman, "a size that is computed"}};
}

}  // namespace lbann::onnx
