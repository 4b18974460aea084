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

struct OperatorRow {
  std::string_view name;  // message name without "Operator"
  int arity;
  ValueId (*lower)(ops::Builder& b, Inputs x, double constant);
};

/// 1 / (1 + exp(-x)) kept within [eps, 1 - eps], eps = machine epsilon of the type, as LBANN does.
ValueId lower_sigmoid(ops::Builder& b, Inputs x, double) {
  const bool is_double = b.spec(x[0]).type == tensor::DataType::f64;
  const double eps =
      is_double ? std::numeric_limits<double>::epsilon() : double{std::numeric_limits<float>::epsilon()};
  const ValueId y = b.ewise("max2", {b.ewise("sigmoid", {x[0]}), scalar_like(b, x[0], eps)});
  return b.ewise("min2", {y, scalar_like(b, x[0], 1 - eps)});
}

ValueId not_equal(ops::Builder& b, ValueId x, ValueId y) {
  return b.ewise("affine", {b.ewise("eq", {x, y})}, -1, 1);
}

// clang-format off
constexpr OperatorRow table[] = {
  {"Abs", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("abs", {x[0]}); }},
  {"Negative", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("neg", {x[0]}); }},
  {"Square", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("square", {x[0]}); }},
  {"Sqrt", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("sqrt", {x[0]}); }},
  {"Rsqrt", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("rsqrt", {x[0]}); }},
  {"Exp", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("exp", {x[0]}); }},
  {"Log", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("log", {x[0]}); }},
  {"Tanh", 1, [](ops::Builder& b, Inputs x, double) { return b.ewise("tanh", {x[0]}); }},
  {"Sigmoid", 1, lower_sigmoid},
  {"Add", 2, [](ops::Builder& b, Inputs x, double) { return b.ewise("add", {x[0], x[1]}); }},
  {"Subtract", 2, [](ops::Builder& b, Inputs x, double) { return b.ewise("sub", {x[0], x[1]}); }},
  {"Multiply", 2, [](ops::Builder& b, Inputs x, double) { return b.ewise("mul", {x[0], x[1]}); }},
  {"Divide", 2, [](ops::Builder& b, Inputs x, double) { return b.ewise("div", {x[0], x[1]}); }},
  {"SquaredDifference", 2, [](ops::Builder& b, Inputs x, double) {
     return b.ewise("square", {b.ewise("sub", {x[0], x[1]})}); }},
  {"Equal", 2, [](ops::Builder& b, Inputs x, double) { return b.ewise("eq", {x[0], x[1]}); }},
  {"NotEqual", 2, [](ops::Builder& b, Inputs x, double) { return not_equal(b, x[0], x[1]); }},
  {"AddConstant", 1, [](ops::Builder& b, Inputs x, double c) { return b.ewise("affine", {x[0]}, 1, c); }},
  {"SubtractConstant", 1, [](ops::Builder& b, Inputs x, double c) { return b.ewise("affine", {x[0]}, 1, -c); }},
  {"ConstantSubtract", 1, [](ops::Builder& b, Inputs x, double c) { return b.ewise("affine", {x[0]}, -1, c); }},
  {"Scale", 1, [](ops::Builder& b, Inputs x, double c) { return b.scale(x[0], c); }},
  {"EqualConstant", 1, [](ops::Builder& b, Inputs x, double c) {
     return b.ewise("eq", {x[0], scalar_like(b, x[0], c)}); }},
  {"NotEqualConstant", 1, [](ops::Builder& b, Inputs x, double c) {
     return not_equal(b, x[0], scalar_like(b, x[0], c)); }},
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

/// The field `constant` of the messages that have one. They share number and type, so one stands for all.
double constant_of(const google::protobuf::Any& any) {
  lbann_data::AddConstantOperator message;
  if (!message.ParseFromString(any.value())) refuse("operator-parameters", "malformed parameters", "ops");
  return message.constant();
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
  const OperatorRow* row = nullptr;
  for (const OperatorRow& r : table) {
    if (r.name == name) row = &r;
  }
  if (row == nullptr) {
    refuse("not-supported", fmt::format("operator '{}' is known to LBANN, not yet supported here", name),
           "ops");
  }
  if (static_cast<int>(ctx.inputs().size()) != row->arity) {
    refuse("num-parents",
           fmt::format("operator '{}' takes {} parent{}, not {}", name, row->arity,
                       row->arity == 1 ? "" : "s", ctx.inputs().size()),
           "", "", parent_notes(ctx));
  }
  check_equal_dims(ctx);
  return {row->lower(
      ctx.b(), ctx.inputs(),
      name.find("Constant") != std::string::npos || name == "Scale" ? constant_of(op.parameters()) : 0)};
}

}  // namespace

std::vector<LayerDef> operator_layers() {
  return {{"operator_layer", "one entrywise operator", 1, 3, 0, lower_operator_layer}};
}

}  // namespace lbann::layers
