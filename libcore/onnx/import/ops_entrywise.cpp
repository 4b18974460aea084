// ONNX operators that act on every entry: functions, arithmetic, comparisons, activations.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

using T = ::onnx::TensorProto;

/// Operators of the same meaning on both sides.
struct Same {
  std::string_view onnx, ours;
};
constexpr Same unary_names[] = {{"Abs", "Abs"},
                                {"Neg", "Negative"},
                                {"Sqrt", "Sqrt"},
                                {"Exp", "Exp"},
                                {"Log", "Log"},
                                {"Tanh", "Tanh"},
                                {"Ceil", "Ceil"},
                                {"Floor", "Floor"},
                                {"Sin", "Sin"},
                                {"Cos", "Cos"},
                                {"Tan", "Tan"},
                                {"Asin", "Asin"},
                                {"Acos", "Acos"},
                                {"Atan", "Atan"},
                                {"Sinh", "Sinh"},
                                {"Cosh", "Cosh"},
                                {"Asinh", "Asinh"},
                                {"Acosh", "Acosh"},
                                {"Atanh", "Atanh"},
                                {"Erf", "Erf"},
                                {"Sign", "Sign"},
                                {"Not", "LogicalNot"},
                                {"Reciprocal", "Reciprocal"},
                                {"Softplus", "Softplus"},
                                {"Softsign", "Softsign"},
                                {"Sigmoid", "Sigmoid"}};
constexpr Same binary_names[] = {{"Add", "Add"},         {"Sub", "Subtract"},
                                 {"Mul", "Multiply"},    {"Equal", "Equal"},
                                 {"Less", "Less"},       {"LessOrEqual", "LessEqual"},
                                 {"Greater", "Greater"}, {"GreaterOrEqual", "GreaterEqual"},
                                 {"And", "LogicalAnd"},  {"Or", "LogicalOr"},
                                 {"Xor", "LogicalXor"}};

std::string_view name_of(std::string_view onnx) {
  for (const Same& s : unary_names) {
    if (s.onnx == onnx) return s.ours;
  }
  for (const Same& s : binary_names) {
    if (s.onnx == onnx) return s.ours;
  }
  return onnx;
}

bool is_truth(std::string_view op) {
  return op == "Equal" || op.starts_with("Less") || op.starts_with("Greater") || op == "And" || op == "Or" ||
         op == "Xor" || op == "Not" || op == "IsNaN" || op == "IsInf";
}

void out_truth(Op& op, Value y) {
  y.type = T::BOOL;
  op.out(std::move(y));
}

void import_unary(Op& op) {
  Value y = op.net().unary(name_of(op.type()), op.in(0));
  if (is_truth(op.type())) y.type = T::BOOL;
  op.out(y);
}

/// Old operator sets (below 7) had their own broadcasting.
void check_broadcast(const Op& op) {
  if (op.attr("broadcast", 0) != 0 && op.has_attr("axis") && op.attr("axis", 0) >= 0) {
    refuse("broadcasting along an axis of operator sets below 7");
  }
}

void import_binary(Op& op) {
  check_broadcast(op);
  Value y = op.net().binary(name_of(op.type()), op.in(0), op.in(1));
  if (is_truth(op.type())) return out_truth(op, y);
  op.out(y);
}

/// Quotients of integers are cut to whole numbers.
Value cut(Network& n, const Value& x) {
  const Value size = n.unary("Floor", n.unary("Abs", x));
  return n.binary("Multiply", size, n.unary("Sign", x));
}

void import_div(Op& op) {
  check_broadcast(op);
  Value y = op.net().binary("Divide", op.in(0), op.in(1));
  if (is_integer(op.in(0).type)) y = cut(op.net(), y);
  op.out(y);
}

void import_pow(Op& op) { op.out(op.net().binary("Pow", op.in(0), op.in(1))); }

void import_mod(Op& op) {
  Network& n = op.net();
  if (op.attr("fmod", 0) != 0) return op.out(n.binary("Mod", op.in(0), op.in(1)));
  // The sign of the divisor: x - floor(x / y) y.
  const Value quotient = n.unary("Floor", n.binary("Divide", op.in(0), op.in(1)));
  op.out(n.binary("Subtract", op.in(0), n.binary("Multiply", quotient, op.in(1))));
}

template <const char* name>
void import_fold(Op& op) {
  Value y = op.in(0);
  for (std::size_t i = 1; i < op.num_inputs(); ++i) y = op.net().binary(name, y, op.in(i));
  op.out(y);
}
constexpr char add_name[] = "Add", max_name[] = "Max", min_name[] = "Min";

void import_mean(Op& op) {
  import_fold<add_name>(op);
  op.out(op.net().with_constant("Scale", op.outputs()[0], 1.0 / static_cast<double>(op.num_inputs())));
}

void import_where(Op& op) { op.out(op.net().select(op.in(0), op.in(1), op.in(2))); }

