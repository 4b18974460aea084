// operator_layer: one entrywise operator, named by the message inside `parameters`.
// A row of the table is enough for an operator that the scalar functions of ops/ can express.
// Operators do not broadcast: all inputs have equal dims.
#include <fmt/format.h>

#include <limits>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"
#include "operators.pb.h"

namespace lbann::layers {
namespace {

using graph::ValueId;
using Inputs = std::span<const ValueId>;

/// An operator that is a scalar function has its name; the others are written out.
struct OperatorRow {
  std::string_view name;  // message name without "Operator"
  int arity;
  std::string_view fn;
  ValueId (*lower)(ops::Builder& b, Inputs x, double constant) = nullptr;
};

/// 1 / (1 + exp(-x)) kept within [eps, 1 - eps], eps = machine epsilon of the type, as LBANN does.
ValueId lower_sigmoid(ops::Builder& b, Inputs x, double) {
  const bool is_double = b.spec(x[0]).type == tensor::DataType::f64;
  const double eps =
      is_double ? std::numeric_limits<double>::epsilon() : double{std::numeric_limits<float>::epsilon()};
  const ValueId y = b.ewise("max2", {b.ewise("sigmoid", {x[0]}), scalar_like(b, x[0], eps)});
  return b.ewise("min2", {y, scalar_like(b, x[0], 1 - eps)});
}

/// fn(x, constant)
template <const char* fn>
ValueId with_constant(ops::Builder& b, Inputs x, double c) {
  return b.ewise(fn, {x[0], scalar_like(b, x[0], c)});
}
constexpr char eq_fn[] = "eq", ne_fn[] = "ne", less_fn[] = "less", less_equal_fn[] = "less_equal",
               greater_fn[] = "greater", greater_equal_fn[] = "greater_equal", maximum_fn[] = "maximum",
               minimum_fn[] = "minimum";

// clang-format off
constexpr OperatorRow table[] = {
  {"Abs", 1, "abs"}, {"Negative", 1, "neg"}, {"Sign", 1, "sign"}, {"Round", 1, "round"}, {"Ceil", 1, "ceil"},
  {"Floor", 1, "floor"}, {"LogicalNot", 1, "logical_not"}, {"Reciprocal", 1, "reciprocal"},
  {"SafeReciprocal", 1, "safe_reciprocal"}, {"Square", 1, "square"}, {"Sqrt", 1, "sqrt"}, {"Rsqrt", 1, "rsqrt"},
  {"Exp", 1, "exp"}, {"Expm1", 1, "expm1"}, {"Log", 1, "log"}, {"Log1p", 1, "log1p"},
  {"Cos", 1, "cos"}, {"Sin", 1, "sin"}, {"Tan", 1, "tan"}, {"Acos", 1, "acos"}, {"Asin", 1, "asin"},
  {"Atan", 1, "atan"}, {"Cosh", 1, "cosh"}, {"Sinh", 1, "sinh"}, {"Tanh", 1, "tanh"}, {"Acosh", 1, "acosh"},
  {"Asinh", 1, "asinh"}, {"Atanh", 1, "atanh"}, {"Erf", 1, "erf"}, {"ErfInv", 1, "erfinv"}, {"Gelu", 1, "gelu"},
  {"LogSigmoid", 1, "log_sigmoid"}, {"Selu", 1, "selu"}, {"Softplus", 1, "softplus"}, {"Softsign", 1, "softsign"},
  {"Sigmoid", 1, "", lower_sigmoid},
  {"Add", 2, "add"}, {"Subtract", 2, "sub"}, {"Multiply", 2, "mul"}, {"Divide", 2, "div"}, {"Mod", 2, "mod"},
  {"Pow", 2, "pow"}, {"SafeDivide", 2, "safe_div"}, {"Max", 2, "maximum"}, {"Min", 2, "minimum"},
  {"SquaredDifference", 2, "", [](ops::Builder& b, Inputs x, double) {
     return b.ewise("square", {b.ewise("sub", {x[0], x[1]})}); }},
  {"Equal", 2, "eq"}, {"NotEqual", 2, "ne"}, {"Less", 2, "less"}, {"LessEqual", 2, "less_equal"},
  {"Greater", 2, "greater"}, {"GreaterEqual", 2, "greater_equal"}, {"LogicalAnd", 2, "logical_and"},
  {"LogicalOr", 2, "logical_or"}, {"LogicalXor", 2, "logical_xor"},
  {"BinaryCrossEntropy", 2, "bce"}, {"SigmoidBinaryCrossEntropy", 2, "sigmoid_bce"},
  {"BooleanAccuracy", 2, "boolean_accuracy"}, {"BooleanFalseNegative", 2, "boolean_false_negative"},
  {"BooleanFalsePositive", 2, "boolean_false_positive"},
  {"AddConstant", 1, "", [](ops::Builder& b, Inputs x, double c) { return b.ewise("affine", {x[0]}, 1, c); }},
  {"SubtractConstant", 1, "", [](ops::Builder& b, Inputs x, double c) { return b.ewise("affine", {x[0]}, 1, -c); }},
  {"ConstantSubtract", 1, "", [](ops::Builder& b, Inputs x, double c) { return b.ewise("affine", {x[0]}, -1, c); }},
  {"Scale", 1, "", [](ops::Builder& b, Inputs x, double c) { return b.scale(x[0], c); }},
  {"MaxConstant", 1, "", with_constant<maximum_fn>}, {"MinConstant", 1, "", with_constant<minimum_fn>},
  {"EqualConstant", 1, "", with_constant<eq_fn>}, {"NotEqualConstant", 1, "", with_constant<ne_fn>},
  {"LessConstant", 1, "", with_constant<less_fn>}, {"LessEqualConstant", 1, "", with_constant<less_equal_fn>},
  {"GreaterConstant", 1, "", with_constant<greater_fn>},
  {"GreaterEqualConstant", 1, "", with_constant<greater_equal_fn>},
};
// clang-format on

/// The message name of an Any, e.g. "Add" of ".../lbann_data.AddOperator".
std::string operator_name(const std::string& type_url) {
  std::string name = type_url.substr(type_url.rfind('/') + 1);
  const std::string prefix = "lbann_data.", suffix = "Operator";
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  if (name.ends_with(suffix)) name.erase(name.size() - suffix.size());
  return name;
}

template <class Message>
Message parse_parameters(const google::protobuf::Any& any) {
  Message message;
  if (!message.ParseFromString(any.value())) refuse("operator-parameters", "malformed parameters", "ops");
  return message;
}

/// The field `constant` of the messages that have one. They share number and type, so one stands for all.
double constant_of(const google::protobuf::Any& any) {
  return parse_parameters<lbann_data::AddConstantOperator>(any).constant();
}

void check_arity(LowerContext& ctx, const std::string& name, int arity) {
  if (static_cast<int>(ctx.inputs().size()) == arity) return;
  refuse("num-parents",
         fmt::format("operator '{}' takes {} parent{}, not {}", name, arity, arity == 1 ? "" : "s",
                     ctx.inputs().size()),
         "", "", parent_notes(ctx));
}

ValueId lower_clamp(LowerContext& ctx, const google::protobuf::Any& any) {
  const auto p = parse_parameters<lbann_data::ClampOperator>(any);
  check_arity(ctx, "Clamp", 1);
  if (!(p.min() <= p.max())) {
    refuse("value-out-of-range", fmt::format("min = {} is above max = {}", p.min(), p.max()), "ops");
  }
  return ctx.b().ewise("clamp", {ctx.inputs()[0]}, p.min(), p.max());
}

/// |predicate - value| < epsilon ? if_true : if_false; constants take no parent.
ValueId lower_select(LowerContext& ctx, const google::protobuf::Any& any) {
  const auto p = parse_parameters<lbann_data::SelectOperator>(any);
  check_arity(ctx, "Select", 3 - int{p.constant_if_true()} - int{p.constant_if_false()});
  ops::Builder& b = ctx.b();
  std::size_t next = 1;
  const auto branch = [&](bool is_constant, double value) {
    return is_constant ? scalar_like(b, ctx.inputs()[0], value) : ctx.inputs()[next++];
  };
  const ValueId if_true = branch(p.constant_if_true(), p.value_if_true());
  const ValueId if_false = branch(p.constant_if_false(), p.value_if_false());
  const ValueId chosen = b.ewise("near", {ctx.inputs()[0]}, p.value(), p.epsilon());
  return b.ewise("where", {chosen, if_true, if_false});
}

void check_type(LowerContext& ctx, std::string_view field, lbann_data::DataType type) {
  const auto own = ctx.type() == tensor::DataType::f64 ? lbann_data::DOUBLE : lbann_data::FLOAT;
  if (type == lbann_data::DEFAULT_DATATYPE || type == own) return;
  refuse("operator-datatype",
         fmt::format("{} = {} differs from the layer's {}", field, lbann_data::DataType_Name(type),
                     lbann_data::DataType_Name(own)),
         "ops");
}

std::vector<ValueId> lower_operator_layer(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::OperatorLayer>(ctx);
  if (p.ops_size() != 1) {
    refuse("operator-count", fmt::format("{} operators in ops, exactly 1 is possible", p.ops_size()), "ops");
  }
  const lbann_data::Operator& op = p.ops(0);
  if (!op.has_parameters() || op.parameters().type_url().empty()) {
    refuse_missing("ops[0].parameters",
                   "parameters { [type.googleapis.com/lbann_data.AddOperator] {} }, for example");
  }
  check_type(ctx, "input_datatype", op.input_datatype());
  check_type(ctx, "output_datatype", op.output_datatype());
  const std::string name = operator_name(op.parameters().type_url());
  check_equal_dims(ctx);
  if (name == "Clamp") return {lower_clamp(ctx, op.parameters())};
  if (name == "Select") return {lower_select(ctx, op.parameters())};
  const OperatorRow* row = nullptr;
  for (const OperatorRow& r : table) {
    if (r.name == name) row = &r;
  }
  if (row == nullptr) {
    refuse("not-supported", fmt::format("operator '{}' cannot be built", name), "ops",
           name == "LogSoftmax" ? "use the layer log_softmax" : "");
  }
  check_arity(ctx, name, row->arity);
  ops::Builder& b = ctx.b();
  if (row->lower == nullptr) return {b.ewise(row->fn, {ctx.inputs().begin(), ctx.inputs().end()})};
  const bool has_constant = name.find("Constant") != std::string::npos || name == "Scale";
  return {row->lower(b, ctx.inputs(), has_constant ? constant_of(op.parameters()) : 0)};
}

}  // namespace

std::vector<LayerDef> operator_layers() {
  return {{"operator_layer", "one entrywise operator", 1, 3, 0, lower_operator_layer}};
}

}  // namespace lbann::layers
