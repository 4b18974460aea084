// Elementwise: ewise (scalar functions with broadcast), cast, fill.
//
// Shapes: equal ranks, each dim equal or 1. The cotangent of a broadcast operand is summed back to
// its shape; where the gradient function is linear in the cotangent alone ("g": add, sub, scale)
// the sum comes first, so that the function runs on the small tensor.
// Placement: operands adopt one S(d), an operand of extent 1 there is replicated; P passes only
// where the function is linear in the partial operands.
#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "ops/broadcast.hpp"
#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"
#include "ops/scalar_functions.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

// Linear in all operands together: P, P -> P.
constexpr std::array<std::string_view, 7> jointly_linear = {"identity", "neg",        "add", "sub",
                                                            "scale",    "scale_rest", "lerp"};
// Linear in the first operand, whatever the others are: P, R.. -> P. The gradient functions take the
// cotangent first.
constexpr std::array<std::string_view, 23> linear_in_first = {"mul",
                                                              "div",
                                                              "div_grad1",
                                                              "square_grad",
                                                              "sign_mul",
                                                              "sqrt_grad",
                                                              "rsqrt_grad",
                                                              "mul_ge",
                                                              "mul_lt",
                                                              "mul_le",
                                                              "mul_gt",
                                                              "relu_grad",
                                                              "leaky_relu_grad",
                                                              "elu_grad",
                                                              "sigmoid_grad",
                                                              "tanh_grad",
                                                              "xent_grad0",
                                                              "xent_grad1",
                                                              "xent_log_grad0",
                                                              "neg_mul",
                                                              "scale_clamp_grad",
                                                              "identity",
                                                              "scale"};
// Linear in the second: R, P -> P.
constexpr std::array<std::string_view, 3> linear_in_second = {"mul", "where_first", "where_second"};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool place_partial(std::string_view fn, std::span<const AxisPlacement> in) {
  const auto only_partial = [&](std::size_t which) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (i == which ? !is_partial(in[i]) : !is_replicated(in[i])) return false;
    }
    return true;
  };
  if (std::all_of(in.begin(), in.end(), is_partial)) return contains(jointly_linear, fn);
  if (contains(linear_in_first, fn) && only_partial(0)) return true;
  return contains(linear_in_second, fn) && only_partial(1);
}

Specs infer_ewise(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::string& name = attrs.get_text("fn");
  const ScalarFunction& fn = scalar_function(name);
  if (static_cast<int>(in.size()) != fn.arity) {
    fail(fmt::format("ewise {}: {} operands, expected {}", name, in.size(), fn.arity));
  }
  check_same_type(name, in);
  return {make_spec(in[0].type, infer_broadcast(name, in))};
}

graph::ValueId add_gradient(VjpArgs& args, const ScalarGradient& gradient, const tensor::Shape& shape) {
  Builder& b = args.b;
  graph::ValueId g = args.cotangents[0];
  const bool cotangent_alone = gradient.args == "g";
  if (cotangent_alone) g = reduce_to(b, g, shape);
  if (gradient.fn == "identity") return g;
  std::vector<graph::ValueId> operands;
  for (char c : gradient.args) {
    operands.push_back(c == 'g'   ? g
                       : c == 'y' ? args.node.outputs[0]
                                  : args.node.inputs[static_cast<std::size_t>(c - '0')]);
  }
  graph::Attrs attrs{{"fn", std::string(gradient.fn)}};
  for (const char* parameter : {"a", "b"}) {
    if (args.node.attrs.has(parameter)) attrs.set(parameter, args.node.attrs.get_real(parameter));
  }
  return reduce_to(b, b.add("ewise", std::move(operands), std::move(attrs)), shape);
}

// A function without any gradient in the table is a gradient function: those are not differentiated again,
// and a silent zero would be wrong.
bool lacks_rule(const ScalarFunction& fn) {
  return std::all_of(std::begin(fn.gradient), std::end(fn.gradient),
                     [](const ScalarGradient& g) { return g.fn.empty() && g.args.empty(); });
}

std::vector<graph::ValueId> vjp_ewise(VjpArgs& args) {
  std::vector<graph::ValueId> result(args.node.inputs.size(), graph::none);
  const ScalarFunction& fn = scalar_function(args.node.attrs.get_text("fn"));
  if (lacks_rule(fn) && std::find(args.needs.begin(), args.needs.end(), true) != args.needs.end()) {
    fail(fmt::format("no gradient rule for scalar function '{}'", fn.name));
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    const TensorSpec spec = args.b.spec(args.node.inputs[i]);  // a copy: the builder appends values
    if (!args.needs[i] || fn.gradient[i].fn.empty() || !tensor::is_floating(spec.type)) continue;
    result[i] = add_gradient(args, fn.gradient[i], spec.shape);
  }
  return result;
}

bool place_ewise(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
  if (all_replicated(in)) return true;
  if (std::any_of(in.begin(), in.end(), is_partial)) {
    out[0] = partial;
    return place_partial(n.attrs.get_text("fn"), in);
  }
  return place_broadcast(g, n, in, out);
}

double flops_ewise(const graph::Graph& g, const graph::Node& n) {
  return n.attrs.get_text("fn") == "identity" ? 0 : elements(g, n.outputs[0]);
}

tensor::DataType type_attr(std::string_view op_name, const graph::Attrs& attrs) {
  const std::string& text = attrs.get_text("type");
  const auto type = tensor::try_parse_data_type(text);
  if (!type) fail(fmt::format("{}: unknown type '{}'", op_name, text));
  return *type;
}

}  // namespace

OpDef make_ewise_op() {
  OpDef def;
  def.name = "ewise";
  def.max_inputs = 3;
  def.infer = infer_ewise;
  def.vjp = vjp_ewise;
  def.place = place_ewise;
  def.flops = flops_ewise;
  return def;
}

OpDef make_cast_op() {
  OpDef def;
  def.name = "cast";
  def.infer = [](const graph::Attrs& attrs, std::span<const TensorSpec> in) {
    return Specs{make_spec(type_attr("cast", attrs), in[0].shape.dims())};
  };
  def.vjp = [](VjpArgs& args) {
    const tensor::DataType from = args.b.spec(args.node.inputs[0]).type;
    const tensor::DataType to = args.b.spec(args.node.outputs[0]).type;
    const bool flows = tensor::is_floating(from) && tensor::is_floating(to);
    return std::vector<graph::ValueId>{flows ? args.b.cast(args.cotangents[0], from) : graph::none};
  };
  def.place = [](const graph::Graph&, const graph::Node&, std::span<const AxisPlacement> in,
                 AxisPlacements& out) {
    out[0] = in[0];
    return true;
  };
  return def;
}

OpDef make_fill_op() {
  OpDef def;
  def.name = "fill";
  def.min_inputs = def.max_inputs = 0;
  def.infer = [](const graph::Attrs& attrs, std::span<const TensorSpec>) {
    attrs.get_real("value");
    return Specs{make_spec(type_attr("fill", attrs), attrs.get_ints("dims"))};
  };
  return def;
}

}  // namespace lbann::ops
