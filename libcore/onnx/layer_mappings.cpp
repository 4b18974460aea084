// See layer_mappings.hpp. ONNX's pads list all beginnings, then all ends; ours are the same on both sides.
#include "onnx/layer_mappings.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "layers.pb.h"
#include "onnx/mapping_families.hpp"
#include "onnx/mapping_helpers.hpp"

namespace lbann::onnx {
namespace {

// ---- layers that compute with weights ---------------------------------------------------------

void map_fully_connected(GraphWriter& w, const MappedLayer& l) {
  std::vector<std::string> inputs{flat_input(w, l)};
  inputs.insert(inputs.end(), l.weights.begin(), l.weights.end());
  // The stored matrix is [in,out] (Gemm's own order), with `transpose` [out,in].
  set_attribute(w.add_node("Gemm", inputs, y(l)), "transB",
                std::int64_t{params_of<Layer::FullyConnected>(l).transpose()});
}

void map_convolution(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::Convolution>(l);
  const int rank = input_dims(l).rank() - 1;
  std::vector<std::string> inputs{x(l)};
  inputs.insert(inputs.end(), l.weights.begin(), l.weights.end());
  ::onnx::NodeProto& node = w.add_node("Conv", inputs, y(l));
  set_attribute(node, "kernel_shape", per_dim(p.kernel_size(), rank, 1));
  set_attribute(node, "strides", per_dim(p.stride(), rank, 1));
  set_attribute(node, "pads", both_sides(per_dim(p.padding(), rank, 0)));
  set_attribute(node, "dilations", per_dim(p.dilation(), rank, 1));
  set_attribute(node, "group", p.has_groups() ? std::int64_t{p.groups().value()} : std::int64_t{1});
}

void map_deconvolution(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::Deconvolution>(l);
  const int rank = input_dims(l).rank() - 1;
  std::vector<std::string> inputs{x(l)};
  inputs.insert(inputs.end(), l.weights.begin(), l.weights.end());
  ::onnx::NodeProto& node = w.add_node("ConvTranspose", inputs, y(l));
  set_attribute(node, "kernel_shape", per_dim(p.kernel_size(), rank, 1));
  set_attribute(node, "strides", per_dim(p.stride(), rank, 1));
  set_attribute(node, "pads", both_sides(per_dim(p.padding(), rank, 0)));
  set_attribute(node, "output_padding", per_dim(p.output_padding(), rank, 0));
  set_attribute(node, "dilations", per_dim(p.dilation(), rank, 1));
  set_attribute(node, "group", p.has_groups() ? std::int64_t{p.groups().value()} : std::int64_t{1});
}

/// ONNX divides alpha by the window too, and its even windows look the same way.
void map_local_response_normalization(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::LocalResponseNormalization>(l);
  ::onnx::NodeProto& node = w.add_node("LRN", {x(l)}, y(l));
  set_attribute(node, "size", std::int64_t{p.window_width()});
  set_attribute(node, "alpha", p.lrn_alpha());
  set_attribute(node, "beta", p.lrn_beta());
  set_attribute(node, "bias", p.lrn_k());
}

/// With the running statistics, as in evaluation.
void map_batch_normalization(GraphWriter& w, const MappedLayer& l) {
  const double epsilon = params_of<Layer::BatchNormalization>(l).epsilon();
  std::vector<std::string> inputs{x(l)};
  inputs.insert(inputs.end(), l.weights.begin(), l.weights.end());
  set_attribute(w.add_node("BatchNormalization", inputs, y(l)), "epsilon", epsilon == 0 ? 1e-5 : epsilon);
}

// ---- activations and pooling ------------------------------------------------------------------

void map_relu(GraphWriter& w, const MappedLayer& l) { w.add_node("Relu", {x(l)}, y(l)); }

void map_leaky_relu(GraphWriter& w, const MappedLayer& l) {
  const double slope = params_of<Layer::LeakyRelu>(l).negative_slope();
  set_attribute(w.add_node("LeakyRelu", {x(l)}, y(l)), "alpha", slope == 0 ? 0.01 : slope);
}

void map_elu(GraphWriter& w, const MappedLayer& l) {
  const double alpha = params_of<Layer::Elu>(l).alpha();
  set_attribute(w.add_node("Elu", {x(l)}, y(l)), "alpha", alpha == 0 ? 1.0 : alpha);
}

/// Over the whole sample: flat and back.
void map_instance_softmax(GraphWriter& w, const MappedLayer& l, std::string_view op) {
  const bool flat = input_dims(l).rank() == 1;
  const std::string from = flat_input(w, l);
  const std::string to = flat ? y(l) : inner(w, l, "softmax");
  set_attribute(w.add_node(op, {from}, to), "axis", std::int64_t{1});
  if (!flat) add_reshape(w, l, to, input_dims(l));
}

void map_softmax(GraphWriter& w, const MappedLayer& l) {
  if (params_of<Layer::Softmax>(l).softmax_mode() != "channel") return map_instance_softmax(w, l, "Softmax");
  set_attribute(w.add_node("Softmax", {x(l)}, y(l)), "axis", std::int64_t{1});
}

void map_log_softmax(GraphWriter& w, const MappedLayer& l) { map_instance_softmax(w, l, "LogSoftmax"); }

void map_pooling(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::Pooling>(l);
  const int rank = input_dims(l).rank() - 1;
  const auto list = [&](const auto& many, std::int64_t one) {
    return p.has_vectors() ? per_dim(many, rank, 0) : Dims(static_cast<std::size_t>(rank), one);
  };
  const bool max = p.pool_mode() == "max";
  ::onnx::NodeProto& node = w.add_node(max ? "MaxPool" : "AveragePool", {x(l)}, y(l));
  set_attribute(node, "kernel_shape", list(p.pool_dims(), p.pool_dims_i()));
  set_attribute(node, "strides", list(p.pool_strides(), p.pool_strides_i()));
  set_attribute(node, "pads", both_sides(list(p.pool_pads(), p.pool_pads_i())));
  if (!max) set_attribute(node, "count_include_pad", std::int64_t{p.pool_mode() == "average"});
}

// ---- layers that move entries -----------------------------------------------------------------

void map_same(GraphWriter& w, const MappedLayer& l) { w.add_node("Identity", {x(l)}, y(l)); }

void map_reshape(GraphWriter& w, const MappedLayer& l) { add_reshape(w, l, x(l), l.trace.outputs.front()); }

void map_concatenation(GraphWriter& w, const MappedLayer& l) {
  set_attribute(w.add_node("Concat", l.inputs, y(l)), "axis", params_of<Layer::Concatenation>(l).axis() + 1);
}

void map_slice(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::Slice>(l);
  const std::string axes = w.add_integers(l.node.name + "/axes", {p.axis() + 1});
  for (std::size_t i = 0; i < l.outputs.size(); ++i) {
    const int child = static_cast<int>(i);
    const std::string from = w.add_integers(l.node.name + "/starts", {p.slice_points(child)});
    const std::string to = w.add_integers(l.node.name + "/ends", {p.slice_points(child + 1)});
    w.add_node("Slice", {x(l), from, to, axes}, l.outputs[i]);
  }
}

// ---- entrywise combinations -------------------------------------------------------------------

/// Folded from the left, as the layers do it: the order of roundings is part of the result.
void add_fold(GraphWriter& w, const MappedLayer& l, std::string_view op,
              const std::vector<std::string>& terms) {
  if (terms.size() == 1) {
    w.add_node("Identity", terms, y(l));
    return;
  }
  std::string sum = terms.front();
  for (std::size_t i = 1; i < terms.size(); ++i) {
    const std::string to = i + 1 == terms.size() ? y(l) : inner(w, l, "partial");
    w.add_node(op, {sum, terms[i]}, to);
    sum = to;
  }
}

void map_sum(GraphWriter& w, const MappedLayer& l) { add_fold(w, l, "Add", l.inputs); }
void map_hadamard(GraphWriter& w, const MappedLayer& l) { add_fold(w, l, "Mul", l.inputs); }

void map_weighted_sum(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::WeightedSum>(l);
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < l.inputs.size(); ++i) {
    const std::string factor = add_constant(w, l, "factor", p.scaling_factors(static_cast<int>(i)));
    terms.push_back(inner(w, l, "term"));
    w.add_node("Mul", {l.inputs[i], factor}, terms.back());
  }
  add_fold(w, l, "Add", terms);
}

// ---- sequences --------------------------------------------------------------------------------

void map_matmul(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::MatMul>(l);
  const bool stacked = input_dims(l).rank() == 3;
  const Dims swap = stacked ? Dims{0, 1, 3, 2} : Dims{0, 2, 1};
  const std::string a = p.transpose_a() ? add_transposed(w, l, l.inputs[0], swap) : l.inputs[0];
  const std::string b = p.transpose_b() ? add_transposed(w, l, l.inputs[1], swap) : l.inputs[1];
  w.add_node("MatMul", {a, b}, y(l));
}

void map_channelwise_fully_connected(GraphWriter& w, const MappedLayer& l) {
  const tensor::Shape& in = input_dims(l);
  const std::string rows = add_shaped(w, l, x(l), {in[0], in.num_elements() / in[0]});
  const bool transpose = params_of<Layer::ChannelwiseFullyConnected>(l).transpose().value();
  const std::string matrix = transpose ? add_transposed(w, l, l.weights[0], {1, 0}) : l.weights[0];
  std::string product = inner(w, l, "product");
  w.add_node("MatMul", {rows, matrix}, product);
  if (l.weights.size() > 1) {
    const std::string sum = inner(w, l, "sum");
    w.add_node("Add", {product, l.weights[1]}, sum);
    product = sum;
  }
  add_reshape(w, l, product, l.trace.outputs.front());
}

void map_permute(GraphWriter& w, const MappedLayer& l) {
  Dims perm{0};
  for (const std::uint32_t axis : params_of<Layer::TensorPermute>(l).axes()) perm.push_back(axis + 1);
  for (auto d = static_cast<std::int64_t>(perm.size()); d <= input_dims(l).rank(); ++d) perm.push_back(d);
  set_attribute(w.add_node("Transpose", {x(l)}, y(l)), "perm", perm);
}

void map_channelwise_softmax(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::ChannelwiseSoftmax>(l);
  const tensor::Shape& in = input_dims(l);
  const std::int64_t dim = p.dim() < 0 ? p.dim() + in.rank() : p.dim();
  if (p.single_dim_mode()) {
    set_attribute(w.add_node("Softmax", {x(l)}, y(l)), "axis", dim + 1);
    return;
  }
  const std::int64_t kept = in[static_cast<int>(dim)], rest = in.num_elements() / kept;
  const std::string flat = add_shaped(w, l, x(l), dim == 0 ? Dims{kept, rest} : Dims{rest, kept});
  const std::string soft = inner(w, l, "softmax");
  set_attribute(w.add_node("Softmax", {flat}, soft), "axis", std::int64_t{dim == 0 ? 2 : 1});
  add_reshape(w, l, soft, in);
}

/// Operator set 13 has no LayerNormalization: written out.
void map_layer_norm(GraphWriter& w, const MappedLayer& l) {
  const auto& p = params_of<Layer::LayerNorm>(l);
  const int rank = input_dims(l).rank();
  Dims axes;
  for (std::int64_t d = p.start_dim() < 0 ? p.start_dim() + rank : p.start_dim(); d < rank; ++d) {
    axes.push_back(d + 1);
  }
  const auto step = [&](const char* op, std::vector<std::string> operands, const char* what) {
    const std::string to = inner(w, l, what);
    ::onnx::NodeProto& node = w.add_node(op, operands, to);
    if (std::string_view(op) == "ReduceMean") set_attribute(node, "axes", axes);
    return to;
  };
  const double epsilon = p.has_epsilon() ? p.epsilon().value() : 1e-5;
  const std::string centred = step("Sub", {x(l), step("ReduceMean", {x(l)}, "mean")}, "centred");
  const std::string var = step("ReduceMean", {step("Mul", {centred, centred}, "squares")}, "variance");
  const std::string root =
      step("Sqrt", {step("Add", {var, add_constant(w, l, "epsilon", epsilon)}, "raised")}, "root");
  std::string value = step("Div", {centred, root}, "normal");
  std::size_t next = 0;
  if (p.scale()) value = step("Mul", {value, l.weights[next++]}, "scaled");
  if (p.bias()) value = step("Add", {value, l.weights[next]}, "shifted");
  w.add_node("Identity", {value}, y(l));
}

constexpr std::pair<std::string_view, LayerMapping> mappings[] = {
    {"fully_connected", map_fully_connected},
    {"convolution", map_convolution},
    {"deconvolution", map_deconvolution},
    {"local_response_normalization", map_local_response_normalization},
    {"dropout", map_same},
    {"selu_dropout", map_same},
    {"batch_normalization", map_batch_normalization},
    {"relu", map_relu},
    {"leaky_relu", map_leaky_relu},
    {"elu", map_elu},
    {"softmax", map_softmax},
    {"log_softmax", map_log_softmax},
    {"pooling", map_pooling},
    {"identity", map_same},
    {"split", map_same},
    {"reshape", map_reshape},
    {"concatenation", map_concatenation},
    {"slice", map_slice},
    {"sum", map_sum},
    {"weighted_sum", map_weighted_sum},
    {"hadamard", map_hadamard},
    {"operator_layer", map_operator_layer},
    {"matmul", map_matmul},
    {"permute", map_permute},
    {"channelwise_fully_connected", map_channelwise_fully_connected},
    {"channelwise_softmax", map_channelwise_softmax},
    {"layer_norm", map_layer_norm},
    {"stop_gradient", map_same},
    {"dummy", map_same},
    {"evaluation", map_same},
    {"identity_zero", map_identity_zero},
    {"embedding", map_embedding},
    {"gather", map_gather},
    {"scatter", map_scatter},
    {"argmax", map_argmax},
    {"argmin", map_argmin},
    {"one_hot", map_one_hot},
    {"sort", map_sort},
    {"in_top_k", map_in_top_k},
    {"reduction", map_reduction},
    {"multidim_reduction", map_multidim_reduction},
    {"batchwise_reduce_sum", map_batchwise_reduce_sum},
    {"channelwise_mean", map_channelwise_mean},
    {"covariance", map_covariance},
    {"variance", map_variance},
    {"channelwise_scale_bias", map_channelwise_scale_bias},
    {"entrywise_scale_bias", map_entrywise_scale_bias},
    {"entrywise_batch_normalization", map_entrywise_batch_normalization},
    {"instance_norm", map_instance_norm},
    {"tessellate", map_tessellate},
    {"crop", map_crop},
    {"upsample", map_upsample},
};

constexpr std::string_view judges[] = {
    "cross_entropy", "mean_squared_error",   "mean_absolute_error",       "l1_norm",
    "l2_norm2",      "categorical_accuracy", "top_k_categorical_accuracy"};

}  // namespace

LayerMapping try_mapping(std::string_view kind) {
  for (const auto& [name, mapping] : mappings) {
    if (name == kind) return mapping;
  }
  return nullptr;
}

bool is_judge(std::string_view kind) { return std::ranges::find(judges, kind) != std::end(judges); }

}  // namespace lbann::onnx
