// ONNX's products of matrices: fully connected layers where a factor is a parameter, else matmul.
#include <algorithm>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

/// The bias of a layer that has none yet.
bool add_bias(Network& n, int layer, const ConstantPtr& bias) {
  Value v;
  v.layer = layer;
  lbann_data::Layer& m = n.message(v);
  std::int64_t out = 0;
  if (m.has_fully_connected() && !m.fully_connected().has_bias()) {
    out = m.fully_connected().num_neurons();
  } else if (m.has_channelwise_fully_connected() && !m.channelwise_fully_connected().bias().value()) {
    out = static_cast<std::int64_t>(m.channelwise_fully_connected().output_channel_dims(0));
  } else {
    return false;
  }
  if (bias->size() != out || n.at(layer).weights.size() != 1) return false;
  if (m.has_fully_connected()) {
    m.mutable_fully_connected()->set_has_bias(true);
  } else {
    m.mutable_channelwise_fully_connected()->mutable_bias()->set_value(true);
  }
  n.add_weight(v, bias, {out}, "bias");
  return true;
}

void import_matmul(Op& op) {
  Network& n = op.net();
  const Value& a = op.in(0);
  const Value& b = op.in(1);
  if (a.dims.empty() || b.dims.empty()) refuse("a factor without dims");
  if (b.constant != nullptr && a.constant == nullptr && b.rank() == 2 && !(a.batched && a.rank() == 1)) {
    return op.out(n.dense(a, b.constant, false));
  }
  Value x = n.materialize(a), y = n.materialize(b);
  Dims left = x.dims, right = y.dims;
  if (x.rank() == 1) left.insert(left.begin(), 1);
  if (y.rank() == 1) right.push_back(1);
  if (x.batched && x.rank() == 1) throw NeedsWholeBatch("the sum runs along the mini-batch");
  Value z = n.matmul(n.reshape(x, left), n.reshape(y, right));
  Dims dims = z.dims;
  if (y.rank() == 1) dims.pop_back();
  if (x.rank() == 1) dims.erase(dims.end() - (y.rank() == 1 ? 1 : 2));
  op.out(n.reshape(z, dims));
}

void import_gemm(Op& op) {
  Network& n = op.net();
  const double alpha = op.attr_real("alpha", 1), beta = op.attr_real("beta", 1);
  const bool ta = op.attr("transA", 0) != 0, tb = op.attr("transB", 0) != 0;
  const Value &a = op.in(0), &b = op.in(1);
  if (a.rank() != 2 || b.rank() != 2) refuse(fmt::format("{} times {}", to_text(a.dims), to_text(b.dims)));
  Value y;
  if (b.constant != nullptr && a.constant == nullptr && !ta) {
    ConstantPtr matrix = b.constant;
    if (alpha != 1) matrix = n.with_constant("Scale", b, alpha).constant;
    if (matrix == nullptr) refuse("alpha of a matrix that is too large");
    y = n.dense(a, matrix, tb);
    const bool row = op.has(2) && op.in(2).constant != nullptr &&
                     op.in(2).constant->size() == y.dims.back() && op.in(2).dims.back() == y.dims.back();
    if (row && a.sample().size() == 1) {
      const Value bias = beta == 1 ? op.in(2) : n.with_constant("Scale", op.in(2), beta);
      if (bias.constant != nullptr && add_bias(n, y.layer, bias.constant)) return op.out(y);
    }
  } else {
    if (a.batched && ta) throw NeedsWholeBatch("the mini-batch is transposed");
    y = n.matmul(a, b, ta, tb);
    if (alpha != 1) y = n.with_constant("Scale", y, alpha);
  }
  if (op.has(2) && beta != 0) {
    y = n.binary("Add", y, beta == 1 ? op.in(2) : n.with_constant("Scale", op.in(2), beta));
  }
  op.out(y);
}

