// ONNX's normalizations and softmaxes.
#include <numeric>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

/// A vector of channels so that it broadcasts against [N,C,s..].
Value column(Network& n, const Value& v, int rank) {
  Dims dims(static_cast<std::size_t>(rank) - 1, 1);
  dims[0] = count_elements(v.dims);
  return n.reshape(v, dims);
}

/// (x - mean) / sqrt(var + eps)
Value centred(Network& n, const Value& x, const Value& mean, const Value& var, double epsilon) {
  const Value deviation = n.unary("Sqrt", n.with_constant("AddConstant", var, epsilon));
  return n.binary("Divide", n.binary("Subtract", x, mean), deviation);
}

struct Moments {
  Value mean, var;
};

Moments moments(Network& n, const Value& x, const std::vector<int>& axes) {
  Moments m;
  m.mean = n.reduce("mean", x, axes, true);
  m.var = n.reduce("mean", n.unary("Square", n.binary("Subtract", x, m.mean)), axes, true);
  return m;
}

bool known_vectors(const Op& op, std::size_t first, std::size_t last, std::int64_t size) {
  for (std::size_t i = first; i <= last; ++i) {
    if (op.in(i).constant == nullptr || op.in(i).constant->size() != size) return false;
  }
  return true;
}

void import_batch_normalization(Op& op) {
  Network& n = op.net();
  const Value& x = op.in(0);
  if (x.rank() < 2) refuse(to_text(x.dims) + " has no channels");
  const double epsilon = op.attr_real("epsilon", 1e-5);
  const std::int64_t channels = x.dims[1];
  if (x.batch_axis() == 0 && epsilon > 0 && known_vectors(op, 1, 4, channels)) {
    const Value y = n.add("batch_normalization", {x}, x.dims, true, x.type);
    auto& p = *n.message(y).mutable_batch_normalization();
    p.set_epsilon(epsilon);
    const double momentum = op.attr_real("momentum", 0.9);
    if (momentum > 0 && momentum < 1) p.set_decay(momentum);
    const char* const names[] = {"scale", "bias", "running_mean", "running_variance"};
    for (std::size_t i = 0; i < 4; ++i) n.add_weight(y, op.in(i + 1).constant, {channels}, names[i], i < 2);
    return op.out(y);
  }
  if (op.in(1).batched) throw NeedsWholeBatch("its scale has a mini-batch");
  const auto part = [&](std::size_t i) { return column(n, op.in(i), x.rank()); };
  if (op.attr("training_mode", 0) != 0) {
    // Statistics of these very numbers, and what they make of the running ones.
    std::vector<int> axes{0};
    for (int d = 2; d < x.rank(); ++d) axes.push_back(d);
    const Moments m = moments(n, x, axes);
    const double momentum = op.attr_real("momentum", 0.9);
    op.out(n.binary("Add", n.binary("Multiply", centred(n, x, m.mean, m.var, epsilon), part(1)), part(2)));
    const auto moved = [&](std::size_t i, const Value& now) {
      const Value flat = n.reshape(now, {channels});
      return n.binary("Add", n.with_constant("Scale", op.in(i), momentum),
                      n.with_constant("Scale", flat, 1 - momentum));
    };
    op.out(1, moved(3, m.mean));
    op.out(2, moved(4, m.var));
    return;
  }
  const Value normal = centred(n, x, part(3), part(4), epsilon);
  op.out(n.binary("Add", n.binary("Multiply", normal, part(1)), part(2)));
}

void import_instance_normalization(Op& op) {
  Network& n = op.net();
  const Value& x = op.in(0);
  if (x.rank() < 3) refuse(to_text(x.dims) + " has no spatial dims");
  const double epsilon = op.attr_real("epsilon", 1e-5);
  const std::int64_t channels = x.dims[1];
  if (x.batch_axis() == 0 && known_vectors(op, 1, 2, channels)) {
    const Value y = n.add("instance_norm", {x}, x.dims, true, x.type);
    n.message(y).mutable_instance_norm()->mutable_epsilon()->set_value(epsilon);
    const Value z = n.add("scale_bias", {y}, x.dims, true, x.type);
    n.message(z).mutable_channelwise_scale_bias();
    const Value both = n.concat({op.in(1), op.in(2)}, 0);
    n.add_weight(z, both.constant, {2, channels}, "scale_bias");
    return op.out(z);
  }
  std::vector<int> axes;
  for (int d = 2; d < x.rank(); ++d) axes.push_back(d);
  const Moments m = moments(n, x, axes);
  const Value normal = centred(n, x, m.mean, m.var, epsilon);
  op.out(n.binary("Add", n.binary("Multiply", normal, column(n, op.in(1), x.rank())),
                  column(n, op.in(2), x.rank())));
}

