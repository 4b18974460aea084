// random: a tensor of random numbers, a pure function of (key, draw, stream, position).
//
//   random {distribution, type, dims, stream, slot, first}   random_state i64[2] (, random_scalars f64[k]) ->
//   y
//
//   uniform    [0, 1), multiples of 2^-24
//   normal     mean 0, variance 1
//   bernoulli  random_scalars[slot + 1] with probability random_scalars[slot], else 0
//
// The position is the C-order index in the whole logical tensor, the mini-batch outermost: neither layout,
// threads, mini-batch size nor the place in the graph matter, so a mask can be made again in the backward
// pass instead of being kept. A rank that holds rows of a sharded tensor makes only those: `first` is the
// position of their first number. Not differentiable: its numbers do not depend on any tensor.
#include <algorithm>

#include <fmt/format.h>

#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::DataType;
using tensor::TensorSpec;

Specs infer_random(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const std::string& distribution = attrs.get_text("distribution");
  const bool with_scalars = distribution == "bernoulli";
  if (!with_scalars && distribution != "uniform" && distribution != "normal") {
    fail(fmt::format("random: unknown distribution '{}'", distribution));
  }
  if (in.size() != (with_scalars ? 2u : 1u)) {
    fail(fmt::format("random {}: {} operands, expected {}", distribution, in.size(), with_scalars ? 2 : 1));
  }
  attrs.get_int("stream");
  check_type("random", "random_state", in[0], DataType::i64);
  check_shape("random", "random_state", in[0], tensor::Shape{2});
  if (with_scalars) {
    check_type("random", "random_scalars", in[1], DataType::f64);
    const std::int64_t slot = attrs.get_int("slot");
    if (in[1].shape.rank() != 1 || slot < 0 || slot + 2 > in[1].shape[0]) {
      fail(fmt::format("random: slot {} of random_scalars {}", slot, in[1].shape.to_string()));
    }
  }
  const auto type = tensor::try_parse_data_type(attrs.get_text("type"));
  if (!type || !tensor::is_floating(*type)) {
    fail(fmt::format("random: type '{}' is not floating", attrs.get_text("type")));
  }
  return {make_spec(*type, attrs.get_ints("dims"))};
}

}  // namespace

OpDef make_random_op() {
  OpDef def;
  def.name = "random";
  def.max_inputs = 2;
  def.infer = infer_random;
  // Philox: ten rounds of two wide multiplications for four numbers, about 15 operations each.
  def.flops = [](const graph::Graph& g, const graph::Node& n) { return 15 * elements(g, n.outputs[0]); };
  def.bytes = [](const graph::Graph& g, const graph::Node& n) { return spec_bytes(g, n.outputs[0]); };
  return def;
}

}  // namespace lbann::ops
