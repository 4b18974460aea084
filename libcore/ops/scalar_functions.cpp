// Names, arities and derivative rules of the scalar functions (definitions: reference facts of
// LBANN's operators, and calculus).
#include "ops/scalar_functions.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::ops {
namespace {

// The zero gradient of functions that are constant but for jumps, as opposed to no rule at all.
constexpr ScalarGradient step{"", "0"};

constexpr ScalarFunction table[] = {
    // Arithmetic.
    {"identity", 1, true, {{"identity", "g"}}, "x"},
    {"neg", 1, true, {{"neg", "g"}}, "-x"},
    {"add", 2, true, {{"identity", "g"}, {"identity", "g"}}, "x + y"},
    {"sub", 2, true, {{"identity", "g"}, {"neg", "g"}}, "x - y"},
    {"mul", 2, true, {{"mul", "g1"}, {"mul", "g0"}}, "x * y"},
    {"div", 2, false, {{"div", "g1"}, {"div_grad1", "g1y"}}, "x / y"},
    {"div_grad1", 3, false, {}, "-g * y / x1"},
    {"scale", 1, true, {{"scale", "g"}}, "a * x"},
    {"affine", 1, false, {{"scale", "g"}}, "a * x + b"},
    {"square", 1, true, {{"square_grad", "g0"}}, "x * x"},
    {"square_grad", 2, true, {}, "2 * x * g"},
    {"abs", 1, true, {{"sign_mul", "g0"}}, "|x|"},
    {"sign_mul", 2, true, {}, "g * sign(x), 0 at 0"},
    {"sqrt", 1, true, {{"sqrt_grad", "gy"}}, "sqrt(x)"},
    {"sqrt_grad", 2, false, {}, "g / (2 y)"},
    {"rsqrt", 1, false, {{"rsqrt_grad", "gy"}}, "1 / sqrt(x)"},
    {"rsqrt_grad", 2, true, {}, "-g y^3 / 2"},
    {"exp", 1, false, {{"mul", "gy"}}, "exp(x)"},
    {"log", 1, false, {{"div", "g0"}}, "log(x)"},
    {"max2", 2, true, {{"mul_ge", "g01"}, {"mul_lt", "g01"}}, "max(x, y); NaN wins"},
    {"min2", 2, true, {{"mul_le", "g01"}, {"mul_gt", "g01"}}, "min(x, y); NaN wins"},
    {"mul_ge", 3, true, {}, "x >= y ? g : 0"},
    {"mul_lt", 3, true, {}, "x < y ? g : 0"},
    {"mul_le", 3, true, {}, "x <= y ? g : 0"},
    {"mul_gt", 3, true, {}, "x > y ? g : 0"},
    {"eq", 2, false, {step}, "x == y ? 1 : 0"},
    {"where", 3, true, {{}, {"where_first", "0g"}, {"where_second", "0g"}}, "c != 0 ? x : y"},
    {"where_first", 2, true, {}, "c != 0 ? g : 0"},
    {"where_second", 2, true, {}, "c != 0 ? 0 : g"},
    // Activations.
    {"relu", 1, true, {{"relu_grad", "gy"}}, "max(x, 0); NaN stays NaN"},
    {"relu_grad", 2, true, {}, "y > 0 ? g : 0"},
    {"leaky_relu", 1, true, {{"leaky_relu_grad", "g0"}}, "x > 0 ? x : a x"},
    {"leaky_relu_grad", 2, true, {}, "x > 0 ? g : a g"},
    {"elu", 1, true, {{"elu_grad", "g0"}}, "x > 0 ? x : a (exp(x) - 1)"},
    {"elu_grad", 2, true, {}, "x > 0 ? g : g a exp(x)"},
    {"sigmoid", 1, false, {{"sigmoid_grad", "gy"}}, "1 / (1 + exp(-x))"},
    {"sigmoid_grad", 2, true, {}, "g y (1 - y)"},
    {"tanh", 1, true, {{"tanh_grad", "gy"}}, "tanh(x)"},
    {"tanh_grad", 2, true, {}, "g (1 - y^2)"},
    {"gelu", 1, true, {{"gelu_grad", "g0"}}, "x sigmoid(2 c (x + 0.044715 x^3)), c = sqrt(2 / pi)"},
    {"gelu_grad", 2, true, {}, "g gelu'(x)"},
    {"selu", 1, true, {{"selu_grad", "g0"}}, "s x for x > 0, else s alpha (exp(x) - 1)"},
    {"selu_grad", 2, true, {}, "g s, or g s alpha exp(x)"},
    {"softplus", 1, false, {{"softplus_grad", "g0"}}, "log(1 + exp(x))"},
    {"softplus_grad", 2, true, {}, "g / (1 + exp(-x))"},
    {"log_sigmoid", 1, false, {{"log_sigmoid_grad", "g0"}}, "-log(1 + exp(-x))"},
    {"log_sigmoid_grad", 2, true, {}, "g / (1 + exp(x))"},
    {"softsign", 1, true, {{"softsign_grad", "g0"}}, "x / (1 + |x|)"},
    {"softsign_grad", 2, true, {}, "g / (1 + |x|)^2"},
    {"clamp", 1, false, {{"clamp_grad", "g0"}}, "x kept within [a, b]"},
    {"clamp_grad", 2, true, {}, "a < x < b ? g : 0"},
    // Elementary functions.
    {"expm1", 1, true, {{"mul_exp", "g0"}}, "exp(x) - 1"},
    {"mul_exp", 2, true, {}, "g exp(x)"},
    {"log1p", 1, true, {{"log1p_grad", "g0"}}, "log(1 + x)"},
    {"log1p_grad", 2, true, {}, "g / (1 + x)"},
    {"sin", 1, true, {{"mul_cos", "g0"}}, "sin(x)"},
    {"mul_cos", 2, true, {}, "g cos(x)"},
    {"cos", 1, false, {{"cos_grad", "g0"}}, "cos(x)"},
    {"cos_grad", 2, true, {}, "-g sin(x)"},
    {"tan", 1, true, {{"tan_grad", "gy"}}, "tan(x)"},
    {"tan_grad", 2, true, {}, "g (1 + y^2)"},
    {"asin", 1, true, {{"asin_grad", "g0"}}, "asin(x)"},
    {"asin_grad", 2, true, {}, "g / sqrt(1 - x^2)"},
    {"acos", 1, false, {{"acos_grad", "g0"}}, "acos(x)"},
    {"acos_grad", 2, true, {}, "-g / sqrt(1 - x^2)"},
    {"atan", 1, true, {{"atan_grad", "g0"}}, "atan(x)"},
    {"atan_grad", 2, true, {}, "g / (1 + x^2)"},
    {"sinh", 1, true, {{"mul_cosh", "g0"}}, "sinh(x)"},
    {"mul_cosh", 2, true, {}, "g cosh(x)"},
    {"cosh", 1, false, {{"mul_sinh", "g0"}}, "cosh(x)"},
    {"mul_sinh", 2, true, {}, "g sinh(x)"},
    {"asinh", 1, true, {{"asinh_grad", "g0"}}, "asinh(x)"},
    {"asinh_grad", 2, true, {}, "g / sqrt(1 + x^2)"},
    {"acosh", 1, false, {{"acosh_grad", "g0"}}, "acosh(x)"},
    {"acosh_grad", 2, false, {}, "g / (sqrt(x - 1) sqrt(x + 1))"},
    {"atanh", 1, true, {{"atanh_grad", "g0"}}, "atanh(x)"},
    {"atanh_grad", 2, true, {}, "g / (1 - x^2)"},
    {"erf", 1, true, {{"erf_grad", "g0"}}, "erf(x)"},
    {"erf_grad", 2, true, {}, "g 2 / sqrt(pi) exp(-x^2)"},
    {"erfinv", 1, true, {{"erfinv_grad", "g0y"}}, "inverse of erf; +-inf from +-1 on"},
    {"erfinv_grad", 3, true, {}, "|x| < 1 ? g sqrt(pi) / 2 exp(y^2) : 0"},
    {"reciprocal", 1, false, {{"reciprocal_grad", "gy"}}, "1 / x"},
    {"reciprocal_grad", 2, true, {}, "-g y^2, 0 where g = 0"},
    {"safe_reciprocal", 1, true, {{"reciprocal_grad", "gy"}}, "1 / x, 0 where that is not finite"},
    // Steps: constant between jumps.
    {"sign", 1, true, {step}, "-1, 0 or 1; 0 for NaN"},
    {"round", 1, true, {step}, "to the nearest integer, halves away from zero"},
    {"ceil", 1, true, {step}, "smallest integer >= x"},
    {"floor", 1, true, {step}, "largest integer <= x"},
    {"logical_not", 1, false, {step}, "x is 0 or NaN ? 1 : 0"},
    {"uniform_hash", 1, false, {step}, "MD5 of the bytes of x as a number in [0, 1]"},
    {"near", 1, false, {step}, "|x - a| < b ? 1 : 0"},
    {"ne", 2, true, {step}, "x == y ? 0 : 1"},
    {"less", 2, true, {step}, "x < y ? 1 : 0"},
    {"less_equal", 2, false, {step}, "x <= y ? 1 : 0"},
    {"greater", 2, true, {step}, "x > y ? 1 : 0"},
    {"greater_equal", 2, false, {step}, "x >= y ? 1 : 0"},
    {"logical_and", 2, true, {step}, "both neither 0 nor NaN ? 1 : 0"},
    {"logical_or", 2, true, {step}, "one neither 0 nor NaN ? 1 : 0"},
    {"logical_xor", 2, true, {step}, "exactly one neither 0 nor NaN ? 1 : 0"},
    {"boolean_accuracy", 2, false, {step}, "x >= 0.5 equals y >= 0.5 ? 1 : 0"},
    {"boolean_false_negative", 2, true, {step}, "x < 0.5 (or NaN) and y >= 0.5 ? 1 : 0"},
    {"boolean_false_positive", 2, true, {step}, "x >= 0.5 and y < 0.5 (or NaN) ? 1 : 0"},
    // Binary functions.
    {"maximum", 2, true, {{"maximum_grad", "g01"}, {"maximum_grad", "g10"}}, "max(x, y); NaN wins"},
    {"maximum_grad", 3, true, {}, "x > y ? g : x == y ? g / 2 : 0"},
    {"minimum", 2, true, {{"minimum_grad", "g01"}, {"minimum_grad", "g10"}}, "min(x, y); NaN wins"},
    {"minimum_grad", 3, true, {}, "x < y ? g : x == y ? g / 2 : 0"},
    {"mod", 2, false, {{"identity", "g"}, {"mod_grad1", "g01"}}, "remainder of x / y with the sign of x"},
    {"mod_grad1", 3, false, {}, "-g floor(x / y)"},
    {"pow", 2, false, {{"pow_grad0", "g01"}, {"pow_grad1", "g0y"}}, "x^y"},
    {"pow_grad0", 3, false, {}, "g y x^(y - 1)"},
    {"pow_grad1", 3, false, {}, "g log(x) x^y"},
    {"safe_div", 2, true, {{"safe_div_grad0", "g01"}, {"safe_div_grad1", "g01"}}, "x / y, 0 if not finite"},
    {"safe_div_grad0", 3, true, {}, "x / y is finite ? g / y : 0"},
    {"safe_div_grad1", 3, true, {}, "x / y is finite ? -g x / y^2 : 0"},
    // Losses (entrywise parts).
    {"bce",
     2,
     false,
     {{"bce_grad0", "g01"}, {"bce_grad1", "g01"}},
     "(t > 0 ? -t log(p) : 0) + (t < 1 ? -(1 - t) log(1 - p) : 0)"},
    {"bce_grad0", 3, false, {}, "d/dp, 0 where g = 0"},
    {"bce_grad1", 3, false, {}, "d/dt, 0 where g = 0"},
    {"sigmoid_bce",
     2,
     false,
     {{"sigmoid_bce_grad0", "g01"}, {"sigmoid_bce_grad1", "g01"}},
     "bce of sigmoid(x) and t kept within [0, 1]"},
    {"sigmoid_bce_grad0", 3, true, {}, "g (sigmoid(x) - t kept within [0, 1])"},
    {"sigmoid_bce_grad1", 3, true, {}, "0 <= t <= 1 ? -g x : 0"},
    {"xent", 2, true, {{"xent_grad0", "g01"}, {"xent_grad1", "g0"}}, "t > 0 ? -t log(p) : 0"},
    {"xent_grad0", 3, true, {}, "t > 0 ? -g t / p : 0"},
    {"xent_grad1", 2, false, {}, "-g log(p)"},
    {"xent_log", 2, true, {{"xent_log_grad0", "g1"}, {"neg_mul", "g0"}}, "t > 0 ? -t lp : 0, lp = log p"},
    {"xent_log_grad0", 2, true, {}, "t > 0 ? -g t : 0"},
    {"neg_mul", 2, true, {}, "-g x"},
    // Batch norm: running' = a * running + (1 - a) * batch; var -> Bessel-corrected, clamped below.
    {"lerp", 2, true, {{"scale", "g"}, {"scale_rest", "g"}}, "a x + (1 - a) y"},
    {"scale_rest", 1, true, {}, "(1 - a) g"},
    {"scale_clamp", 1, false, {{"scale_clamp_grad", "g0"}}, "max(a x, b)"},
    {"scale_clamp_grad", 2, true, {}, "a x > b ? a g : 0"},
};

}  // namespace

std::span<const ScalarFunction> all_scalar_functions() { return table; }

const ScalarFunction* try_scalar_function(std::string_view name) {
  for (const ScalarFunction& f : table) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

const ScalarFunction& scalar_function(std::string_view name) {
  const ScalarFunction* f = try_scalar_function(name);
  if (f == nullptr) {
    throw base::Error(base::ExitCode::internal, fmt::format("no scalar function '{}'", name));
  }
  return *f;
}

}  // namespace lbann::ops
