// See export.hpp. First which layers inference needs, then one row of the mapping table for each of them.
#include "onnx/export.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "base/philox.hpp"
#include "layers.pb.h"
#include "onnx/graph_writer.hpp"
#include "onnx/layer_mappings.hpp"
#include "optim/initializer.hpp"

namespace lbann::onnx {
namespace {

constexpr std::size_t max_bytes = (std::size_t{1} << 31) - (std::size_t{1} << 20);  // protobuf's, less names

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// Which layers are exported and which of them are outputs; by index of the layer graph.
struct Selection {
  std::vector<char> kept;
  std::vector<int> outputs;  // in execution order
};

bool is_samples(const model::LayerNode& layer) {
  const auto& p = dynamic_cast<const lbann_data::Layer::Input&>(*layer.params);
  return p.data_field().empty() || p.data_field() == "samples";
}

Selection select_layers(const model::LayerGraph& graph) {
  const std::size_t n = graph.layers.size();
  std::vector<char> left_out(n, 0), output(n, 0);
  for (const int i : graph.order) {
    const model::LayerNode& layer = graph.layers[at(i)];
    bool out = is_judge(layer.kind) || (layer.kind == "input" && !is_samples(layer));
    for (const int parent : layer.parents) out = out || left_out[at(parent)];
    left_out[at(i)] = out;
  }
  for (const int i : graph.order) {
    const model::LayerNode& layer = graph.layers[at(i)];
    if (!left_out[at(i)]) {
      if (layer.children.empty() && layer.kind != "input") output[at(i)] = 1;
      continue;
    }
    // A loss reads (prediction, truth): a truth that is made of the samples is no output.
    const std::size_t last =
        is_judge(layer.kind) ? std::min<std::size_t>(1, layer.parents.size()) : layer.parents.size();
    for (std::size_t k = 0; k < last; ++k) {
      const int parent = layer.parents[k];
      if (!left_out[at(parent)] && graph.layers[at(parent)].kind != "input") output[at(parent)] = 1;
    }
  }
  Selection s{std::vector<char>(n, 0), {}};
  for (auto it = graph.order.rbegin(); it != graph.order.rend(); ++it) {
    const model::LayerNode& layer = graph.layers[at(*it)];
    if (output[at(*it)]) {
      s.kept[at(*it)] = 1;
      s.outputs.insert(s.outputs.begin(), *it);
    }
    if (s.kept[at(*it)]) {
      for (const int parent : layer.parents) s.kept[at(parent)] = 1;
    }
  }
  return s;
}

class Exporter {
public:
  Exporter(const model::Experiment& experiment, const model::LayerGraph& graph,
           const model::LoweredModel& lowered, const WeightValues& values, base::Diagnostics& diagnostics)
    : experiment_(experiment),
      graph_(graph),
      lowered_(lowered),
      values_(values),
      diagnostics_(diagnostics),
      selection_(select_layers(graph)),
      writer_(*model_.mutable_graph()) {}

  std::string run(const ExportOptions& options) {
    model_.set_ir_version(7);
    model_.set_producer_name("LBANN");
    model_.set_producer_version(options.producer_version);
    ::onnx::OperatorSetIdProto& opset = *model_.add_opset_import();
    opset.set_domain("");
    opset.set_version(13);
    model_.mutable_graph()->set_name(graph_.model_name);
    if (selection_.outputs.empty()) {
      diagnostics_.error("no-output", experiment_.spans.span("model"),
                         "no layer computes a result from the samples: there is nothing to export");
      return {};
    }
    add_weights();
    for (const int i : graph_.order) {
      if (selection_.kept[at(i)]) add_layer(i);
    }
    for (const int i : selection_.outputs) add_outputs(i);
    if (diagnostics_.has_errors()) return {};
    return model_.SerializeAsString();
  }

private:
  const model::LayerTrace& trace_of(const std::string& name) const {
    const auto it =
        std::ranges::find_if(lowered_.layers, [&](const model::LayerTrace& t) { return t.name == name; });
    if (it == lowered_.layers.end()) throw std::logic_error("layer without a trace: " + name);
    return *it;
  }

  /// Before the layers, so that weights keep their names.
  void add_weights() {
    input_ = writer_.unique_name("samples");
    std::size_t bytes = 0;
    std::map<std::string, bool> used;
    for (const int i : graph_.order) {
      if (!selection_.kept[at(i)]) continue;
      for (const std::string& name : trace_of(graph_.layers[at(i)].name).weights) used[name] = true;
    }
    for (const model::LoweredWeight& weight : lowered_.weights) {
      if (!used.contains(weight.name)) continue;
      const std::vector<double>& values = values_.at(weight.name);
      bytes += values.size() * sizeof(float);
      if (bytes > max_bytes) {
        throw base::Error(base::ExitCode::config,
                          "the weights take more than 2 GB, the limit of an ONNX file",
                          "external data is not supported yet");
      }
      weights_[weight.name] = writer_.add_floats(weight.name, weight.shape.dims(), values);
    }
  }

