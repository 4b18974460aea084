// What kernels ask of their node: shapes, types, layouts, attributes; and the FunctionKernel that
// turns a closure into a Kernel. Everything a closure needs is copied out of the graph when the
// kernel is made; the graph need not outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/kernel.hpp"

namespace lbann::kernels {

class FunctionKernel final : public Kernel {
public:
  using Function = std::function<void(const KernelArgs&)>;
  explicit FunctionKernel(Function function) : function_(std::move(function)) {}
  void run(const KernelArgs& args) override { function_(args); }

private:
  Function function_;
};

inline std::unique_ptr<Kernel> make_function_kernel(FunctionKernel::Function function) {
  return std::make_unique<FunctionKernel>(std::move(function));
}

/// A node with its graph: short names for what kernels read.
struct NodeView {
  const graph::Graph& g;
  const graph::Node& n;

  NodeView(const graph::Graph& graph, graph::NodeId id) : g(graph), n(graph.node(id)) {}
  int num_inputs() const { return static_cast<int>(n.inputs.size()); }
  int num_outputs() const { return static_cast<int>(n.outputs.size()); }
  const graph::Value& in(int i) const { return g.value(n.inputs[static_cast<std::size_t>(i)]); }
  const graph::Value& out(int i) const { return g.value(n.outputs[static_cast<std::size_t>(i)]); }
  const tensor::Shape& in_shape(int i) const { return in(i).spec.shape; }
  const tensor::Shape& out_shape(int i = 0) const { return out(i).spec.shape; }
  tensor::DataType in_type(int i) const { return in(i).spec.type; }
  tensor::DataType out_type(int i = 0) const { return out(i).spec.type; }
  /// Throws base::Error (internal): "kernel 'ref.conv' of layer 'conv1': <what>".
  [[noreturn]] void refuse(std::string_view what) const;
  /// Throws unless all operands and results lie row-major.
  void check_plain() const;
  /// Throws unless the operands' (and results') types are all `type`.
  void check_types(tensor::DataType type) const;
};

/// An integer list attribute, `fallback` repeated `size` times when absent.
std::vector<std::int64_t> ints_or(const graph::Attrs& attrs, std::string_view name, int size,
                                  std::int64_t fallback);
/// Row-major strides in elements.
std::vector<std::int64_t> row_major_strides(const tensor::Shape& shape);
/// Row-major strides of `shape` with 0 where its extent is 1: reads it as broadcast to a larger shape.
std::vector<std::int64_t> broadcast_strides(const tensor::Shape& shape);

/// Sliding window over 1 to 3 spatial dims; missing leading dims have extent 1, stride 1, no padding.
struct Window {
  std::int64_t in[3] = {1, 1, 1};
  std::int64_t out[3] = {1, 1, 1};
  std::int64_t kernel[3] = {1, 1, 1};
  std::int64_t stride[3] = {1, 1, 1};
  std::int64_t pad[3] = {0, 0, 0};
  std::int64_t dilation[3] = {1, 1, 1};
  std::int64_t num_in() const { return in[0] * in[1] * in[2]; }
  std::int64_t num_out() const { return out[0] * out[1] * out[2]; }
  std::int64_t num_taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};
/// `x` and `y` are [n,c,spatial..]; `taps` the spatial window; strides, pads, dilations from attrs.
Window make_window(const tensor::Shape& x, const tensor::Shape& y, const std::vector<std::int64_t>& taps,
                   const graph::Attrs& attrs);

}  // namespace lbann::kernels