/// Sums of products over named dims. What a matmul can say: common leading dims, then two matrices.
void import_einsum(Op& op) {
  Network& n = op.net();
  std::string text;
  for (const char c : op.attr_text("equation")) {
    if (c != ' ') text += c;
  }
  if (text.find("->") == std::string::npos) {
    // Implicit: the indices that stand once, in alphabetic order.
    std::string once;
    for (char c = 'A'; c <= 'z'; ++c) {
      if (std::count(text.begin(), text.end(), c) == 1) once += c;
    }
    text += "->" + once;
  }
  const std::size_t arrow = text.find("->"), comma = text.find(',');
  if (arrow == std::string::npos || text.find('.') != std::string::npos)
    refuse("the equation '" + text + "'");
  const std::string out = text.substr(arrow + 2);
  const auto letters = [&](const std::string& s, const Value& v) {
    if (s.size() != v.dims.size()) refuse(fmt::format("'{}' for {}", s, to_text(v.dims)));
    return s;
  };
  const auto arrange = [&](const Value& v, const std::string& have, const std::string& want) {
    std::vector<int> perm;
    for (const char c : want) perm.push_back(static_cast<int>(have.find(c)));
    return n.transpose(v, perm);
  };
  const auto sum_out = [&](Value& v, std::string& have, const std::string& keep) {
    std::vector<int> axes;
    std::string left;
    for (std::size_t i = 0; i < have.size(); ++i) {
      if (have.find(have[i]) != i) refuse("a repeated index");
      if (keep.find(have[i]) == std::string::npos) {
        axes.push_back(static_cast<int>(i));
      } else {
        left += have[i];
      }
    }
    if (!axes.empty()) v = n.reduce("sum", v, axes, false);
    have = left;
  };
  if (op.num_inputs() == 1) {
    Value v = op.in(0);
    std::string have = letters(text.substr(0, arrow), v);
    sum_out(v, have, out);
    return op.out(arrange(v, have, out));
  }
  if (op.num_inputs() != 2 || comma == std::string::npos) refuse("more than two factors");
  Value a = op.in(0), b = op.in(1);
  std::string la = letters(text.substr(0, comma), a),
              lb = letters(text.substr(comma + 1, arrow - comma - 1), b);
  sum_out(a, la, out + lb);
  sum_out(b, lb, out + la);
  std::string common, rows, columns, inner;
  for (const char c : la) {
    if (lb.find(c) == std::string::npos) {
      rows += c;
    } else if (out.find(c) == std::string::npos) {
      inner += c;
    } else {
      common += c;
    }
  }
  for (const char c : lb) {
    if (la.find(c) == std::string::npos) columns += c;
  }
  const Value x = arrange(a, la, common + rows + inner), y = arrange(b, lb, common + inner + columns);
  const auto lead = static_cast<std::ptrdiff_t>(common.size());
  const auto product = [](Dims d) { return count_elements(d); };
  const auto r = static_cast<std::ptrdiff_t>(rows.size()), k = static_cast<std::ptrdiff_t>(inner.size());
  const Dims front(x.dims.begin(), x.dims.begin() + lead),
      rd(x.dims.begin() + lead, x.dims.begin() + lead + r), kd(x.dims.begin() + lead + r, x.dims.end()),
      cd(y.dims.begin() + lead + k, y.dims.end());
  for (const Dims& part : {rd, kd, cd}) {
    for (const std::int64_t d : part) {
      if (is_symbolic(d)) throw NeedsWholeBatch("the mini-batch is an index of a matrix");
    }
  }
  Dims left = front, right = front, made = front;
  left.insert(left.end(), {product(rd), product(kd)});
  right.insert(right.end(), {product(kd), product(cd)});
  made.insert(made.end(), rd.begin(), rd.end());
  made.insert(made.end(), cd.begin(), cd.end());
  const Value z = n.reshape(n.matmul(n.reshape(x, left), n.reshape(y, right)), made);
  op.out(arrange(z, common + rows + columns, out));
}

}  // namespace

bool try_add_bias(Op& op) {
  Network& n = op.net();
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const Value &x = op.in(i), &b = op.in(1 - i);
    if (b.constant == nullptr || b.rank() != 1 || x.layer < 0 || x.dims.empty()) continue;
    if (x.dims.back() != b.dims[0] || !is_real(b.type)) continue;
    int layer = x.layer;
    if (n.at(layer).uses > 0 || n.at(layer).shared) continue;
    if (n.at(layer).message.has_reshape() && n.at(n.at(layer).parents[0]).uses == 1)
      layer = n.at(layer).parents[0];
    if (!add_bias(n, layer, b.constant)) continue;
    op.out(x);
    return true;
  }
  return false;
}

std::vector<OpRow> matrix_ops() {
  return {{"MatMul", "fully_connected, channelwise_fully_connected or matmul", import_matmul},
          {"Gemm", "fully_connected or matmul", import_gemm},
          {"Einsum", "matmul, permute, reductions", import_einsum,
           "more than two factors, ellipses, repeated indices"}};
}

}  // namespace lbann::onnx
