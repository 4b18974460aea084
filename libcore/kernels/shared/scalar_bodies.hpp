// The bodies of the scalar functions of `ewise`, one text for CPU and GPU.
//
// Row: name, arity, expression over the operands x, y, z (in operand order; a gradient function
// has the cotangent first) and the node's parameters a, b. The names are those of
// ops/scalar_functions.cpp, in its order (a test compares). `M` supplies exp, expm1, log, tanh,
// sqrt: the standard library in the oracle, vectorisable polynomials in the CPU loops, the device's
// own on a GPU. Comparisons are written so that NaN operands stay NaN where a value comes out.
#pragma once

#include "kernels/shared/host_device.hpp"

// clang-format off
#define LBANN_SCALAR_FUNCTIONS(X) \
  /* Arithmetic. */ \
  X(identity, 1, x) \
  X(neg, 1, -x) \
  X(add, 2, x + y) \
  X(sub, 2, x - y) \
  X(mul, 2, x * y) \
  X(div, 2, x / y) \
  X(div_grad1, 3, -x * z / y) \
  X(scale, 1, a * x) \
  X(affine, 1, a * x + b) \
  X(square, 1, x * x) \
  X(square_grad, 2, T(2) * y * x) \
  X(abs, 1, x < T(0) ? -x : (x == T(0) ? T(0) : x)) \
  X(sign_mul, 2, y > T(0) ? x : (y < T(0) ? -x : (y == T(0) ? T(0) : y))) \
  X(sqrt, 1, M::sqrt(x)) \
  X(sqrt_grad, 2, x / (T(2) * y)) \
  X(rsqrt, 1, T(1) / M::sqrt(x)) \
  X(rsqrt_grad, 2, T(-0.5) * x * (y * y * y)) \
  X(exp, 1, M::exp(x)) \
  X(log, 1, M::log(x)) \
  X(max2, 2, ((x >= y) | (x != x)) ? x : y) \
  X(min2, 2, ((x <= y) | (x != x)) ? x : y) \
  X(mul_ge, 3, y >= z ? x : T(0)) \
  X(mul_lt, 3, y < z ? x : T(0)) \
  X(mul_le, 3, y <= z ? x : T(0)) \
  X(mul_gt, 3, y > z ? x : T(0)) \
  X(eq, 2, x == y ? T(1) : T(0)) \
  X(where, 3, x != T(0) ? y : z) \
  X(where_first, 2, x != T(0) ? y : T(0)) \
  X(where_second, 2, x != T(0) ? T(0) : y) \
  /* Activations. */ \
  X(relu, 1, x <= T(0) ? T(0) : x) \
  X(relu_grad, 2, y > T(0) ? x : T(0)) \
  X(leaky_relu, 1, x > T(0) ? x : a * x) \
  X(leaky_relu_grad, 2, y > T(0) ? x : a * x) \
  X(elu, 1, x > T(0) ? x : a * M::expm1(x)) \
  X(elu_grad, 2, y > T(0) ? x : x * a * M::exp(y)) \
  X(sigmoid, 1, T(1) / (T(1) + M::exp(-x))) \
  X(sigmoid_grad, 2, x * y * (T(1) - y)) \
  X(tanh, 1, M::tanh(x)) \
  X(tanh_grad, 2, x * (T(1) - y * y)) \
  X(gelu, 1, gelu_value<M>(x)) \
  X(gelu_grad, 2, gelu_gradient<M>(x, y)) \
  X(selu, 1, x > T(0) ? T(selu_scale) * x : T(selu_scale * selu_alpha) * M::expm1(x)) \
  X(selu_grad, 2, y > T(0) ? T(selu_scale) * x : x * T(selu_scale * selu_alpha) * M::exp(y)) \
  X(softplus, 1, softplus_value<M>(x)) \
  X(softplus_grad, 2, x / (T(1) + M::exp(-y))) \
  X(log_sigmoid, 1, -softplus_value<M>(-x)) \
  X(log_sigmoid_grad, 2, x / (T(1) + M::exp(y))) \
  X(softsign, 1, x / (T(1) + magnitude(x))) \
  X(softsign_grad, 2, x / ((T(1) + magnitude(y)) * (T(1) + magnitude(y)))) \
  X(clamp, 1, x < a ? a : (x > b ? b : x)) \
  X(clamp_grad, 2, (y > a) & (y < b) ? x : T(0)) \
  /* Elementary functions. */ \
  X(expm1, 1, M::expm1(x)) \
  X(mul_exp, 2, x * M::exp(y)) \
  X(log1p, 1, M::log1p(x)) \
  X(log1p_grad, 2, x / (T(1) + y)) \
  X(sin, 1, M::sin(x)) \
  X(mul_cos, 2, x * M::cos(y)) \
  X(cos, 1, M::cos(x)) \
  X(cos_grad, 2, -x * M::sin(y)) \
  X(tan, 1, M::tan(x)) \
  X(tan_grad, 2, x * (T(1) + y * y)) \
  X(asin, 1, M::asin(x)) \
  X(asin_grad, 2, x / M::sqrt((T(1) - y) * (T(1) + y))) \
  X(acos, 1, M::acos(x)) \
  X(acos_grad, 2, -x / M::sqrt((T(1) - y) * (T(1) + y))) \
  X(atan, 1, M::atan(x)) \
  X(atan_grad, 2, x / (T(1) + y * y)) \
  X(sinh, 1, M::sinh(x)) \
  X(mul_cosh, 2, x * M::cosh(y)) \
  X(cosh, 1, M::cosh(x)) \
  X(mul_sinh, 2, x * M::sinh(y)) \
  X(asinh, 1, M::asinh(x)) \
  X(asinh_grad, 2, x / M::sqrt(T(1) + y * y)) \
  X(acosh, 1, M::acosh(x)) \
  X(acosh_grad, 2, x / (M::sqrt(y - T(1)) * M::sqrt(y + T(1)))) \
  X(atanh, 1, M::atanh(x)) \
  X(atanh_grad, 2, x / ((T(1) - y) * (T(1) + y))) \
  X(erf, 1, M::erf(x)) \
  X(erf_grad, 2, x * T(two_over_sqrt_pi) * M::exp(-(y * y))) \
  X(erfinv, 1, M::erfinv(x)) \
  X(erfinv_grad, 3, (y <= T(-1)) | (y >= T(1)) ? T(0) : x / T(two_over_sqrt_pi) * M::exp(z * z)) \
  X(reciprocal, 1, T(1) / x) \
  X(reciprocal_grad, 2, x == T(0) ? T(0) : -x * y * y) \
  X(safe_reciprocal, 1, finite_or_zero(T(1) / x)) \
  /* Steps. */ \
  X(sign, 1, x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0))) \
  X(round, 1, round_away<M>(x)) \
  X(ceil, 1, M::ceil(x)) \
  X(floor, 1, M::floor(x)) \
  X(logical_not, 1, T(1) - truth(x)) \
  X(uniform_hash, 1, M::uniform_hash(x)) \
  X(near, 1, magnitude(x - a) < b ? T(1) : T(0)) \
  X(ne, 2, x == y ? T(0) : T(1)) \
  X(less, 2, x < y ? T(1) : T(0)) \
  X(less_equal, 2, x <= y ? T(1) : T(0)) \
  X(greater, 2, x > y ? T(1) : T(0)) \
  X(greater_equal, 2, x >= y ? T(1) : T(0)) \
  X(logical_and, 2, truth(x) * truth(y)) \
  X(logical_or, 2, truth(x) + truth(y) > T(0) ? T(1) : T(0)) \
  X(logical_xor, 2, truth(x) == truth(y) ? T(0) : T(1)) \
  X(boolean_accuracy, 2, (x >= T(0.5)) == (y >= T(0.5)) ? T(1) : T(0)) \
  X(boolean_false_negative, 2, (x >= T(0.5)) < (y >= T(0.5)) ? T(1) : T(0)) \
  X(boolean_false_positive, 2, (x >= T(0.5)) > (y >= T(0.5)) ? T(1) : T(0)) \
  /* Binary functions. */ \
  X(maximum, 2, ((x >= y) | (x != x)) ? x : y) \
  X(maximum_grad, 3, y > z ? x : (y == z ? T(0.5) * x : T(0))) \
  X(minimum, 2, ((x <= y) | (x != x)) ? x : y) \
  X(minimum_grad, 3, y < z ? x : (y == z ? T(0.5) * x : T(0))) \
  X(mod, 2, M::fmod(x, y)) \
  X(mod_grad1, 3, -x * M::floor(y / z)) \
  X(pow, 2, M::pow(x, y)) \
  X(pow_grad0, 3, x * z * M::pow(y, z - T(1))) \
  X(pow_grad1, 3, x * M::log(y) * z) \
  X(safe_div, 2, finite_or_zero(x / y)) \
  X(safe_div_grad0, 3, is_finite_number(y / z) ? x / z : T(0)) \
  X(safe_div_grad1, 3, is_finite_number(y / z) ? -x * (y / z) / z : T(0)) \
  /* Losses (entrywise parts); 0 log(0) = 0. */ \
  X(bce, 2, (y > T(0) ? -y * M::log(x) : T(0)) + (y < T(1) ? -(T(1) - y) * M::log(T(1) - x) : T(0))) \
  X(bce_grad0, 3, x == T(0) ? T(0) \
    : x * ((z > T(0) ? -z / y : T(0)) + (z < T(1) ? (T(1) - z) / (T(1) - y) : T(0)))) \
  X(bce_grad1, 3, x == T(0) ? T(0) \
    : x * ((z > T(0) ? -M::log(y) : T(0)) + (z < T(1) ? M::log(T(1) - y) : T(0)))) \
  X(sigmoid_bce, 2, softplus_value<M>(x) - within_unit(y) * x) \
  X(sigmoid_bce_grad0, 3, x * (T(1) / (T(1) + M::exp(-y)) - within_unit(z))) \
  X(sigmoid_bce_grad1, 3, (z >= T(0)) & (z <= T(1)) ? -x * y : T(0)) \
  /* The target decides: no term where it is 0, even if log(p) = -inf. */ \
  X(xent, 2, y <= T(0) ? T(0) : -y * M::log(x)) \
  X(xent_grad0, 3, z <= T(0) ? T(0) : -x * z / y) \
  X(xent_grad1, 2, -x * M::log(y)) \
  X(xent_log, 2, y <= T(0) ? T(0) : -y * x) \
  X(xent_log_grad0, 2, y <= T(0) ? T(0) : -x * y) \
  X(neg_mul, 2, -x * y) \
  /* Batch norm's running statistics. */ \
  X(lerp, 2, a * x + (T(1) - a) * y) \
  X(scale_rest, 1, (T(1) - a) * x) \
  X(scale_clamp, 1, a * x < b ? b : a * x) \
  X(scale_clamp_grad, 2, a * y > b ? a * x : T(0))