void import_layer_normalization(Op& op) {
  Network& n = op.net();
  const Value x = n.materialize(op.in(0));
  const int axis = op.axis("axis", -1, x.rank());
  if (x.batch_axis() >= axis) throw NeedsWholeBatch("the mini-batch is normalised");
  const double epsilon = op.attr_real("epsilon", 1e-5);
  const Dims tail(x.dims.begin() + axis, x.dims.end());
  const std::int64_t size = count_elements(tail);
  const auto fits = [&](std::size_t i) {
    return op.has(i) && op.in(i).constant != nullptr && op.in(i).dims == tail && is_real(op.in(i).type);
  };
  const bool scale = fits(1), bias = scale && fits(2) && size > 0;
  if (op.wants(1) || op.wants(2)) {
    std::vector<int> axes(tail.size());
    std::iota(axes.begin(), axes.end(), axis);
    const Moments m = moments(n, x, axes);
    op.out(1, m.mean);
    op.out(2, n.unary("Rsqrt", n.with_constant("AddConstant", m.var, epsilon)));
  }
  const Value y = n.add("layer_norm", {x}, x.dims, x.batched, x.type);
  auto& p = *n.message(y).mutable_layer_norm();
  p.mutable_epsilon()->set_value(epsilon);
  p.set_start_dim(axis - int{x.batched});
  p.set_scale(scale);
  p.set_bias(bias);
  if (scale) n.add_weight(y, op.in(1).constant, tail, "scale");
  if (bias) n.add_weight(y, op.in(2).constant, tail, "bias");
  Value z = y;
  if (op.has(1) && !scale) z = n.binary("Multiply", z, op.in(1));
  if (op.has(2) && !bias) z = n.binary("Add", z, op.in(2));
  op.out(z);
}

void import_rms_normalization(Op& op) {
  Network& n = op.net();
  const Value x = n.materialize(op.in(0));
  const int axis = op.axis("axis", -1, x.rank());
  std::vector<int> axes(static_cast<std::size_t>(x.rank() - axis));
  std::iota(axes.begin(), axes.end(), axis);
  const Value mean = n.reduce("mean", n.unary("Square", x), axes, true);
  const Value inverse = n.unary("Rsqrt", n.with_constant("AddConstant", mean, op.attr_real("epsilon", 1e-5)));
  op.out(n.binary("Multiply", n.binary("Multiply", x, inverse), op.in(1)));
}

void import_group_normalization(Op& op) {
  Network& n = op.net();
  const Value& x = op.in(0);
  const std::int64_t groups = op.attr("num_groups", 1);
  if (x.rank() < 2 || groups < 1 || x.dims[1] % groups != 0)
    refuse(fmt::format("{} groups of {}", groups, to_text(x.dims)));
  const std::int64_t rest = count_elements(Dims(x.dims.begin() + 1, x.dims.end())) / groups;
  const Value flat = n.reshape(x, {x.dims[0], groups, rest});
  const Moments m = moments(n, flat, {2});
  const Value normal = n.reshape(centred(n, flat, m.mean, m.var, op.attr_real("epsilon", 1e-5)), x.dims);
  const auto factor = [&](std::size_t i) {
    if (count_elements(op.in(i).dims) == x.dims[1]) return column(n, op.in(i), x.rank());
    // Operator sets 18 to 20: one number per group.
    const std::int64_t each = x.dims[1] / groups;
    const Value spread = n.expand(n.reshape(op.in(i), {groups, 1}), {groups, each});
    return column(n, spread, x.rank());
  };
  op.out(n.binary("Add", n.binary("Multiply", normal, factor(1)), factor(2)));
}

void import_mean_variance_normalization(Op& op) {
  Network& n = op.net();
  std::vector<int> axes;
  for (const std::int64_t a : op.attr_ints("axes")) axes.push_back(Network::wrap(a, op.in(0).rank()));
  if (axes.empty()) axes = {0, 2, 3};
  const Moments m = moments(n, op.in(0), axes);
  const Value deviation = n.with_constant("AddConstant", n.unary("Sqrt", m.var), 1e-9);
  op.out(n.binary("Divide", n.binary("Subtract", op.in(0), m.mean), deviation));
}

/// Before operator set 13 all dims from the axis on are one.
void softmax(Op& op, bool log) {
  Network& n = op.net();
  const Value& x = op.in(0);
  const auto apply = [&](const Value& v, int axis) {
    return log ? n.log_softmax(v, axis) : n.softmax(v, axis);
  };
  if (op.opset() >= 13) return op.out(apply(x, op.axis("axis", -1, x.rank())));
  const int axis = op.axis("axis", 1, x.rank());
  Dims flat(x.dims.begin(), x.dims.begin() + axis);
  flat.push_back(count_elements(Dims(x.dims.begin() + axis, x.dims.end())));
  op.out(n.reshape(apply(n.reshape(x, flat), axis), x.dims));
}
void import_softmax(Op& op) { softmax(op, false); }
void import_log_softmax(Op& op) { softmax(op, true); }

}  // namespace

std::vector<OpRow> normalization_ops() {
  return {{"BatchNormalization", "batch_normalization", import_batch_normalization,
           "the running statistics as outputs"},
          {"InstanceNormalization", "instance_norm, channelwise_scale_bias", import_instance_normalization},
          {"LayerNormalization", "layer_norm", import_layer_normalization},
          {"RMSNormalization", "reductions, operators", import_rms_normalization},
          {"GroupNormalization", "reductions, operators", import_group_normalization},
          {"MeanVarianceNormalization", "reductions, operators", import_mean_variance_normalization},
          {"Softmax", "softmax or channelwise_softmax", import_softmax},
          {"LogSoftmax", "log_softmax, or reductions and operators", import_log_softmax}};
}

}  // namespace lbann::onnx
