// Central differences against the gradient rules of ops/, in double on the naive kernels.
//
// A case is a small graph of f64 values. L = sum over outputs of c * y with fixed random c; the rules
// give dL/dx for every operand asked for, the numeric side is (L(x + h) - L(x - h)) / 2h per element.
// With h = 1e-5 and values of order 1 the truncation error is about 1e-10 and the rounding error
// 1e-16 |L| / h = 1e-10: the tolerance 1e-7 leaves room for third derivatives of a few hundred.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/builder.hpp"

namespace lbann::gradients {

using graph::ValueId;
using tensor::Shape;

struct Operand {
  Shape shape;
  std::vector<double> values;
  bool wanted = true;  // compare its gradient
};

/// Makes the outputs from the operands.
using Build = std::function<std::vector<ValueId>(ops::Builder&, const std::vector<ValueId>&)>;

/// `count` values of either sign, 0.2 to 1.2 in magnitude and at least 0.01 apart from each other and
/// from their negatives, so that no maximum or kink lies within h; with `positive` all above 0.
Operand make_operand(Shape shape, std::uint64_t seed, bool positive = false);

struct Comparison {
  int compared = 0;          // elements
  int nonzero = 0;           // of them with a gradient above 1e-3
  double largest_error = 0;  // |analytic - numeric| / max(1, |numeric|); infinite for NaN or a missing rule
  std::string worst;         // "operand 1 [3]: analytic .., numeric .."
};

Comparison compare(const std::vector<Operand>& operands, const Build& build);

}  // namespace lbann::gradients
