// The network that an import builds: layers, their edges and weights, in terms of ONNX's dims.
//
// A Value is what an ONNX tensor became: a constant, or the output of a layer. Its dims are ONNX's. Where the
// tensor has a mini-batch it is the one dim of batch_extent, mostly the first, and the layer produces the
// others; otherwise the layer produces all dims as one sample. So a transposition that only moves the
// mini-batch is no layer. All functions below take ONNX's axes and dims and refuse what would mix samples of
// a mini-batch (NeedsWholeBatch). Names and parents are written at the very end, so that layers can be
// renamed as long as the network grows.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layers.pb.h"
#include "onnx/import/constant.hpp"

namespace lbann::onnx {

/// The operation acts along the mini-batch; an import of the whole batch as one sample may succeed.
struct NeedsWholeBatch : ImportError {
  using ImportError::ImportError;
};

struct Value {
  Dims dims{};
  bool batched = false;
  int type = ::onnx::TensorProto::FLOAT;
  int layer = -1;  // of the network; -1: a constant, or absent
  ConstantPtr constant{};
  bool present() const { return layer >= 0 || constant != nullptr; }
  int rank() const { return static_cast<int>(dims.size()); }
  /// Where the mini-batch is; -1: nowhere.
  int batch_axis() const;
  /// What the layer produces: never without a dim.
  Dims sample() const;
};

struct NetworkWeight {
  std::string name;
  ConstantPtr values;
  Dims dims;  // of its file
  bool trained = true;
};

struct NetworkLayer {
  std::string name;
  lbann_data::Layer message{};
  std::vector<int> parents{};
  std::vector<int> weights{};
  int uses = 0;             // layers that read it
  bool shared = false;      // stands for several tensors
  bool final_name = false;  // that of a tensor
};

class Network {
public:
  // ---- the mini-batch ----
  /// Seen with the mini-batch as the first dim, and from there at another place; no layer is needed.
  static Value batch_to_front(const Value& x);
  static Value back_from_front(const Value& x, int batch_axis);

  // ---- raw material ----
  /// A layer with an empty message; parents that appear twice are told apart by identities. The value's dims,
  /// batch flag and type are those given.
  Value add(const std::string& what, const std::vector<Value>& parents, Dims dims, bool batched, int type);
  lbann_data::Layer& message(const Value& v) { return at(v.layer).message; }
  NetworkLayer& at(int layer) { return layers_[static_cast<std::size_t>(layer)]; }
  /// Weights for the layer of v, in the order of the layer's requests. `dims` is the shape of the file.
  void add_weight(const Value& v, const ConstantPtr& values, Dims dims, const std::string& what,
                  bool trained = true);
  /// Names of new layers start with this.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
  void rename(int layer, const std::string& name);
  int num_layers() const { return static_cast<int>(layers_.size()); }
  const std::vector<NetworkLayer>& layers() const { return layers_; }
  const std::vector<NetworkWeight>& weights() const { return weights_; }
  /// A legal name that no layer has.
  std::string unique_name(const std::string& wanted);

  // ---- values ----
  /// A constant becomes a layer: `constant` where all elements are equal, else weights (trained when they are
  /// an initializer of real numbers and `trained`).
  Value materialize(const Value& v, bool trained = true);
  Value fill(double value, Dims dims, int type = ::onnx::TensorProto::FLOAT, bool batched = false);
  static Value of(ConstantPtr c);
  static Value known(Dims dims, std::vector<double> values, int type = ::onnx::TensorProto::FLOAT);
  static Value known(Dims dims, std::vector<std::int64_t> values);

  // ---- entrywise ----
  /// Name without "Operator": "Exp".
  Value unary(std::string_view op, const Value& x);
  Value with_constant(std::string_view op, const Value& x, double constant);  // "AddConstant", "Scale"
  Value clamp(const Value& x, double low, double high);
  /// Broadcasts as ONNX does. A scalar constant is folded into the operator where there is one for it.
  Value binary(std::string_view op, const Value& a, const Value& b);
  /// condition != 0 ? a : b
  Value select(const Value& condition, const Value& a, const Value& b);
  Value activation(std::string_view kind, const Value& x, double parameter = 0);  // relu, leaky_relu, elu

  // ---- movement ----
  Value reshape(const Value& x, const Dims& dims);
  Value transpose(const Value& x, const std::vector<int>& perm);
  Value slice(const Value& x, int axis, std::int64_t start, std::int64_t stop);
  Value concat(const std::vector<Value>& parts, int axis);
  Value expand(const Value& x, const Dims& dims);  // broadcast to these dims
  Value tile(const Value& x, const Dims& dims);    // repeats up to these dims
  Value pad(const Value& x, int axis, std::int64_t before, std::int64_t after, double value);
  /// The entries of an axis at given positions.
  Value take(const Value& x, int axis, const std::vector<std::int64_t>& indices);
  /// The axis times a constant matrix [rows][extent]: rows become the axis' extent.
  Value linear_map(const Value& x, int axis, std::int64_t rows, std::vector<double> matrix);

  // ---- reductions ----
  /// mode: sum, mean, max, min, product.
  Value reduce(std::string_view mode, const Value& x, std::vector<int> axes, bool keep);
  Value matmul(const Value& a, const Value& b, bool transpose_a = false, bool transpose_b = false);
  /// x times a known matrix along its last dim. `transposed`: the matrix is stored [out,in].
  Value dense(const Value& x, const ConstantPtr& matrix, bool transposed);
  Value softmax(const Value& x, int axis);
  Value log_softmax(const Value& x, int axis);
  /// Position of the largest (smallest) entry; dims kept with extent 1.
  Value arg(bool largest, bool last, const Value& x, int axis);
  /// 0, 1, .., n - 1 along an axis of `rank` dims.
  static Value iota(std::int64_t n, int axis, int rank);

  /// -1 counts from the end; throws ImportError outside.
  static int wrap(std::int64_t axis, int rank);

private:
  Value operator_layer(std::string_view op, const std::vector<Value>& parents, const std::string& parameters,
                       const Value& like);
  int sample_axis(const Value& x, int axis, const char* what) const;

  std::vector<NetworkLayer> layers_;
  std::vector<NetworkWeight> weights_;
  std::string prefix_;
  std::map<std::string, int> names_;         // taken, with the next number to try
  std::map<std::string, int> weight_names_;  // the same for weights
  std::map<std::pair<const Constant*, Dims>, int> shared_;
  std::map<ConstantPtr, Value> materialized_;
};

/// Result dims of ONNX's (NumPy's) broadcasting; throws ImportError.
Dims broadcast(const Dims& a, const Dims& b);

}  // namespace lbann::onnx
