// ONNX's reductions.
#include <numeric>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

struct Axes {
  std::vector<int> list;
  bool keep = true;
  bool nothing = false;  // noop_with_empty_axes
};

Axes read_axes(Op& op) {
  Axes a;
  a.keep = op.attr("keepdims", 1) != 0;
  for (const std::int64_t axis : op.axes("axes", 1)) a.list.push_back(Network::wrap(axis, op.in(0).rank()));
  if (a.list.empty()) {
    a.nothing = op.attr("noop_with_empty_axes", 0) != 0;
    a.list.resize(op.in(0).dims.size());
    std::iota(a.list.begin(), a.list.end(), 0);
  }
  return a;
}

template <const char* mode>
void import_plain(Op& op) {
  const Axes a = read_axes(op);
  op.out(a.nothing ? op.in(0) : op.net().reduce(mode, op.in(0), a.list, a.keep));
}
constexpr char sum_mode[] = "sum", mean_mode[] = "mean", max_mode[] = "max", min_mode[] = "min",
               product_mode[] = "product";

/// after(sum(before(x)))
void composed(Op& op, std::string_view before, std::string_view after) {
  const Axes a = read_axes(op);
  Network& n = op.net();
  Value y = before.empty() ? op.in(0) : n.unary(before, op.in(0));
  if (!a.nothing) y = n.reduce("sum", y, a.list, a.keep);
  op.out(after.empty() ? y : n.unary(after, y));
}
void import_l1(Op& op) { composed(op, "Abs", ""); }
void import_l2(Op& op) { composed(op, "Square", "Sqrt"); }
void import_sum_square(Op& op) { composed(op, "Square", ""); }
void import_log_sum(Op& op) { composed(op, "", "Log"); }

void import_log_sum_exp(Op& op) {
  const Axes a = read_axes(op);
  Network& n = op.net();
  if (a.nothing) return op.out(op.in(0));
  // Shifted by the maximum, so that nothing overflows.
  const Value top = n.reduce("max", op.in(0), a.list, true);
  const Value sum = n.reduce("sum", n.unary("Exp", n.binary("Subtract", op.in(0), top)), a.list, true);
  const Value y = n.binary("Add", n.unary("Log", sum), top);
  op.out(a.keep ? y : n.reduce("sum", y, a.list, false));
}

/// Means over everything but batch and channels.
void global(Op& op, std::string_view mode) {
  std::vector<int> axes;
  for (int d = 2; d < op.in(0).rank(); ++d) axes.push_back(d);
  op.out(op.net().reduce(mode, op.in(0), axes, true));
}
void import_global_average(Op& op) { global(op, "mean"); }
void import_global_max(Op& op) { global(op, "max"); }
void import_global_lp(Op& op) {
  Network& n = op.net();
  const double p = static_cast<double>(op.attr("p", 2));
  std::vector<int> axes;
  for (int d = 2; d < op.in(0).rank(); ++d) axes.push_back(d);
  const auto power = [&](const Value& x, double e) {
    return n.binary("Pow", x, Network::known({}, std::vector<double>{e}));
  };
  op.out(power(n.reduce("sum", power(n.unary("Abs", op.in(0)), p), axes, true), 1 / p));
}

void import_lp_normalization(Op& op) {
  Network& n = op.net();
  const int axis = op.axis("axis", -1, op.in(0).rank());
  const std::int64_t p = op.attr("p", 2);
  if (p != 1 && p != 2) refuse(fmt::format("p = {}", p));
  Value size = n.reduce("sum", n.unary(p == 1 ? "Abs" : "Square", op.in(0)), {axis}, true);
  if (p == 2) size = n.unary("Sqrt", size);
  op.out(n.binary("Divide", op.in(0), size));
}

}  // namespace

std::vector<OpRow> reduction_ops() {
  return {
      {"ReduceSum", "multidim_reduction", import_plain<sum_mode>, "axes that are computed"},
      {"ReduceMean", "multidim_reduction", import_plain<mean_mode>, "axes that are computed"},
      {"ReduceMax", "multidim_reduction", import_plain<max_mode>, "axes that are computed"},
      {"ReduceMin", "multidim_reduction", import_plain<min_mode>, "axes that are computed"},
      {"ReduceProd", "multidim_reduction", import_plain<product_mode>, "axes that are computed"},
      {"ReduceL1", "multidim_reduction, operators", import_l1, "axes that are computed"},
      {"ReduceL2", "multidim_reduction, operators", import_l2, "axes that are computed"},
      {"ReduceSumSquare", "multidim_reduction, operators", import_sum_square, "axes that are computed"},
      {"ReduceLogSum", "multidim_reduction, operators", import_log_sum, "axes that are computed"},
      {"ReduceLogSumExp", "multidim_reduction, operators", import_log_sum_exp, "axes that are computed"},
      {"GlobalAveragePool", "multidim_reduction", import_global_average},
      {"GlobalMaxPool", "multidim_reduction", import_global_max},
      {"GlobalLpPool", "multidim_reduction, operators", import_global_lp},
      {"LpNormalization", "multidim_reduction, operators", import_lp_normalization, "p other than 1 and 2"}};
}

}  // namespace lbann::onnx
