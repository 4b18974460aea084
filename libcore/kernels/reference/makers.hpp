// Makers of the naive kernels, one per primitive, and what they share: a run-time type's number
// read and written as double, and the choice float or double. Private to kernels/reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>

#include "kernels/node_view.hpp"
#include "kernels/shared/special_functions.hpp"
#include "tensor/data_type.hpp"

namespace lbann::kernels::reference {

using Maker = std::unique_ptr<Kernel>(const NodeView&);

Maker make_ewise, make_cast, make_fill, make_all_finite, make_update;
Maker make_view, make_permute, make_slice, make_pad, make_concat, make_expand, make_reorder;
Maker make_reduce, make_arg_reduce, make_softmax, make_softmax_bwd, make_matmul;
Maker make_conv, make_conv_bwd_data, make_conv_bwd_weights, make_pool, make_pool_bwd;
Maker make_gather, make_scatter_add, make_update_rows;
Maker make_random, make_lrn, make_lrn_bwd;
Maker make_layer_norm, make_layer_norm_bwd, make_sort;
Maker make_norm_stats, make_norm_apply, make_norm_bwd_stats, make_norm_bwd_apply;

/// Element i of a buffer of the given type, as double.
double load(const void* data, tensor::DataType type, std::int64_t i);
/// Rounds to nearest even; integers saturate and take NaN as 0.
void store(void* data, tensor::DataType type, std::int64_t i, double value);

/// The elementary functions of the scalar bodies, from the standard library.
struct StandardMath {
  template <class T>
  static T exp(T x) {
    return std::exp(x);
  }
  template <class T>
  static T expm1(T x) {
    return std::expm1(x);
  }
  template <class T>
  static T log(T x) {
    return std::log(x);
  }
  template <class T>
  static T tanh(T x) {
    return std::tanh(x);
  }
  template <class T>
  static T sqrt(T x) {
    return std::sqrt(x);
  }
#define LBANN_STANDARD_FUNCTION(NAME) \
  template <class T>                  \
  static T NAME(T x) {                \
    return std::NAME(x);              \
  }
  LBANN_STANDARD_FUNCTION(log1p)
  LBANN_STANDARD_FUNCTION(sin)
  LBANN_STANDARD_FUNCTION(cos)
  LBANN_STANDARD_FUNCTION(tan)
  LBANN_STANDARD_FUNCTION(asin)
  LBANN_STANDARD_FUNCTION(acos)
  LBANN_STANDARD_FUNCTION(atan)
  LBANN_STANDARD_FUNCTION(sinh)
  LBANN_STANDARD_FUNCTION(cosh)
  LBANN_STANDARD_FUNCTION(asinh)
  LBANN_STANDARD_FUNCTION(acosh)
  LBANN_STANDARD_FUNCTION(atanh)
  LBANN_STANDARD_FUNCTION(erf)
  LBANN_STANDARD_FUNCTION(floor)
  LBANN_STANDARD_FUNCTION(ceil)
  LBANN_STANDARD_FUNCTION(trunc)
#undef LBANN_STANDARD_FUNCTION
  template <class T>
  static T fmod(T x, T y) {
    return std::fmod(x, y);
  }
  template <class T>
  static T pow(T x, T y) {
    return std::pow(x, y);
  }
  template <class T>
  static T erfinv(T x) {
    return static_cast<T>(shared::erfinv(static_cast<double>(x)));
  }
  template <class T>
  static T uniform_hash(T x) {
    return shared::uniform_hash(x);
  }
};

/// Calls make(T{}) with T = float or double.
template <class Make>
std::unique_ptr<Kernel> with_floating(const NodeView& v, tensor::DataType type, Make make) {
  if (type == tensor::DataType::f32) return make(float{});
  if (type == tensor::DataType::f64) return make(double{});
  v.refuse("no naive kernel for this type");
}

template <class T>
const T* input(const KernelArgs& args, int i) {
  return static_cast<const T*>(args.inputs[i]);
}
template <class T>
T* output(const KernelArgs& args, int i) {
  return static_cast<T*>(args.outputs[i]);
}

/// Calls visit(index) for every index of the shape in row-major order.
template <class Visit>
void for_each_index(const tensor::Shape& shape, Visit visit) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()), 0);
  const std::int64_t count = shape.num_elements();
  for (std::int64_t i = 0; i < count; ++i) {
    visit(static_cast<const std::vector<std::int64_t>&>(index));
    for (int d = shape.rank() - 1; d >= 0; --d) {
      if (++index[static_cast<std::size_t>(d)] < shape[d]) break;
      index[static_cast<std::size_t>(d)] = 0;
    }
  }
}

inline std::int64_t offset_of(const std::vector<std::int64_t>& index,
                              const std::vector<std::int64_t>& strides) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * strides[d];
  return offset;
}

}  // namespace lbann::kernels::reference
