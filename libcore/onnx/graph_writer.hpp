// Appends nodes, attributes and constants to an ONNX graph and keeps all its names apart.
//
// ONNX has one name space for inputs, initializers and results; LBANN has two (layers and weights), so a
// name that is taken gets underscores. The writer borrows the graph.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

namespace lbann::onnx {

class GraphWriter {
public:
  explicit GraphWriter(::onnx::GraphProto& graph) : graph_(graph) {}

  /// `wanted`, or a variant of it that nothing else is named.
  std::string unique_name(const std::string& wanted);

  /// A float tensor; dims empty: one number.
  std::string add_floats(const std::string& wanted, const std::vector<std::int64_t>& dims,
                         const std::vector<double>& values);
  /// A list of int64.
  std::string add_integers(const std::string& wanted, const std::vector<std::int64_t>& values);

  /// One node with one output. `output` must come from unique_name.
  ::onnx::NodeProto& add_node(std::string_view op, const std::vector<std::string>& inputs,
                              const std::string& output);

  std::size_t weight_bytes() const { return weight_bytes_; }

private:
  ::onnx::GraphProto& graph_;
  std::set<std::string> names_;
  std::size_t weight_bytes_ = 0;
};

void set_attribute(::onnx::NodeProto& node, const std::string& name, std::int64_t value);
void set_attribute(::onnx::NodeProto& node, const std::string& name, double value);
void set_attribute(::onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values);

}  // namespace lbann::onnx