  void add_layer(int index) {
    const model::LayerNode& layer = graph_.layers[at(index)];
    const model::LayerTrace& trace = trace_of(layer.name);
    if (layer.type == tensor::DataType::f64) {
      diagnostics_.warning("narrowed", layer.span,
                           fmt::format("layer '{}' computes in double, the ONNX model in float", layer.name));
    }
    if (layer.kind == "input") return add_input(index, trace);
    const LayerMapping mapping = try_mapping(layer.kind);
    std::vector<std::string>& outputs = values_of_[index];
    const std::size_t num_outputs =
        layer.kind == "slice" ? std::max<std::size_t>(1, layer.children.size()) : 1;
    for (std::size_t i = 0; i < num_outputs; ++i) {
      const std::string name = num_outputs == 1 ? layer.name : fmt::format("{}/{}", layer.name, i);
      outputs.push_back(writer_.unique_name(name));
    }
    if (mapping == nullptr) {
      return refuse(layer, {fmt::format("layers of kind '{}' cannot be written as ONNX yet", layer.kind)});
    }
    MappedLayer mapped{layer, trace, {}, {}, outputs};
    for (const int parent : layer.parents) mapped.inputs.push_back(value_for(parent, index));
    for (const std::string& weight : trace.weights) mapped.weights.push_back(weights_.at(weight));
    try {
      mapping(writer_, mapped);
    } catch (const NoMapping& e) {
      refuse(layer, e);
    }
  }

  void refuse(const model::LayerNode& layer, const NoMapping& reason) {
    diagnostics_.error("no-onnx-form", model::layer_span(experiment_, layer, reason.field),
                       fmt::format("layer '{}': {}", layer.name, reason.message));
  }

  /// What `parent` hands to its child.
  const std::string& value_for(int parent, int child) const {
    const std::vector<std::string>& values = values_of_.at(parent);
    if (values.size() == 1) return values.front();
    const std::vector<int>& children = graph_.layers[at(parent)].children;
    return values[at(static_cast<int>(std::ranges::find(children, child) - children.begin()))];
  }

  void add_input(int index, const model::LayerTrace& trace) {
    values_of_[index] = {input_};
    if (model_.graph().input_size() == 0) {
      add_value_info(*model_.mutable_graph()->add_input(), input_, trace.outputs.front());
    }
  }

  void add_outputs(int index) {
    const model::LayerTrace& trace = trace_of(graph_.layers[at(index)].name);
    const std::vector<std::string>& names = values_of_.at(index);
    for (std::size_t i = 0; i < names.size(); ++i) {
      add_value_info(*model_.mutable_graph()->add_output(), names[i],
                     trace.outputs[std::min(i, trace.outputs.size() - 1)]);
    }
  }

  static void add_value_info(::onnx::ValueInfoProto& info, const std::string& name,
                             const tensor::Shape& sample) {
    info.set_name(name);
    ::onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(::onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_param("N");
    for (const std::int64_t d : sample.dims()) type.mutable_shape()->add_dim()->set_dim_value(d);
  }

  const model::Experiment& experiment_;
  const model::LayerGraph& graph_;
  const model::LoweredModel& lowered_;
  const WeightValues& values_;
  base::Diagnostics& diagnostics_;
  Selection selection_;
  ::onnx::ModelProto model_;
  GraphWriter writer_;
  std::string input_;
  std::map<std::string, std::string> weights_;         // weights object -> initializer
  std::map<int, std::vector<std::string>> values_of_;  // layer -> what it produces
};

}  // namespace

std::string export_model(const model::Experiment& experiment, const model::LayerGraph& graph,
                         const model::LoweredModel& lowered, const WeightValues& values,
                         const ExportOptions& options, base::Diagnostics& diagnostics) {
  return Exporter(experiment, graph, lowered, values, diagnostics).run(options);
}

WeightValues make_initial_values(const model::LoweredModel& lowered, std::uint64_t seed) {
  WeightValues values;
  const std::uint64_t key = base::make_random_key(seed, 0);
  for (const model::LoweredWeight& weight : lowered.weights) {
    std::vector<double>& list = values[weight.name];
    list.resize(static_cast<std::size_t>(weight.shape.num_elements()));
    optim::fill_initial(weight.initializer, weight.target(), key, std::span<double>(list));
  }
  return values;
}

}  // namespace lbann::onnx
