// operator_layer in ONNX: operators of the same name, and those that are written out. LBANN's truth values
// are the numbers 0 and 1, so comparisons are cast.
#include <limits>
#include <map>

#include <fmt/format.h>

#include "onnx/mapping_families.hpp"
#include "onnx/mapping_helpers.hpp"
#include "operators.pb.h"

namespace lbann::onnx {
namespace {

/// 1 where the two are equal (or, `negate`, where not), else 0.
void add_comparison(GraphWriter& w, const MappedLayer& l, const std::string& other, bool negate) {
  std::string truth = inner(w, l, "equal");
  w.add_node("Equal", {x(l), other}, truth);
  if (negate) {
    const std::string no = inner(w, l, "not");
    w.add_node("Not", {truth}, no);
    truth = no;
  }
  set_attribute(w.add_node("Cast", {truth}, y(l)), "to", std::int64_t{::onnx::TensorProto::FLOAT});
}

/// LBANN keeps a sigmoid off 0 and 1 by the machine epsilon.
void add_sigmoid(GraphWriter& w, const MappedLayer& l) {
  const double eps = double{std::numeric_limits<float>::epsilon()};
  const std::string open = inner(w, l, "sigmoid");
  w.add_node("Sigmoid", {x(l)}, open);
  const std::string low = add_constant(w, l, "low", eps), high = add_constant(w, l, "high", 1 - eps);
  w.add_node("Clip", {open, low, high}, y(l));
}

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
void add_gelu(GraphWriter& w, const MappedLayer& l) {
  const auto step = [&](const char* op, std::vector<std::string> operands) {
    const std::string to = inner(w, l, "gelu");
    w.add_node(op, operands, to);
    return to;
  };
  const std::string cube = step("Mul", {step("Mul", {x(l), x(l)}), x(l)});
  const std::string sum = step("Add", {x(l), step("Mul", {cube, add_constant(w, l, "cubic", 0.044715)})});
  const std::string bent =
      step("Tanh", {step("Mul", {sum, add_constant(w, l, "slope", 0.7978845608028654)})});
  const std::string gate = step("Add", {bent, add_constant(w, l, "one", 1)});
  w.add_node("Mul", {step("Mul", {x(l), add_constant(w, l, "half", 0.5)}), gate}, y(l));
}

/// The constant operand of an operator. Its field has the same number and type in all of them, so one message
/// stands for all.
template <class Message = lbann_data::AddConstantOperator>
Message message_of(const google::protobuf::Any& any) {
  Message message;
  message.ParseFromString(any.value());
  return message;
}

/// Comparisons, written in ONNX with a result of type bool.
void add_truth(Nodes& node, const std::string& truth) {
  node.result(node.cast(truth, ::onnx::TensorProto::FLOAT));
}

/// NaN is neither above nor below 0, so its sign is 0; ONNX's own Sign keeps it.
void add_sign(Nodes& node, const std::string& x) {
  const std::string zero = node.number(0);
  const std::string above = node.cast(node("Greater", {x, zero}), ::onnx::TensorProto::FLOAT);
  node.result(node("Sub", {above, node.cast(node("Less", {x, zero}), ::onnx::TensorProto::FLOAT)}));
}

/// NaN is false.
std::string is_true(Nodes& node, const std::string& value) {
  const std::string zero = node.number(0);
  return node("Or", {node("Less", {value, zero}), node("Greater", {value, zero})});
}

/// `value` where it is finite, else 0.
void add_finite_or_zero(Nodes& node, const std::string& value) {
  const std::string infinite = node("IsInf", {value}), nan = node("IsNaN", {value});
  node.result(node("Where", {node("Or", {infinite, nan}), node.number(0), value}));
}

/// Halves away from zero: sign(x) floor(|x| + 1/2). ONNX's own Round takes the even neighbour.
void add_round(Nodes& node, const std::string& x) {
  const std::string up = node("Floor", {node("Add", {node("Abs", {x}), node.number(0.5)})});
  node.result(node("Mul", {node("Sign", {x}), up}));
}

/// M. Giles, "Approximating the erfinv function", 2010, the single precision form: with w = -log((1-x)(1+x))
/// two polynomials of degree 8, in w - 2.5 below w = 5 and in sqrt(w) - 3 above.
void add_erfinv(Nodes& node, const std::string& x) {
  const auto horner = [&](const std::string& t, const std::vector<double>& coefficients) {
    std::string p = node.number(coefficients.front());
    for (std::size_t i = 1; i < coefficients.size(); ++i)
      p = node("Add", {node("Mul", {p, t}), node.number(coefficients[i])});
    return p;
  };
  const std::string one = node.number(1);
  const std::string w =
      node("Neg", {node("Log", {node("Mul", {node("Sub", {one, x}), node("Add", {one, x})})})});
  const std::string central =
      horner(node("Sub", {w, node.number(2.5)}),
             {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
              -0.00417768164, 0.246640727, 1.50140941});
  const std::string tail = horner(node("Sub", {node("Sqrt", {w}), node.number(3)}),
                                  {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844,
                                   0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682});
  const std::string p = node("Where", {node("Less", {w, node.number(5)}), central, tail});
  const std::string inside = node("Mul", {p, x});
  // At 1 and -1 the tail is inf - inf.
  const std::string end = node("Equal", {node("Abs", {x}), one});
  node.result(node("Where", {end, node("Div", {x, node.number(0)}), inside}));
}

std::string softplus(Nodes& node, const std::string& x) { return node("Softplus", {x}); }

/// -y log p - (1 - y) log(1 - p), no term where its factor is 0.
void add_binary_cross_entropy(Nodes& node, const std::string& p, const std::string& y) {
  const std::string zero = node.number(0), one = node.number(1);
  const std::string rest = node("Sub", {one, y});
  const std::string hit = node("Mul", {y, node("Log", {p})});
  const std::string miss = node("Mul", {rest, node("Log", {node("Sub", {one, p})})});
  const std::string a = node("Where", {node("Greater", {y, zero}), hit, zero});
  const std::string b = node("Where", {node("Less", {y, one}), miss, zero});
  node.result(node("Neg", {node("Add", {a, b})}));
}

void add_boolean(Nodes& node, const MappedLayer& l, const std::string& name) {
  const std::string half = node.number(0.5);
  const std::string a = node("GreaterOrEqual", {l.inputs[0], half}),
                    b = node("GreaterOrEqual", {l.inputs[1], half});
  if (name == "BooleanAccuracyOperator") return add_truth(node, node("Equal", {a, b}));
  const bool negative = name == "BooleanFalseNegativeOperator";
  add_truth(node, negative ? node("And", {node("Not", {a}), b}) : node("And", {a, node("Not", {b})}));
}

void add_select(Nodes& node, const MappedLayer& l, const google::protobuf::Any& any) {
  const auto p = message_of<lbann_data::SelectOperator>(any);
  std::size_t next = 1;
  const auto branch = [&](bool is_constant, double value) {
    return is_constant ? node.number(value) : l.inputs[next++];
  };
  const std::string if_true = branch(p.constant_if_true(), p.value_if_true());
  const std::string if_false = branch(p.constant_if_false(), p.value_if_false());
  const std::string distance = node("Abs", {node("Sub", {x(l), node.number(p.value())})});
  const std::string chosen = node("Less", {distance, node.number(p.epsilon())});
  // Two constants have no dims of their own.
  const std::string like = node("Mul", {x(l), node.number(0)});
  const bool constants = p.constant_if_true() && p.constant_if_false();
  const std::string value = node("Where", {chosen, if_true, if_false});
  node.result(constants ? node("Where", {node("Equal", {like, like}), value, value}) : value);
}

/// Operators that are written out; false: none of them.
bool try_composed(GraphWriter& w, const MappedLayer& l, const std::string& name,
                  const google::protobuf::Any& any) {
  Nodes node(w, l);
  static const std::map<std::string, std::string> comparisons{
      {"LessOperator", "Less"},
      {"LessEqualOperator", "LessOrEqual"},
      {"GreaterOperator", "Greater"},
      {"GreaterEqualOperator", "GreaterOrEqual"},
      {"LessConstantOperator", "Less"},
      {"LessEqualConstantOperator", "LessOrEqual"},
      {"GreaterConstantOperator", "Greater"},
      {"GreaterEqualConstantOperator", "GreaterOrEqual"}};
  static const std::map<std::string, std::string> logic{
      {"LogicalAndOperator", "And"}, {"LogicalOrOperator", "Or"}, {"LogicalXorOperator", "Xor"}};
  const auto second = [&] {
    return l.inputs.size() > 1 ? l.inputs[1] : node.number(message_of(any).constant());
  };
  if (const auto op = comparisons.find(name); op != comparisons.end()) {
    add_truth(node, node(op->second, {x(l), second()}));
  } else if (const auto op2 = logic.find(name); op2 != logic.end()) {
    const std::string a = is_true(node, l.inputs[0]);
    add_truth(node, node(op2->second, {a, is_true(node, l.inputs[1])}));
  } else if (name == "LogicalNotOperator") {
    add_truth(node, node("Not", {is_true(node, x(l))}));
  } else if (name == "SignOperator") {
    add_sign(node, x(l));
  } else if (name == "MaxConstantOperator" || name == "MinConstantOperator") {
    node.result(node(name == "MaxConstantOperator" ? "Max" : "Min", {x(l), second()}));
  } else if (name == "RoundOperator") {
    add_round(node, x(l));
  } else if (name == "SafeReciprocalOperator") {
    add_finite_or_zero(node, node("Reciprocal", {x(l)}));
  } else if (name == "SafeDivideOperator") {
    add_finite_or_zero(node, node("Div", l.inputs));
  } else if (name == "Expm1Operator") {
    node.result(node("Sub", {node("Exp", {x(l)}), node.number(1)}));
  } else if (name == "Log1pOperator") {
    node.result(node("Log", {node("Add", {x(l), node.number(1)})}));
  } else if (name == "ErfInvOperator") {
    add_erfinv(node, x(l));
  } else if (name == "LogSigmoidOperator") {
    node.result(node("Neg", {softplus(node, node("Neg", {x(l)}))}));
  } else if (name == "ModOperator") {
    node.result(node("Mod", l.inputs, "fmod", std::int64_t{1}));
  } else if (name == "BinaryCrossEntropyOperator") {
    add_binary_cross_entropy(node, l.inputs[0], l.inputs[1]);
  } else if (name == "SigmoidBinaryCrossEntropyOperator") {
    const std::string truth = node("Clip", {l.inputs[1], node.number(0), node.number(1)});
    node.result(node("Sub", {softplus(node, l.inputs[0]), node("Mul", {truth, l.inputs[0]})}));
  } else if (name.starts_with("Boolean")) {
    add_boolean(node, l, name);
  } else if (name == "ClampOperator") {
    const auto p = message_of<lbann_data::ClampOperator>(any);
    node.result(node("Clip", {x(l), node.number(p.min()), node.number(p.max())}));
  } else if (name == "SelectOperator") {
    add_select(node, l, any);
  } else {
    return false;
  }
  return true;
}

}  // namespace

void map_operator_layer(GraphWriter& w, const MappedLayer& l) {
  const google::protobuf::Any& any = params_of<Layer::OperatorLayer>(l).ops(0).parameters();
  const std::string name = any.type_url().substr(any.type_url().rfind('.') + 1);
  static const std::map<std::string, std::string> same{{"AbsOperator", "Abs"},
                                                       {"NegativeOperator", "Neg"},
                                                       {"SqrtOperator", "Sqrt"},
                                                       {"ExpOperator", "Exp"},
                                                       {"LogOperator", "Log"},
                                                       {"TanhOperator", "Tanh"},
                                                       {"AddOperator", "Add"},
                                                       {"SubtractOperator", "Sub"},
                                                       {"MultiplyOperator", "Mul"},
                                                       {"DivideOperator", "Div"},
                                                       {"CeilOperator", "Ceil"},
                                                       {"FloorOperator", "Floor"},
                                                       {"SinOperator", "Sin"},
                                                       {"CosOperator", "Cos"},
                                                       {"TanOperator", "Tan"},
                                                       {"AsinOperator", "Asin"},
                                                       {"AcosOperator", "Acos"},
                                                       {"AtanOperator", "Atan"},
                                                       {"SinhOperator", "Sinh"},
                                                       {"CoshOperator", "Cosh"},
                                                       {"AsinhOperator", "Asinh"},
                                                       {"AcoshOperator", "Acosh"},
                                                       {"AtanhOperator", "Atanh"},
                                                       {"ErfOperator", "Erf"},
                                                       {"ReciprocalOperator", "Reciprocal"},
                                                       {"SoftplusOperator", "Softplus"},
                                                       {"SoftsignOperator", "Softsign"},
                                                       {"SeluOperator", "Selu"},
                                                       {"PowOperator", "Pow"},
                                                       {"MaxOperator", "Max"},
                                                       {"MinOperator", "Min"}};
  static const std::map<std::string, std::string> with_constant{
      {"AddConstantOperator", "Add"}, {"SubtractConstantOperator", "Sub"}, {"ScaleOperator", "Mul"}};
  const auto constant = [&] { return add_constant(w, l, "constant", message_of(any).constant()); };
  if (const auto op = same.find(name); op != same.end()) {
    w.add_node(op->second, l.inputs, y(l));
  } else if (const auto op2 = with_constant.find(name); op2 != with_constant.end()) {
    w.add_node(op2->second, {x(l), constant()}, y(l));
  } else if (name == "ConstantSubtractOperator") {
    w.add_node("Sub", {constant(), x(l)}, y(l));
  } else if (name == "SquareOperator") {
    w.add_node("Mul", {x(l), x(l)}, y(l));
  } else if (name == "RsqrtOperator") {
    const std::string root = inner(w, l, "root");
    w.add_node("Sqrt", {x(l)}, root);
    w.add_node("Reciprocal", {root}, y(l));
  } else if (name == "SquaredDifferenceOperator") {
    const std::string difference = inner(w, l, "difference");
    w.add_node("Sub", l.inputs, difference);
    w.add_node("Mul", {difference, difference}, y(l));
  } else if (name == "SigmoidOperator") {
    add_sigmoid(w, l);
  } else if (name == "GeluOperator") {
    add_gelu(w, l);
  } else if (name == "EqualOperator" || name == "NotEqualOperator") {
    add_comparison(w, l, l.inputs[1], name == "NotEqualOperator");
  } else if (name == "EqualConstantOperator" || name == "NotEqualConstantOperator") {
    add_comparison(w, l, constant(), name == "NotEqualConstantOperator");
  } else if (!try_composed(w, l, name, any)) {
    throw NoMapping{fmt::format("operator '{}' cannot be written as ONNX yet", name), "ops"};
  }
}

}  // namespace lbann::onnx
