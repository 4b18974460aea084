// Names, arities and derivative rules of the scalar functions (definitions: reference facts of
// LBANN's operators, and calculus).
#include "ops/scalar_functions.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::ops {
namespace {

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
    {"eq", 2, false, {}, "x == y ? 1 : 0"},
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
    // Losses (entrywise parts).
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
