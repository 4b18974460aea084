// Arithmetic on known tensors, so that shape computations and constants vanish on import.
//
// Integers are exact (the mini-batch's 2^40 included), real numbers double, rounded to float where ONNX's
// type is FLOAT. A result is empty where the operator is not known here or the tensor is too large: then a
// layer computes it. A result of a named initializer keeps the name: it is still a parameter.
#pragma once

#include <functional>
#include <string_view>

#include "onnx/import/constant.hpp"

namespace lbann::onnx {

constexpr std::int64_t max_folded = std::int64_t{1} << 26;  // elements

/// A dim or number that contains the mini-batch's extent.
inline bool is_symbolic(std::int64_t v) { return v >= batch_extent / 2 || v <= -batch_extent / 2; }

/// Operator names are ours: "Add", "Less".
ConstantPtr fold_unary(std::string_view op, const Constant& x);
ConstantPtr fold_binary(std::string_view op, const Constant& a, const Constant& b);
ConstantPtr fold_select(const Constant& condition, const Constant& a, const Constant& b);
/// axes: which dims vanish to extent 1.
ConstantPtr fold_reduce(std::string_view mode, const Constant& x, const std::vector<int>& axes);
ConstantPtr fold_cast(const Constant& x, int type);
/// Entry i of the result (a position in C order) is entry source(index) of x.
ConstantPtr fold_move(const Constant& x, Dims dims,
                      const std::function<std::int64_t(const Dims& index)>& source);
ConstantPtr fold_concat(const std::vector<ConstantPtr>& parts, int axis);
ConstantPtr fold_reshape(const ConstantPtr& x, Dims dims);

/// Steps of a C-order tensor.
Dims strides_of(const Dims& dims);

}  // namespace lbann::onnx
