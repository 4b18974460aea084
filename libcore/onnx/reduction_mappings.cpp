// Sums, means and moments in ONNX, and layers that scale, normalise or repeat entries.
#include <algorithm>

#include "onnx/mapping_families.hpp"
#include "onnx/mapping_helpers.hpp"

namespace lbann::onnx {
namespace {

/// ReduceSum takes its axes as an operand from operator set 13 on, the others as an attribute until 17.
std::string reduced(Nodes& node, const std::string& op, const std::string& from, const Dims& axes,
                    bool keep) {
  const std::int64_t keepdims = keep ? 1 : 0;
  if (op == "ReduceSum") return node(op, {from, node.integers(axes)}, "keepdims", keepdims);
  const std::string to = node(op, {from}, "axes", axes);
  if (keep) return to;
  return node("Squeeze", {to, node.integers(axes)});
}

/// Rows [channel, everything else] of every sample.
std::string channel_rows(Nodes& node, const MappedLayer& l) {
  const tensor::Shape& in = input_dims(l);
  return node.shaped(x(l), {in[0], in.num_elements() / in[0]});
}

void add_covariance(GraphWriter& w, const MappedLayer& l, bool biased) {
  Nodes node(w, l);
  const std::int64_t n = input_dims(l).num_elements();
  const auto centred = [&](const std::string& value) {
    const std::string flat = node("Flatten", {value}, "axis", std::int64_t{1});
    return node("Sub", {flat, reduced(node, "ReduceMean", flat, {1}, true)});
  };
  const std::string a = centred(l.inputs.front());
  const std::string b = l.inputs.size() > 1 ? centred(l.inputs[1]) : a;
  const std::string sum = reduced(node, "ReduceSum", node("Mul", {a, b}), {1}, true);
  node.result(node("Mul", {sum, node.number(1.0 / static_cast<double>(biased ? n : n - 1))}));
}

/// One weight [2, n]: the scales, then the biases; each half in the dims `part` of a sample.
void add_scale_bias(GraphWriter& w, const MappedLayer& l, const Dims& part) {
  Nodes node(w, l);
  const auto half = [&](std::int64_t i) {
    const std::string row =
        node("Slice", {l.weights[0], node.integers({i}), node.integers({i + 1}), node.integers({0})});
    Dims dims{1};
    dims.insert(dims.end(), part.begin(), part.end());
    return node("Reshape", {row, node.integers(dims)});
  };
  node.result(node("Add", {node("Mul", {x(l), half(0)}), half(1)}));
}

}  // namespace

void map_reduction(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const std::string& mode = params_of<Layer::Reduction>(l).mode();
  const bool mean = mode == "mean" || mode == "average";
  node.result(reduced(node, mean ? "ReduceMean" : "ReduceSum", flat_input(w, l), {1}, true));
}

void map_multidim_reduction(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const auto& p = params_of<Layer::MultiDimReduction>(l);
  Dims axes;
  for (const std::uint32_t axis : p.axes()) axes.push_back(std::int64_t{axis} + 1);
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  const std::string& mode = p.mode();
  const std::string op = mode == "max" || mode == "maximum"   ? "ReduceMax"
                         : mode == "min" || mode == "minimum" ? "ReduceMin"
                         : mode == "product" || mode == "mul" ? "ReduceProd"
                                                              : "ReduceSum";
  node.result(reduced(node, op, x(l), axes, false));
}

void map_batchwise_reduce_sum(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  node.result(node("Expand", {reduced(node, "ReduceSum", x(l), {0}, true), node("Shape", {x(l)})}));
}

void map_channelwise_mean(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  node.result(reduced(node, "ReduceMean", channel_rows(node, l), {2}, false));
}

void map_covariance(GraphWriter& w, const MappedLayer& l) {
  add_covariance(w, l, params_of<Layer::Covariance>(l).biased());
}
void map_variance(GraphWriter& w, const MappedLayer& l) {
  add_covariance(w, l, params_of<Layer::Variance>(l).biased());
}

void map_channelwise_scale_bias(GraphWriter& w, const MappedLayer& l) {
  Dims part(static_cast<std::size_t>(input_dims(l).rank()), 1);
  part[0] = input_dims(l)[0];
  add_scale_bias(w, l, part);
}
void map_entrywise_scale_bias(GraphWriter& w, const MappedLayer& l) {
  add_scale_bias(w, l, input_dims(l).dims());
}

/// With the running statistics, as in evaluation.
void map_entrywise_batch_normalization(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const double epsilon = params_of<Layer::EntrywiseBatchNormalization>(l).epsilon();
  const std::string root = node("Sqrt", {node("Add", {l.weights[1], node.number(epsilon)})});
  node.result(node("Div", {node("Sub", {x(l), l.weights[0]}), root}));
}

void map_instance_norm(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const auto& p = params_of<Layer::InstanceNorm>(l);
  const std::int64_t channels = input_dims(l)[0];
  const std::vector<double> ones(static_cast<std::size_t>(channels), 1), zeros(ones.size(), 0);
  const double epsilon = p.has_epsilon() ? p.epsilon().value() : 1e-5;
  node.result_shaped(
      node("InstanceNormalization",
           {channel_rows(node, l), node.numbers({channels}, ones), node.numbers({channels}, zeros)},
           "epsilon", epsilon));
}

void map_identity_zero(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  node.result(l.node.frozen ? node("Mul", {x(l), node.number(0)}) : x(l));
}

/// Whole copies, of which the last ones are cut.
void map_tessellate(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const auto& p = params_of<Layer::Tessellate>(l);
  const tensor::Shape& in = input_dims(l);
  Dims copies{1}, starts, ends, axes;
  for (int d = 0; d < in.rank(); ++d) {
    copies.push_back((p.dims(d) + in[d] - 1) / in[d]);
    starts.push_back(0);
    ends.push_back(p.dims(d));
    axes.push_back(d + 1);
  }
  const std::string tiled = node("Tile", {x(l), node.integers(copies)});
  node.result(node("Slice", {tiled, node.integers(starts), node.integers(ends), node.integers(axes)}));
}

/// [c, s0, 1, s1, 1] broadcast to [c, s0, f0, s1, f1] and read as [c, s0 f0, s1 f1].
void map_upsample(GraphWriter& w, const MappedLayer& l) {
  Nodes node(w, l);
  const tensor::Shape &in = input_dims(l), &out = l.trace.outputs.front();
  Dims apart{in[0]}, repeated{1, in[0]};
  for (int d = 1; d < in.rank(); ++d) {
    apart.insert(apart.end(), {in[d], 1});
    repeated.insert(repeated.end(), {in[d], out[d] / in[d]});
  }
  node.result_shaped(node("Expand", {node.shaped(x(l), apart), node.integers(repeated)}));
}

}  // namespace lbann::onnx
