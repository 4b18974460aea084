// The table of scalar functions of the `ewise` primitive: name, arity, gradient.
//
// Tier 1 knows names and derivative rules; the bodies stand in kernels/shared/scalar_bodies.hpp,
// one text for CPU and GPU. A gradient is itself an expression of scalar functions: per operand
// the name of a function applied to a list of arguments taken from
//   'g' = cotangent, '0'..'3' = operands, 'y' = the result.
// Parameters `a` and `b` of the node are passed on to its gradient functions.
// A gradient without function is zero; functions that are constant but for jumps have it with the argument
// '0'. Functions with no gradient at all are the gradient functions: they are not differentiated again (their
// use in a differentiated place is an internal error).
#pragma once

#include <span>
#include <string_view>

namespace lbann::ops {

struct ScalarGradient {
  std::string_view fn;    // empty: no gradient
  std::string_view args;  // e.g. "gy": fn(cotangent, result)
};

struct ScalarFunction {
  std::string_view name;
  int arity;
  bool zero_at_zero;  // f(0,...,0) = 0: keeps the zero padding of blocked layouts by itself
  ScalarGradient gradient[3];
  std::string_view doc;
};

const ScalarFunction* try_scalar_function(std::string_view name);
const ScalarFunction& scalar_function(std::string_view name);  // throws base::Error (internal)
std::span<const ScalarFunction> all_scalar_functions();

}  // namespace lbann::ops
