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
  /* Losses (entrywise parts); the target decides: no term where it is 0, even if log(p) = -inf. */ \
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
