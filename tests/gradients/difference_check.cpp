// Reverse accumulation over a small graph and its evaluation with the naive kernels.
#include "difference_check.hpp"

#include <cmath>
#include <limits>
#include <memory>

#include "base/philox.hpp"
#include "graph/verifier.hpp"
#include "kernels/kernel.hpp"
#include "ops/verify.hpp"

namespace lbann::gradients {
namespace {

constexpr double step = 1e-5;

using graph::none;

// Runs a graph's nodes in order; buffers are kept, so that operands can be changed between runs.
class Evaluator {
public:
  explicit Evaluator(graph::Graph g) : g_(std::move(g)) {
    for (const graph::Value& v : g_.values) {
      buffers_.emplace_back(static_cast<std::size_t>(v.spec.num_bytes()) / sizeof(double) + 9,
                            std::numeric_limits<double>::quiet_NaN());
    }
    for (graph::NodeId id : g_.order) {
      graph::Node& n = g_.node(id);
      if (n.op == "input") continue;
      n.kernel = "ref." + n.op;
      kernels_.push_back({id, kernels::make_kernel(g_, id)});
    }
  }
  void run() {
    for (Step& s : kernels_) {
      std::vector<const void*> inputs;
      std::vector<void*> outputs;
      for (ValueId v : g_.node(s.id).inputs) inputs.push_back(data(v));
      for (ValueId v : g_.node(s.id).outputs) outputs.push_back(data(v));
      s.kernel->run({inputs.data(), outputs.data(), nullptr});
    }
  }
  // Buffers are to be 64-byte aligned.
  double* data(ValueId v) {
    double* p = buffers_[static_cast<std::size_t>(v)].data();
    const auto address = reinterpret_cast<std::uintptr_t>(p);
    return p + (64 - address % 64) % 64 / sizeof(double);
  }
  void set(ValueId v, const std::vector<double>& values) { std::copy(values.begin(), values.end(), data(v)); }
  std::vector<double> get(ValueId v) { return {data(v), data(v) + g_.shape(v).num_elements()}; }

private:
  struct Step {
    graph::NodeId id;
    std::unique_ptr<kernels::Kernel> kernel;
  };
  graph::Graph g_;
  std::vector<std::vector<double>> buffers_;
  std::vector<Step> kernels_;
};

// Appends the backward graph; returns the cotangents of all values.
std::vector<ValueId> accumulate(ops::Builder& b, std::vector<ValueId> cotangent) {
  const std::vector<graph::NodeId> forward = b.graph().order;
  for (auto it = forward.rbegin(); it != forward.rend(); ++it) {
    const graph::Node n = b.graph().node(*it);
    const ops::OpDef& def = ops::op(n.op);
    std::vector<ValueId> given;
    bool any = false;
    for (ValueId v : n.outputs) {
      given.push_back(cotangent[static_cast<std::size_t>(v)]);
      any = any || given.back() != none;
    }
    if (!any || !def.vjp) continue;
    ops::VjpArgs args{b, n, given, std::vector<bool>(n.inputs.size(), true)};
    const std::vector<ValueId> results = def.vjp(args);
    for (std::size_t i = 0; i < results.size(); ++i) {
      ValueId& sum = cotangent[static_cast<std::size_t>(n.inputs[i])];
      if (results[i] != none) sum = sum == none ? results[i] : b.add2(sum, results[i]);
    }
  }
  return cotangent;
}

}  // namespace

Operand make_operand(Shape shape, std::uint64_t seed, bool positive) {
  const std::int64_t count = shape.num_elements();
  const base::RandomStream stream(base::make_random_key(seed), base::make_stream("gradients", "operand"));
  std::vector<std::int64_t> rank(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < rank.size(); ++i) rank[i] = static_cast<std::int64_t>(i);
  base::shuffle(stream, rank);
  Operand operand{std::move(shape), {}, true};
  for (std::int64_t i = 0; i < count; ++i) {
    const double magnitude =
        0.2 + static_cast<double>(rank[static_cast<std::size_t>(i)]) / static_cast<double>(count) +
        0.1 / static_cast<double>(count) * static_cast<double>(seed % 7);
    const bool negative = !positive && stream.word(static_cast<std::uint64_t>(i)) % 2 == 1;
    operand.values.push_back(negative ? -magnitude : magnitude);
  }
  return operand;
}

Comparison compare(const std::vector<Operand>& operands, const Build& build) {
  graph::Graph g;
  ops::Builder b(g);
  std::vector<ValueId> inputs;
  for (const Operand& o : operands) {
    inputs.push_back(b.input("x" + std::to_string(inputs.size()), {tensor::DataType::f64, o.shape, {}}));
  }
  const std::vector<ValueId> outputs = build(b, inputs);
  Evaluator forward(g);

  std::vector<ValueId> cotangent(g.values.size(), none);
  std::vector<std::vector<double>> weights;
  std::vector<ValueId> seeds;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    weights.push_back(make_operand(g.shape(outputs[i]), 1000 + i).values);
    seeds.push_back(b.input("c" + std::to_string(i), {tensor::DataType::f64, g.shape(outputs[i]), {}}));
    cotangent[static_cast<std::size_t>(outputs[i])] = seeds.back();
  }
  cotangent = accumulate(b, std::move(cotangent));
  graph::check_graph(g);
  ops::check_ops(g);
  Evaluator backward(g);
  for (std::size_t i = 0; i < seeds.size(); ++i) backward.set(seeds[i], weights[i]);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    forward.set(inputs[i], operands[i].values);
    backward.set(inputs[i], operands[i].values);
  }
  backward.run();

  const auto loss = [&] {
    forward.run();
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const double* y = forward.data(outputs[i]);
      for (std::size_t k = 0; k < weights[i].size(); ++k) sum += weights[i][k] * y[k];
    }
    return sum;
  };
  Comparison result;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].wanted) continue;
    const ValueId d = cotangent[static_cast<std::size_t>(inputs[i])];
    const std::vector<double> analytic =
        d == none ? std::vector<double>(operands[i].values.size()) : backward.get(d);
    for (std::size_t k = 0; k < operands[i].values.size(); ++k) {
      double& x = forward.data(inputs[i])[k];
      const double at = x;
      x = at + step;
      const double above = loss();
      x = at - step;
      const double below = loss();
      x = at;
      const double numeric = (above - below) / (2 * step);
      double error = std::abs(analytic[k] - numeric) / std::max(1.0, std::abs(numeric));
      if (!(error <= std::numeric_limits<double>::max())) error = std::numeric_limits<double>::infinity();
      ++result.compared;
      if (std::abs(numeric) > 1e-3) ++result.nonzero;
      if (error > result.largest_error || result.worst.empty()) {
        result.largest_error = std::max(error, result.largest_error);
        result.worst = "operand " + std::to_string(i) + " [" + std::to_string(k) + "]: analytic " +
                       std::to_string(analytic[k]) + ", numeric " + std::to_string(numeric);
      }
    }
  }
  return result;
}

}  // namespace lbann::gradients
