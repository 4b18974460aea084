// One ONNX node while it is imported: its inputs, attributes and outputs, and the network to write to.
//
// A row of the table (op_table.hpp) is a function that reads the node and calls out(). What it cannot express
// it refuses with a reason; the importer adds node and place and goes on with the other nodes, so that all
// reasons are reported together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onnx/import/network.hpp"

namespace lbann::onnx {

class Op {
public:
  Op(const ::onnx::NodeProto& node, std::int64_t opset, std::vector<Value> inputs, Network& network,
     const std::string& folder)
    : node_(node),
      opset_(opset),
      inputs_(std::move(inputs)),
      outputs_(static_cast<std::size_t>(node.output_size())),
      network_(network),
      folder_(folder) {}

  Network& net() { return network_; }
  const std::string& type() const { return node_.op_type(); }
  const ::onnx::NodeProto& node() const { return node_; }
  std::int64_t opset() const { return opset_; }

  std::size_t num_inputs() const { return inputs_.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i].present(); }
  /// Throws ImportError where the input is missing.
  const Value& in(std::size_t i) const;
  const std::vector<Value>& inputs() const { return inputs_; }
  bool all_constant() const;
  /// The numbers of an input that must be known: "the repeats are computed by the network".
  const std::vector<std::int64_t>& ints(std::size_t i, std::string_view what) const;
  const std::vector<double>& reals(std::size_t i, std::string_view what) const;
  const ConstantPtr& constant(std::size_t i, std::string_view what) const;
  double scalar(std::size_t i, std::string_view what) const;

  // Attributes; of the wrong type: ImportError.
  bool has_attr(std::string_view name) const { return find(name) != nullptr; }
  std::int64_t attr(std::string_view name, std::int64_t fallback) const;
  double attr_real(std::string_view name, double fallback) const;
  std::vector<std::int64_t> attr_ints(std::string_view name) const;
  std::vector<double> attr_reals(std::string_view name) const;
  std::string attr_text(std::string_view name, std::string_view fallback = "") const;
  const ::onnx::TensorProto* attr_tensor(std::string_view name) const;
  /// An axis attribute, counted from the end where negative.
  int axis(std::string_view name, std::int64_t fallback, int rank) const;
  /// Axes of an attribute (old operator sets) or of input i (newer ones); empty when absent.
  std::vector<std::int64_t> axes(std::string_view name, std::size_t i) const;

  std::size_t num_outputs() const { return outputs_.size(); }
  /// Whether somebody may read output i.
  bool wants(std::size_t i) const {
    return i < outputs_.size() && !node_.output(static_cast<int>(i)).empty();
  }
  void out(std::size_t i, Value v);
  void out(Value v) { out(0, std::move(v)); }
  const std::vector<Value>& outputs() const { return outputs_; }
  const std::string& folder() const { return folder_; }

private:
  const ::onnx::AttributeProto* find(std::string_view name) const;
  const ::onnx::AttributeProto* find(std::string_view name, ::onnx::AttributeProto_AttributeType type) const;

  const ::onnx::NodeProto& node_;
  std::int64_t opset_;
  std::vector<Value> inputs_;
  std::vector<Value> outputs_;
  Network& network_;
  const std::string& folder_;
};

[[noreturn]] void refuse(const std::string& reason);

}  // namespace lbann::onnx
