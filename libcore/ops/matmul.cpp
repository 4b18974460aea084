// matmul {ta, tb, act}: y[..,m,n] = op(a)[..,m,k] op(b)[..,k,n] (+ bias[n]), then act. ta, tb: the
// operand is stored transposed. Batch dims are equal (no broadcast).
//
// Gradient:  ta 0: da = dy op(b)^T   ta 1: da = op(b) dy^T
//            tb 0: db = op(a)^T dy   tb 1: db = dy^T op(a)     dbias = sum of dy over all dims but n
// Placement: S(m) R -> S(m), R S(n) -> S(n), S(k) S(k) -> P, batch dims alike; one P operand -> P.
#include <fmt/format.h>

#include "ops/builder.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::AxisPlacement;
using tensor::TensorSpec;

// Dims of the operands as stored.
struct Axes {
  int rank, am, ak, bk, bn;
};

Axes matmul_axes(const graph::Attrs& attrs, int rank) {
  const int row = rank - 2, col = rank - 1;
  const bool ta = attrs.get_int("ta", 0) != 0, tb = attrs.get_int("tb", 0) != 0;
  return {rank, ta ? col : row, ta ? row : col, tb ? col : row, tb ? row : col};
}

Specs infer_matmul(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  check_act("matmul", attrs);
  check_same_type("matmul", in);
  check_floating("matmul", in[0]);
  const tensor::Shape &a = in[0].shape, &b = in[1].shape;
  if (a.rank() != b.rank() || a.rank() < 2) {
    refuse("rank-mismatch",
           fmt::format("matmul: operands {} and {} have ranks {} and {}, expected equal ranks "
                       "of at least 2",
                       a.to_string(), b.to_string(), a.rank(), b.rank()));
  }
  const Axes x = matmul_axes(attrs, a.rank());
  Dims dims;
  for (int d = 0; d < a.rank() - 2; ++d) {
    if (a[d] != b[d]) {
      refuse("matmul-batch", fmt::format("matmul: batch extents {} and {} differ in dim {} of {} and {}",
                                         a[d], b[d], d, a.to_string(), b.to_string()));
    }
    dims.push_back(a[d]);
  }
  if (a[x.ak] != b[x.bk]) {
    refuse("matmul-inner", fmt::format("matmul: inner extents {} and {} of {}{} and {}{} differ", a[x.ak],
                                       b[x.bk], a.to_string(), x.ak < x.am ? " (transposed)" : "",
                                       b.to_string(), x.bk > x.bn ? " (transposed)" : ""));
  }
  dims.push_back(a[x.am]);
  dims.push_back(b[x.bn]);
  if (in.size() == 3) check_shape("matmul", "bias", in[2], {b[x.bn]});
  return {make_spec(in[0].type, dims)};
}

std::vector<graph::ValueId> vjp_matmul(VjpArgs& args) {
  const graph::Attrs& attrs = args.node.attrs;
  if (!attrs.get_text("act", "").empty()) fail("matmul: differentiated after an activation was merged in");
  Builder& b = args.b;
  const std::int64_t ta = attrs.get_int("ta", 0), tb = attrs.get_int("tb", 0);
  const graph::ValueId dy = args.cotangents[0], lhs = args.node.inputs[0], rhs = args.node.inputs[1];
  const auto product = [&](graph::ValueId x, graph::ValueId y, std::int64_t tx, std::int64_t ty) {
    return b.add("matmul", {x, y}, {{"ta", tx}, {"tb", ty}});
  };
  std::vector<graph::ValueId> result(args.node.inputs.size(), graph::none);
  if (args.needs[0]) result[0] = ta == 0 ? product(dy, rhs, 0, 1 - tb) : product(rhs, dy, tb, 1);
  if (args.needs[1]) result[1] = tb == 0 ? product(lhs, dy, 1 - ta, 0) : product(dy, lhs, 1, ta);
  if (result.size() == 3 && args.needs[2]) {
    const int last = b.shape(dy).rank() - 1;
    const std::int64_t n = b.shape(dy)[last];
    result[2] = b.reshape(b.reduce("sum", dy, axes_without(last + 1, last)), {n});
  }
  return result;
}

bool place_matmul(const graph::Graph& g, const graph::Node& n, std::span<const AxisPlacement> in,
                  AxisPlacements& out) {
  const Axes x = matmul_axes(n.attrs, g.shape(n.inputs[0]).rank());
  const bool act = !n.attrs.get_text("act", "").empty();
  const AxisPlacement &a = in[0], &b = in[1];
  const AxisPlacement bias = in.size() == 3 ? in[2] : replicate;
  if ((is_shard(a, x.ak) && is_shard(b, x.bk) && same_cut(a, b)) || (is_partial(a) && is_replicated(b)) ||
      (is_replicated(a) && is_partial(b))) {
    out[0] = partial;
    return !act && (in.size() == 2 || is_partial(bias));
  }
  if (is_replicated(a) && is_shard(b, x.bn)) {
    out[0] = shard(x.rank - 1, b.unit);
    return in.size() == 2 || (is_shard(bias, 0) && same_cut(bias, b));
  }
  if (!is_replicated(bias)) return false;
  if (is_shard(a, x.am) && is_replicated(b)) {
    out[0] = shard(x.rank - 2, a.unit);
    return true;
  }
  out[0] = a;
  return a == b && is_shard(a) && a.dim < x.rank - 2;
}

double flops_matmul(const graph::Graph& g, const graph::Node& n) {
  const tensor::Shape& a = g.shape(n.inputs[0]);
  const double k = static_cast<double>(a[matmul_axes(n.attrs, a.rank()).ak]);
  return elements(g, n.outputs[0]) * (2 * k + (n.inputs.size() == 3 ? 1 : 0));
}

}  // namespace

OpDef make_matmul_op() {
  OpDef def;
  def.name = "matmul";
  def.min_inputs = 2;
  def.max_inputs = 3;
  def.infer = infer_matmul;
  def.vjp = vjp_matmul;
  def.place = place_matmul;
  def.flops = flops_matmul;
  return def;
}

}  // namespace lbann::ops
