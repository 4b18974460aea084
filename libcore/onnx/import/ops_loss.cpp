// ONNX's losses, written out: loss = -w[t] log p[t] with t the target's class.
#include <numeric>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

void nll(Op& op, const Value& log_p) {
  Network& n = op.net();
  const int rank = log_p.rank();
  if (rank < 2 || op.in(1).rank() != rank - 1)
    refuse(fmt::format("{} with targets {}", to_text(log_p.dims), to_text(op.in(1).dims)));
  const std::int64_t classes = log_p.dims[1];
  const Value none = Network::known({}, std::vector<double>{0});
  Dims with_class = op.in(1).dims;
  with_class.insert(with_class.begin() + 1, 1);
  const Value target = n.reshape(op.in(1), with_class);
  Value hit = n.binary("Equal", target, Network::iota(classes, 1, rank));
  const bool ignores = op.has_attr("ignore_index");
  if (ignores) {
    const auto ignored = static_cast<double>(op.attr("ignore_index", 0));
    hit = n.binary("Multiply", hit, n.with_constant("NotEqualConstant", target, ignored));
  }
  Value weight = hit;
  if (op.has(2)) {
    Dims column(static_cast<std::size_t>(rank) - 1, 1);
    column[0] = classes;
    weight = n.binary("Multiply", hit, n.reshape(op.in(2), column));
  }
  const Value picked = n.reduce("sum", n.select(hit, log_p, none), {1}, false);
  const bool weighs = ignores || op.has(2);
  if (weighs) weight = n.reduce("sum", weight, {1}, false);
  Value loss = n.unary("Negative", weighs ? n.binary("Multiply", picked, weight) : picked);
  const std::string how = op.attr_text("reduction", "mean");
  std::vector<int> all(loss.dims.size());
  std::iota(all.begin(), all.end(), 0);
  if (how == "sum" || (how == "mean" && weighs)) {
    loss = n.reduce("sum", loss, all, false);
    if (how == "mean") loss = n.binary("Divide", loss, n.reduce("sum", weight, all, false));
  } else if (how == "mean") {
    loss = n.reduce("mean", loss, all, false);
  } else if (how != "none") {
    refuse("reduction '" + how + "'");
  }
  op.out(loss);
}

void import_nll(Op& op) { nll(op, op.in(0)); }

void import_softmax_cross_entropy(Op& op) {
  const Value log_p = op.net().log_softmax(op.in(0), 1);
  nll(op, log_p);
  if (op.wants(1)) op.out(1, log_p);
}

}  // namespace

std::vector<OpRow> loss_ops() {
  return {{"NegativeLogLikelihoodLoss", "operators, reductions", import_nll},
          {"SoftmaxCrossEntropyLoss", "operators, reductions", import_softmax_cross_entropy}};
}

}  // namespace lbann::onnx
