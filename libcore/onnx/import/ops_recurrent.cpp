// ONNX's RNN, GRU and LSTM, written out step by step; all steps share their weights.
//
//   RNN   h = f(W x + R h + b)
//   GRU   z = f(..), r = f(..), n = g(W x + r (R h + Rb) + Wb) or g(W x + R (r h) + Rb + Wb), h = (1 - z) n +
//   z h LSTM  i, o, f = f(..), c = f c + i g(..), h = o h(c); peepholes P add P c to i, f and (new c) o
#include <algorithm>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

constexpr std::int64_t max_steps = 512;

struct Cell {
  Network& n;
  Op& op;
  std::int64_t hidden = 0;
  Value w{}, r{}, wb{}, rb{}, p{};  // of one direction: [gates H, I], [gates H, H], [gates H], .., [3 H]
  std::vector<std::string> activations{};
  std::vector<double> alphas{}, betas{};
  double clip = 0;

  Value rows(const Value& v, std::int64_t gate) const {
    return n.slice(v, 0, gate * hidden, (gate + 1) * hidden);
  }
  Value product(const Value& x, const Value& matrix) const {
    return matrix.constant != nullptr ? n.dense(x, matrix.constant, true) : n.matmul(x, matrix, false, true);
  }
  Value plus(const Value& x, const Value& bias) const {
    return bias.present() ? n.binary("Add", x, bias) : x;
  }
  Value input_part(const Value& x, std::int64_t g) const {
    return plus(product(x, rows(w, g)), wb.present() ? rows(wb, g) : Value{});
  }
  Value state_part(const Value& h, std::int64_t g) const {
    return plus(product(h, rows(r, g)), rb.present() ? rows(rb, g) : Value{});
  }
  Value gate(const Value& x, const Value& h, std::int64_t g) const {
    return n.binary("Add", input_part(x, g), state_part(h, g));
  }
  Value apply(std::size_t which, const Value& given) const {
    Value x = clip > 0 ? n.clamp(given, -clip, clip) : given;
    std::string f = activations.at(which);
    std::transform(f.begin(), f.end(), f.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const double alpha = which < alphas.size() ? alphas[which]
                         : f == "hardsigmoid"  ? 0.2
                         : f == "leakyrelu"    ? 0.01
                                               : 1,
                 beta = which < betas.size() ? betas[which]
                        : f == "hardsigmoid" ? 0.5
                                             : 0;
    if (f == "sigmoid") return n.unary("Sigmoid", x);
    if (f == "tanh") return n.unary("Tanh", x);
    if (f == "relu") return n.activation("relu", x);
    if (f == "leakyrelu") return n.activation("leaky_relu", x, alpha);
    if (f == "elu") return n.activation("elu", x, alpha);
    if (f == "softsign") return n.unary("Softsign", x);
    if (f == "softplus") return n.unary("Softplus", x);
    if (f == "affine") return n.with_constant("AddConstant", n.with_constant("Scale", x, alpha), beta);
    if (f == "hardsigmoid") {
      return n.clamp(n.with_constant("AddConstant", n.with_constant("Scale", x, alpha), beta), 0, 1);
    }
    refuse("the activation '" + activations[which] + "'");
  }

  /// One step: new hidden state, and the cell state of an LSTM.
  void step(const Value& x, Value& h, Value& c) const {
    if (op.type() == "RNN") {
      h = apply(0, gate(x, h, 0));
      return;
    }
    if (op.type() == "GRU") {
      const Value z = apply(0, gate(x, h, 0)), reset = apply(0, gate(x, h, 1));
      Value candidate;
      if (op.attr("linear_before_reset", 0) != 0) {
        candidate = n.binary("Add", input_part(x, 2), n.binary("Multiply", reset, state_part(h, 2)));
      } else {
        candidate = gate(x, n.binary("Multiply", reset, h), 2);
      }
      candidate = apply(1, candidate);
      const Value rest = n.with_constant("ConstantSubtract", z, 1);
      h = n.binary("Add", n.binary("Multiply", rest, candidate), n.binary("Multiply", z, h));
      return;
    }
    const auto peephole = [&](const Value& v, const Value& cell, std::int64_t g) {
      return p.present() ? n.binary("Add", v, n.binary("Multiply", cell, rows(p, g))) : v;
    };
    // Gates i, o, f, c; peepholes i, o, f.
    const Value i = apply(0, peephole(gate(x, h, 0), c, 0));
    const Value f = op.attr("input_forget", 0) != 0 ? n.with_constant("ConstantSubtract", i, 1)
                                                    : apply(0, peephole(gate(x, h, 2), c, 2));
    c = n.binary("Add", n.binary("Multiply", f, c), n.binary("Multiply", i, apply(1, gate(x, h, 3))));
    const Value o = apply(0, peephole(gate(x, h, 1), c, 1));
    h = n.binary("Multiply", o, apply(2, c));
  }
};

std::vector<std::string> activations_of(const Op& op, std::size_t directions) {
  for (const auto& a : op.node().attribute()) {
    if (a.name() == "activations") return {a.strings().begin(), a.strings().end()};
  }
  std::vector<std::string> each{"Tanh"};
  if (op.type() == "GRU") each = {"Sigmoid", "Tanh"};
  if (op.type() == "LSTM") each = {"Sigmoid", "Tanh", "Tanh"};
  std::vector<std::string> all;
  for (std::size_t d = 0; d < directions; ++d) all.insert(all.end(), each.begin(), each.end());
  return all;
}

/// Element d of the first dim, which vanishes.
Value direction_of(Network& n, const Value& v, std::int64_t d) {
  return n.reshape(n.slice(v, 0, d, d + 1), Dims(v.dims.begin() + 1, v.dims.end()));
}

void import_recurrent(Op& op) {
  Network& n = op.net();
  const bool lstm = op.type() == "LSTM", batch_first = op.attr("layout", 0) != 0;
  const std::int64_t gates = lstm ? 4 : op.type() == "GRU" ? 3 : 1;
  const Value& x = op.in(0);
  if (x.rank() != 3 || op.in(1).rank() != 3 || op.in(2).rank() != 3) refuse("X, W and R need 3 dims");
  if (x.batched && x.batch_axis() != (batch_first ? 0 : 1))
    throw NeedsWholeBatch("time runs along the mini-batch");
  const int time = batch_first ? 1 : 0;
  const std::int64_t steps = x.dims[static_cast<std::size_t>(time)], batch = x.dims[batch_first ? 0 : 1];
  if (steps > max_steps) refuse(fmt::format("{} steps, above {}", steps, max_steps));
  const std::int64_t directions = op.in(1).dims[0], hidden = op.in(2).dims[2];
  if (op.in(1).dims[1] != gates * hidden || op.in(2).dims[1] != gates * hidden) {
    refuse(fmt::format("W {} and R {}", to_text(op.in(1).dims), to_text(op.in(2).dims)));
  }
  if (op.has(4)) {
    for (const std::int64_t length : op.ints(4, "the lengths of the sequences")) {
      if (length != steps) refuse(fmt::format("sequences of different lengths: {} and {}", length, steps));
    }
  }
  const std::string way = op.attr_text("direction", "forward");
  const std::vector<std::string> functions = activations_of(op, static_cast<std::size_t>(directions));
  const std::size_t each = functions.size() / static_cast<std::size_t>(directions);
  std::vector<Value> ends, cells, sequences;
  for (std::int64_t d = 0; d < directions; ++d) {
    Cell cell{n, op};
    cell.hidden = hidden;
    cell.w = direction_of(n, op.in(1), d);
    cell.r = direction_of(n, op.in(2), d);
    if (op.has(3)) {
      const Value b = direction_of(n, op.in(3), d);
      cell.wb = n.slice(b, 0, 0, gates * hidden);
      cell.rb = n.slice(b, 0, gates * hidden, 2 * gates * hidden);
    }
    if (lstm && op.has(7)) cell.p = direction_of(n, op.in(7), d);
    const auto first = functions.begin() + static_cast<std::ptrdiff_t>(each) * d;
    cell.activations.assign(first, first + static_cast<std::ptrdiff_t>(each));
    cell.alphas = op.attr_reals("activation_alpha");
    cell.betas = op.attr_reals("activation_beta");
    cell.clip = op.attr_real("clip", 0);
    const auto initial = [&](std::size_t input) {
      if (!op.has(input)) return n.fill(0, {batch, hidden}, x.type, x.batched);
      if (!batch_first) return n.materialize(direction_of(n, op.in(input), d));
      return n.reshape(n.slice(n.materialize(op.in(input)), 1, d, d + 1), {batch, hidden});
    };
    Value h = initial(5), c = lstm ? initial(6) : Value{};
    std::vector<Value> all(static_cast<std::size_t>(steps));
    const bool backward = way == "reverse" || d == 1;
    for (std::int64_t k = 0; k < steps; ++k) {
      const std::int64_t t = backward ? steps - 1 - k : k;
      cell.step(n.reshape(n.slice(x, time, t, t + 1), {batch, x.dims[2]}), h, c);
      all[static_cast<std::size_t>(t)] = h;
    }
    // [T,1,B,H], or [B,T,1,H]
    if (op.wants(0)) {
      for (Value& v : all)
        v = n.reshape(v, batch_first ? Dims{batch, 1, 1, hidden} : Dims{1, 1, batch, hidden});
      sequences.push_back(n.concat(all, time));
    }
    const Dims end = batch_first ? Dims{batch, 1, hidden} : Dims{1, batch, hidden};
    ends.push_back(n.reshape(h, end));
    if (lstm) cells.push_back(n.reshape(c, end));
  }
  if (op.wants(0)) op.out(0, n.concat(sequences, batch_first ? 2 : 1));
  op.out(1, n.concat(ends, batch_first ? 1 : 0));
  if (lstm) op.out(2, n.concat(cells, batch_first ? 1 : 0));
}

}  // namespace

std::vector<OpRow> recurrent_ops() {
  const std::string_view limits = "sequences of different lengths, more than 512 steps";
  return {{"RNN", "fully_connected, operators", import_recurrent, limits},
          {"GRU", "fully_connected, operators", import_recurrent, limits},
          {"LSTM", "fully_connected, operators", import_recurrent, limits}};
}

}  // namespace lbann::onnx