/// Halves go to the even neighbour, ours away from zero.
void import_round(Op& op) {
  Network& n = op.net();
  const Value& x = op.in(0);
  const Value is_half = n.with_constant("EqualConstant", n.binary("Subtract", x, n.unary("Floor", x)), 0.5);
  const Value even = n.with_constant("Scale", n.unary("Round", n.with_constant("Scale", x, 0.5)), 2);
  op.out(n.select(is_half, even, n.unary("Round", x)));
}

void import_is_nan(Op& op) { out_truth(op, op.net().binary("NotEqual", op.in(0), op.in(0))); }

void import_is_inf(Op& op) {
  Network& n = op.net();
  const double inf = std::numeric_limits<double>::infinity();
  const bool negative = op.attr("detect_negative", 1) != 0, positive = op.attr("detect_positive", 1) != 0;
  Value y = negative && positive ? n.unary("Abs", op.in(0)) : op.in(0);
  if (!negative && !positive) return out_truth(op, n.fill(0, op.in(0).dims, T::BOOL, op.in(0).batched));
  out_truth(op, n.with_constant("EqualConstant", y, positive ? inf : -inf));
}

void cast_to(Op& op, int to) {
  Network& n = op.net();
  if (!is_real(to) && !is_integer(to)) refuse("a cast to " + type_name(to));
  if (op.in(0).constant != nullptr) {
    if (op.in(0).type == to) return op.out(op.in(0));
    if (const ConstantPtr c = fold_cast(*op.in(0).constant, to)) return op.out(Network::of(c));
  }
  Value y = n.materialize(op.in(0));
  if (to == T::BOOL && y.type != T::BOOL) {
    y = n.with_constant("NotEqualConstant", y, 0);
  } else if (is_integer(to) && is_real(y.type)) {
    y = cut(n, y);
  }
  y.type = to;
  op.out(y);
}

void import_cast(Op& op) { cast_to(op, static_cast<int>(op.attr("to", 0))); }
void import_cast_like(Op& op) { cast_to(op, op.in(1).type); }

void import_same(Op& op) { op.out(op.in(0)); }

// ---- activations --------------------------------------------------------------------------------

void import_relu(Op& op) { op.out(op.net().activation("relu", op.in(0))); }

void import_leaky_relu(Op& op) {
  Network& n = op.net();
  const double alpha = op.attr_real("alpha", 0.01);
  // 0 would mean our default.
  op.out(alpha == 0 ? n.activation("relu", op.in(0)) : n.activation("leaky_relu", op.in(0), alpha));
}

Value elu(Network& n, const Value& x, double alpha) {
  if (alpha != 0) return n.activation("elu", x, alpha);
  return n.activation("relu", x);
}

void import_elu(Op& op) { op.out(elu(op.net(), op.in(0), op.attr_real("alpha", 1))); }

void import_selu(Op& op) {
  Network& n = op.net();
  const double alpha = op.attr_real("alpha", 1.67326319217681884765625),
               gamma = op.attr_real("gamma", 1.05070102214813232421875);
  if (!op.has_attr("alpha") && !op.has_attr("gamma")) return op.out(n.unary("Selu", op.in(0)));
  op.out(n.with_constant("Scale", elu(n, op.in(0), alpha), gamma));
}

/// max(x, 0) + min(0, alpha (exp(x / alpha) - 1))
void import_celu(Op& op) {
  Network& n = op.net();
  const double alpha = op.attr_real("alpha", 1);
  const Value inner = n.activation("elu", n.with_constant("Scale", op.in(0), 1 / alpha), 1);
  op.out(n.with_constant("Scale", inner, alpha));
}

void import_prelu(Op& op) {
  Network& n = op.net();
  const Value negative = n.with_constant("MinConstant", op.in(0), 0);
  op.out(n.binary("Add", n.activation("relu", op.in(0)), n.binary("Multiply", negative, op.in(1))));
}

void import_thresholded_relu(Op& op) {
  Network& n = op.net();
  const Value above = n.with_constant("GreaterConstant", op.in(0), op.attr_real("alpha", 1));
  op.out(n.select(above, op.in(0), Network::known({}, std::vector<double>{0})));
}

void import_hard_sigmoid(Op& op) {
  Network& n = op.net();
  const Value line =
      n.with_constant("AddConstant", n.with_constant("Scale", op.in(0), op.attr_real("alpha", 0.2)),
                      op.attr_real("beta", 0.5));
  op.out(n.clamp(line, 0, 1));
}

void import_hard_swish(Op& op) {
  Network& n = op.net();
  const Value line = n.with_constant("AddConstant", n.with_constant("Scale", op.in(0), 1.0 / 6), 0.5);
  op.out(n.binary("Multiply", op.in(0), n.clamp(line, 0, 1)));
}

void import_mish(Op& op) {
  Network& n = op.net();
  op.out(n.binary("Multiply", op.in(0), n.unary("Tanh", n.unary("Softplus", op.in(0)))));
}

