// Entrywise layers of an imported network, with ONNX's broadcasting. See network.hpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/network.hpp"
#include "operators.pb.h"

namespace lbann::onnx {

using T = ::onnx::TensorProto;

/// `parameters`: the serialized message of the operator.
Value Network::operator_layer(std::string_view op, const std::vector<Value>& parents,
                              const std::string& parameters, const Value& like) {
  const Value v = add(std::string(op), parents, like.dims, like.batched, like.type);
  google::protobuf::Any& any = *message(v).mutable_operator_layer()->add_ops()->mutable_parameters();
  any.set_type_url(fmt::format("type.googleapis.com/lbann_data.{}Operator", op));
  any.set_value(parameters);
  return v;
}

Value Network::unary(std::string_view op, const Value& x) {
  if (x.constant != nullptr) {
    if (ConstantPtr c = fold_unary(op, *x.constant)) return of(c);
  }
  const Value in = materialize(x);
  return operator_layer(op, {in}, {}, in);
}

Value Network::with_constant(std::string_view op, const Value& x, double constant) {
  if (x.constant != nullptr) {
    std::string_view plain = op == "Scale" ? "Multiply" : op.substr(0, op.find("Constant"));
    const Value c = known({}, std::vector<double>{constant});
    const Value whole = known({}, std::vector<std::int64_t>{static_cast<std::int64_t>(constant)});
    const bool integer = is_integer(x.type) && constant == std::floor(constant) && std::abs(constant) < 1e15;
    if (!op.starts_with("Constant")) {
      if (ConstantPtr y = fold_binary(plain, *x.constant, integer ? *whole.constant : *c.constant))
        return of(y);
    }
  }
  const Value in = materialize(x);
  // The field `constant` has the same number in all messages that have one.
  lbann_data::AddConstantOperator p;
  p.set_constant(constant);
  return operator_layer(op, {in}, p.SerializeAsString(), in);
}

Value Network::clamp(const Value& x, double low, double high) {
  const Value in = materialize(x);
  if (std::isnan(low) || std::isnan(high) || low > high) {
    // ONNX: min above max gives max everywhere.
    return with_constant("MinConstant", with_constant("MaxConstant", x, low), high);
  }
  lbann_data::ClampOperator p;
  p.set_min(low);
  p.set_max(high);
  return operator_layer("Clamp", {in}, p.SerializeAsString(), in);
}

Value Network::activation(std::string_view kind, const Value& x, double parameter) {
  const Value in = materialize(x);
  const Value v = add(std::string(kind), {in}, in.dims, in.batched, in.type);
  if (kind == "relu") message(v).mutable_relu();
  if (kind == "leaky_relu") message(v).mutable_leaky_relu()->set_negative_slope(parameter);
  if (kind == "elu") message(v).mutable_elu()->set_alpha(parameter);
  return v;
}

Value Network::binary(std::string_view op, const Value& a, const Value& b) {
  struct Folded {
    std::string_view op, right, left;  // with the constant as second or as first operand; "": none
  };
  static constexpr Folded folded[] = {{"Add", "AddConstant", "AddConstant"},
                                      {"Subtract", "SubtractConstant", "ConstantSubtract"},
                                      {"Multiply", "Scale", "Scale"},
                                      {"Max", "MaxConstant", "MaxConstant"},
                                      {"Min", "MinConstant", "MinConstant"},
                                      {"Equal", "EqualConstant", "EqualConstant"},
                                      {"NotEqual", "NotEqualConstant", "NotEqualConstant"},
                                      {"Less", "LessConstant", "GreaterConstant"},
                                      {"LessEqual", "LessEqualConstant", "GreaterEqualConstant"},
                                      {"Greater", "GreaterConstant", "LessConstant"},
                                      {"GreaterEqual", "GreaterEqualConstant", "LessEqualConstant"}};
  const Dims dims = broadcast(a.dims, b.dims);
  if (a.constant != nullptr && b.constant != nullptr) {
    if (ConstantPtr c = fold_binary(op, *a.constant, *b.constant)) return of(c);
  }
  for (const bool right : {true, false}) {
    const Value &x = right ? a : b, &c = right ? b : a;
    // Parameters that happen to be equal stay weights.
    double value = 0;
    const bool scalar = c.constant != nullptr && x.constant == nullptr && x.dims == dims &&
                        !(is_real(c.type) && !c.constant->name().empty() && c.constant->size() > 1) &&
                        c.constant->size() <= 4096 && c.constant->is_uniform(value);
    if (!scalar) continue;
    if (op == "Divide" && right && value != 0) {
      // By a power of two the product is exact; otherwise the quotient stays one.
      int exponent = 0;
      if (std::abs(std::frexp(value, &exponent)) == 0.5) return with_constant("Scale", x, 1 / value);
    }
    if (op == "Pow" && right && value == 2) return unary("Square", x);
    if (op == "Pow" && right && value == 0.5) return unary("Sqrt", x);
    for (const Folded& f : folded) {
      const std::string_view name = right ? f.right : f.left;
      if (f.op == op && !name.empty()) return with_constant(name, x, value);
    }
  }
  Value like = expand(materialize(a), dims);
  const Value other = expand(materialize(b), dims);
  const std::vector<Value> parents{like, other};
  like.batched = like.batched || other.batched;
  return operator_layer(op, parents, {}, like);
}

Value Network::select(const Value& condition, const Value& a, const Value& b) {
  const Dims dims = broadcast(broadcast(condition.dims, a.dims), b.dims);
  if (condition.constant != nullptr && a.constant != nullptr && b.constant != nullptr) {
    if (ConstantPtr c = fold_select(*condition.constant, *a.constant, *b.constant)) return of(c);
  }
  lbann_data::SelectOperator p;
  p.set_value(0);  // where the condition is 0 take b
  p.set_epsilon(0.5);
  std::vector<Value> parents{expand(materialize(condition), dims)};
  double value = 0;
  const auto branch = [&](const Value& v) {
    const bool is_constant =
        v.constant != nullptr && v.constant->size() <= 4096 && v.constant->is_uniform(value);
    if (!is_constant) parents.push_back(expand(materialize(v), dims));
    return is_constant;
  };
  if (branch(b)) {
    p.set_constant_if_true(true);
    p.set_value_if_true(value);
  }
  if (branch(a)) {
    p.set_constant_if_false(true);
    p.set_value_if_false(value);
  }
  Value like = parents.front();
  like.type = a.type;
  for (const Value& v : parents) like.batched = like.batched || v.batched;
  return operator_layer("Select", parents, p.SerializeAsString(), like);
}

}  // namespace lbann::onnx
