// One attempt to import a graph: values by name, node by node. See onnx/import.hpp.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "onnx/import.hpp"
#include "onnx/import/op_table.hpp"

namespace lbann::onnx {

/// What went wrong, node by node.
struct Finding {
  std::string message;
  base::ExitCode code = base::ExitCode::check_failed;
  bool needs_whole_batch = false;
};

class Importer {
public:
  Importer(const ::onnx::ModelProto& model, const ImportOptions& options, const std::string& folder,
           bool batched);

  /// All inputs, nodes and outputs. Sound only when findings() is empty afterwards.
  void run();
  const std::vector<Finding>& findings() const { return findings_; }
  Network& network() { return network_; }
  const std::vector<ImportedTensor>& inputs() const { return inputs_; }
  const std::vector<ImportedTensor>& outputs() const { return outputs_; }
  const std::vector<std::int64_t>& sample_dims() const { return sample_dims_; }
  const std::vector<int>& output_layers() const { return output_layers_; }
  int num_nodes() const { return num_nodes_; }

private:
  using Scope = std::map<std::string, Value>;
  using Nodes = std::vector<const ::onnx::NodeProto*>;

  void read_initializers(const ::onnx::GraphProto& graph, Scope& scope);
  void read_inputs();
  Dims bound_dims(const ::onnx::ValueInfoProto& input);
  void read_outputs();
  /// Only what the outputs need, producers first; reports cycles and names nobody produces.
  Nodes order_nodes(const google::protobuf::RepeatedPtrField<::onnx::NodeProto>& nodes,
                    const std::set<std::string>& wanted, const Scope& scope);
  void import_nodes(const Nodes& nodes, Scope& scope, int depth);
  void import_node(const ::onnx::NodeProto& node, Scope& scope, int depth);
  bool import_function(const ::onnx::NodeProto& node, Scope& scope, int depth);
  void import_if(const ::onnx::NodeProto& node, Scope& scope, int depth);
  std::vector<Value> gather_inputs(const ::onnx::NodeProto& node, const Scope& scope, bool& broken);
  void store_outputs(const ::onnx::NodeProto& node, const std::vector<Value>& values, int first_layer,
                     Scope& scope);
  void report(const ::onnx::NodeProto& node, const std::string& reason, base::ExitCode code,
              bool whole_batch = false);
  std::int64_t opset_of(const std::string& domain) const;

  const ::onnx::ModelProto& model_;
  const ImportOptions& options_;
  std::string folder_;
  bool batched_;
  Network network_;
  Scope scope_;
  std::set<std::string> broken_;  // tensors whose nodes failed: what needs them is not reported again
  std::map<std::string, int> consumers_;
  std::vector<Finding> findings_;
  std::vector<ImportedTensor> inputs_, outputs_;
  std::vector<int> output_layers_;
  std::map<std::string, ::onnx::TensorProto> known_;
  std::vector<std::unique_ptr<google::protobuf::RepeatedPtrField<::onnx::NodeProto>>> bodies_;  // inlined
  std::vector<std::int64_t> sample_dims_;
  int num_nodes_ = 0;
};

}  // namespace lbann::onnx