void import_gelu(Op& op) {
  Network& n = op.net();
  if (op.attr_text("approximate", "none") == "tanh") return op.out(n.unary("Gelu", op.in(0)));
  const Value half = n.with_constant("Scale", op.in(0), 0.5);
  const Value erf = n.unary("Erf", n.with_constant("Scale", op.in(0), 0.70710678118654752));
  op.out(n.binary("Multiply", half, n.with_constant("AddConstant", erf, 1)));
}

void import_shrink(Op& op) {
  Network& n = op.net();
  const double lambd = op.attr_real("lambd", 0.5), bias = op.attr_real("bias", 0);
  const Value zero = Network::known({}, std::vector<double>{0});
  const Value above = n.select(n.with_constant("GreaterConstant", op.in(0), lambd),
                               n.with_constant("AddConstant", op.in(0), -bias), zero);
  op.out(n.select(n.with_constant("LessConstant", op.in(0), -lambd),
                  n.with_constant("AddConstant", op.in(0), bias), above));
}

void import_clip(Op& op) {
  Network& n = op.net();
  const double inf = std::numeric_limits<double>::infinity();
  double low = op.attr_real("min", -inf), high = op.attr_real("max", inf);
  if ((op.has(1) && op.in(1).constant == nullptr) || (op.has(2) && op.in(2).constant == nullptr)) {
    Value y = op.in(0);
    if (op.has(1)) y = n.binary("Max", y, op.in(1));
    if (op.has(2)) y = n.binary("Min", y, op.in(2));
    return op.out(y);
  }
  if (op.has(1)) low = op.scalar(1, "min");
  if (op.has(2)) high = op.scalar(2, "max");
  if (low == 0 && high == inf && is_real(op.in(0).type)) return op.out(n.activation("relu", op.in(0)));
  if (low == -inf && high == inf) return op.out(op.in(0));
  if (high == inf) return op.out(n.with_constant("MaxConstant", op.in(0), low));
  if (low == -inf) return op.out(n.with_constant("MinConstant", op.in(0), high));
  op.out(n.clamp(op.in(0), low, high));
}

void import_dropout(Op& op) {
  Network& n = op.net();
  const double ratio = op.has(1) ? op.scalar(1, "the ratio") : op.attr_real("ratio", 0.5);
  if (op.wants(1)) {
    Value mask = op.in(0);
    if (mask.constant != nullptr) mask = n.materialize(mask);
    mask = n.fill(1, mask.dims, T::BOOL, mask.batched);
    op.out(1, mask);
  }
  if (ratio == 0) return op.out(op.in(0));
  if (!(ratio > 0 && ratio < 1)) refuse(fmt::format("ratio = {}", ratio));
  const Value x = n.materialize(op.in(0));
  const Value y = n.add("dropout", {x}, x.dims, x.batched, x.type);
  n.message(y).mutable_dropout()->set_keep_prob(1 - ratio);
  op.out(y);
}

}  // namespace

std::vector<OpRow> entrywise_ops() {
  std::vector<OpRow> rows{
      {"Div", "operator Divide", import_div},
      {"Pow", "operator Pow", import_pow},
      {"Mod", "operators Mod, or Divide, Floor", import_mod},
      {"Sum", "operator Add", import_fold<add_name>},
      {"Max", "operator Max", import_fold<max_name>},
      {"Min", "operator Min", import_fold<min_name>},
      {"Mean", "operators Add, Scale", import_mean},
      {"Where", "operator Select", import_where},
      {"Round", "operators Round, Select", import_round},
      {"IsNaN", "operator NotEqual", import_is_nan},
      {"IsInf", "operator EqualConstant", import_is_inf},
      {"Cast", "nothing, or operators that cut or compare", import_cast, "texts"},
      {"CastLike", "as Cast", import_cast_like},
      {"Identity", "nothing", import_same},
      {"Relu", "relu", import_relu},
      {"LeakyRelu", "leaky_relu", import_leaky_relu},
      {"Elu", "elu", import_elu},
      {"Selu", "operator Selu, or elu", import_selu},
      {"Celu", "elu", import_celu},
      {"PRelu", "relu, operators", import_prelu},
      {"ThresholdedRelu", "operator Select", import_thresholded_relu},
      {"HardSigmoid", "operator Clamp", import_hard_sigmoid},
      {"HardSwish", "operator Clamp", import_hard_swish},
      {"Mish", "operators Tanh, Softplus", import_mish},
      {"Gelu", "operator Gelu or Erf", import_gelu},
      {"Shrink", "operator Select", import_shrink},
      {"Clip", "operator Clamp", import_clip},
      {"Dropout", "dropout", import_dropout, "a ratio that is computed"},
  };
  for (const Same& s : unary_names) rows.push_back({s.onnx, "operator of that name", import_unary});
  for (const Same& s : binary_names) rows.push_back({s.onnx, "operator of that name", import_binary});
  return rows;
}

}  // namespace lbann::onnx