// clang-format on

namespace lbann::kernels::shared {

// What several bodies share.
namespace scalar {

inline constexpr double two_over_sqrt_pi = 1.1283791670955126;
inline constexpr double selu_alpha = 1.6732632423543772;
inline constexpr double selu_scale = 1.0507009873554805;

template <class T>
LBANN_HOST_DEVICE T magnitude(T x) {
  return x < T(0) ? -x : x;
}
template <class T>
LBANN_HOST_DEVICE bool is_finite_number(T x) {
  return x - x == T(0);
}
template <class T>
LBANN_HOST_DEVICE T finite_or_zero(T x) {
  return is_finite_number(x) ? x : T(0);
}
/// 1 for anything but 0 and NaN.
template <class T>
LBANN_HOST_DEVICE T truth(T x) {
  return (x < T(0)) | (x > T(0)) ? T(1) : T(0);
}
template <class T>
LBANN_HOST_DEVICE T within_unit(T x) {
  return x < T(0) ? T(0) : (x > T(1) ? T(1) : x);
}
template <class M, class T>
LBANN_HOST_DEVICE T round_away(T x) {
  const T whole = M::trunc(x);
  const T rest = x - whole;  // exact
  return whole + (rest >= T(0.5) ? T(1) : T(0)) - (rest <= T(-0.5) ? T(1) : T(0));
}
/// log(1 + exp(x)) without overflow or cancellation.
template <class M, class T>
LBANN_HOST_DEVICE T softplus_value(T x) {
  return (x < T(0) ? T(0) : x) + M::log1p(M::exp(-magnitude(x)));
}

// 0.5 (1 + tanh(u)) = sigmoid(2 u) keeps its digits where tanh is near -1. Beyond |x| = 20 the sigmoid
// is 0 or 1, so x may be kept from overflowing there.
template <class T>
LBANN_HOST_DEVICE T gelu_bounded(T x) {
  return x < T(-20) ? T(-20) : (x > T(20) ? T(20) : x);
}
template <class M, class T>
LBANN_HOST_DEVICE T gelu_gate(T t) {
  return T(1) / (T(1) + M::exp(T(-1.5957691216057308) * (t + T(0.044715) * t * t * t)));
}
template <class M, class T>
LBANN_HOST_DEVICE T gelu_value(T x) {
  return x * gelu_gate<M>(gelu_bounded(x));
}
template <class M, class T>
LBANN_HOST_DEVICE T gelu_gradient(T g, T x) {
  const T t = gelu_bounded(x);
  const T gate = gelu_gate<M>(t);
  const T slope = T(1.5957691216057308) * (T(1) + T(0.134145) * t * t);
  return g * (gate + t * slope * gate * (T(1) - gate));
}

}  // namespace scalar

#define LBANN_DEFINE_BODY(NAME, ARITY, EXPR)                                                           \
  struct NAME {                                                                                        \
    static constexpr int arity = ARITY;                                                                \
    template <class M, class T>                                                                        \
    static LBANN_HOST_DEVICE T apply([[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] T z, \
                                     [[maybe_unused]] T a, [[maybe_unused]] T b) {                     \
      return EXPR;                                                                                     \
    }                                                                                                  \
  };
namespace scalar {
LBANN_SCALAR_FUNCTIONS(LBANN_DEFINE_BODY)
}
#undef LBANN_DEFINE_BODY

/// Number of a scalar function, in the table's order: what interpreters switch on.
enum class ScalarId : int {
#define LBANN_SCALAR_ID(NAME, ARITY, EXPR) NAME,
  LBANN_SCALAR_FUNCTIONS(LBANN_SCALAR_ID)
#undef LBANN_SCALAR_ID
};

#define LBANN_COUNT_ONE(NAME, ARITY, EXPR) +1
inline constexpr int num_scalar_functions = 0 LBANN_SCALAR_FUNCTIONS(LBANN_COUNT_ONE);
#undef LBANN_COUNT_ONE

struct ScalarName {
  const char* name;
  int arity;
};
inline constexpr ScalarName scalar_names[] = {
#define LBANN_SCALAR_NAME(NAME, ARITY, EXPR) {#NAME, ARITY},
    LBANN_SCALAR_FUNCTIONS(LBANN_SCALAR_NAME)
#undef LBANN_SCALAR_NAME
};

}  // namespace lbann::kernels::shared
