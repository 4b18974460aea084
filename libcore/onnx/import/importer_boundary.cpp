// Inputs, initializers and outputs of an imported graph. See importer.hpp.
#include <algorithm>

#include <fmt/format.h>

#include "onnx/import/fold.hpp"
#include "onnx/import/importer.hpp"

namespace lbann::onnx {

Importer::Importer(const ::onnx::ModelProto& model, const ImportOptions& options, const std::string& folder,
                   bool batched)
  : model_(model), options_(options), folder_(folder), batched_(batched) {}

void Importer::run() {
  const ::onnx::GraphProto& graph = model_.graph();
  read_initializers(graph, scope_);
  read_inputs();
  if (!findings_.empty()) return;
  std::set<std::string> wanted;
  for (const auto& output : graph.output()) wanted.insert(output.name());
  for (const auto& node : graph.node()) {
    for (const std::string& name : node.input()) ++consumers_[name];
  }
  for (const auto& output : graph.output()) ++consumers_[output.name()];
  import_nodes(order_nodes(graph.node(), wanted, scope_), scope_, 0);
  if (findings_.empty()) read_outputs();
}

void Importer::read_initializers(const ::onnx::GraphProto& graph, Scope& scope) {
  if (graph.sparse_initializer_size() > 0) {
    findings_.push_back({fmt::format("initializer '{}': sparse tensors cannot be imported",
                                     graph.sparse_initializer(0).values().name())});
  }
  for (const auto& tensor : graph.initializer()) {
    try {
      scope[tensor.name()] =
          Network::of(std::make_shared<Constant>(tensor.name(), TensorSource(tensor, folder_)));
    } catch (const Malformed& e) {
      findings_.push_back(
          {fmt::format("initializer '{}': {}", tensor.name(), e.what()), base::ExitCode::data});
    } catch (const ImportError& e) {
      findings_.push_back({fmt::format("initializer '{}': {}", tensor.name(), e.what())});
    } catch (const base::Error& e) {
      findings_.push_back({fmt::format("initializer '{}': {}", tensor.name(), e.what()), e.code()});
    }
  }
}

/// The dims of an input: from --shape, else the model's own.
Dims Importer::bound_dims(const ::onnx::ValueInfoProto& input) {
  const auto& type = input.type().tensor_type();
  const auto given = options_.shapes.find(input.name());
  Dims dims;
  if (given != options_.shapes.end()) {
    dims = given->second;
    if (type.has_shape() && type.shape().dim_size() != static_cast<int>(dims.size())) {
      throw Malformed(
          fmt::format("--shape gives {} dims, the model has {}", dims.size(), type.shape().dim_size()));
    }
    if (batched_ && !dims.empty()) dims[0] = batch_extent;
    return dims;
  }
  if (!type.has_shape()) {
    refuse(fmt::format("its dims are not in the model; give them with --shape '{}=..,..'", input.name()));
  }
  for (const auto& d : type.shape().dim()) {
    if (dims.empty() && batched_) {
      dims.push_back(batch_extent);
      continue;
    }
    if (d.has_dim_value() && d.dim_value() > 0) {
      dims.push_back(d.dim_value());
      continue;
    }
    const auto symbol = options_.shapes.find(d.dim_param());
    if (!d.dim_param().empty() && symbol != options_.shapes.end() && symbol->second.size() == 1) {
      dims.push_back(symbol->second[0]);
    } else if (dims.empty() && !batched_) {
      dims.push_back(1);
    } else if (d.dim_param().empty()) {
      refuse(fmt::format("dim {} has no extent; give all dims with --shape '{}=..,..'", dims.size(),
                         input.name()));
    } else {
      refuse(fmt::format("dim {} is '{}'; give its extent with --shape '{}=..'", dims.size(), d.dim_param(),
                         d.dim_param()));
    }
  }
  return dims;
}

void Importer::read_inputs() {
  std::vector<Value> values;
  std::vector<std::string> names;
  for (const auto& input : model_.graph().input()) {
    if (scope_.count(input.name()) > 0) continue;  // the default of an initializer
    const auto known = options_.known_inputs.find(input.name());
    try {
      if (known != options_.known_inputs.end()) {
        ::onnx::TensorProto& tensor = known_[input.name()];
        if (!tensor.ParseFromString(known->second)) throw Malformed("the value given is no TensorProto");
        scope_[input.name()] =
            Network::of(std::make_shared<Constant>(input.name(), TensorSource(tensor, folder_)));
        continue;
      }
      if (!input.type().has_tensor_type()) refuse("it is no tensor");
      Value v;
      v.type = input.type().tensor_type().elem_type();
      if (!is_real(v.type) && !is_integer(v.type)) refuse("elements of type " + type_name(v.type));
      v.dims = bound_dims(input);
      v.batched = batched_ && !v.dims.empty();
      if (count_elements(v.sample()) == 0) throw Malformed("it has no elements: " + to_text(v.dims));
      if (count_elements(v.sample()) > (std::int64_t{1} << 31)) refuse("a sample of " + to_text(v.sample()));
      values.push_back(v);
      names.push_back(input.name());
    } catch (const Malformed& e) {
      findings_.push_back({fmt::format("input '{}': {}", input.name(), e.what()), base::ExitCode::data});
    } catch (const ImportError& e) {
      findings_.push_back({fmt::format("input '{}': {}", input.name(), e.what())});
    }
  }
  if (!findings_.empty()) return;
  network_.set_prefix("");
  const auto add_input = [&](const std::string& name, const Value& like) {
    const Value v = network_.add(name, {}, like.dims, like.batched, like.type);
    network_.message(v).mutable_input()->set_data_field("samples");
    network_.at(v.layer).final_name = true;
    network_.at(v.layer).shared = true;
    return v;
  };
  if (values.size() == 1) {
    scope_[names[0]] = add_input(names[0], values[0]);
    sample_dims_ = values[0].sample();
    inputs_.push_back(
        {names[0], network_.at(0).name, sample_dims_, values[0].batched, type_name(values[0].type)});
    return;
  }
  // Readers deliver one list of numbers per sample: the inputs lie in it one after the other.
  std::int64_t total = 0;
  for (const Value& v : values) total += count_elements(v.sample());
  if (values.empty()) return;
  Value all;
  all.batched = batched_;
  all.dims = batched_ ? Dims{batch_extent, total} : Dims{total};
  all = add_input("samples", all);
  sample_dims_ = {total};
  std::int64_t start = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t size = count_elements(values[i].sample());
    network_.set_prefix(names[i]);
    Value part = network_.slice(all, all.batched ? 1 : 0, start, start + size);
    start += size;
    const bool batched = values[i].batched || !batched_;
    if (!batched) {
      findings_.push_back({fmt::format("input '{}': it has no dims and therefore no mini-batch", names[i]),
                           base::ExitCode::check_failed, true});
      return;
    }
    Value shaped = network_.reshape(part, values[i].dims);
    shaped.type = values[i].type;
    NetworkLayer& layer = network_.at(shaped.layer);
    if (!layer.final_name) network_.rename(shaped.layer, names[i]);
    layer.final_name = true;
    layer.shared = true;
    scope_[names[i]] = shaped;
    inputs_.push_back({names[i], network_.at(shaped.layer).name, values[i].sample(), values[i].batched,
                       type_name(values[i].type)});
  }
}

void Importer::read_outputs() {
  network_.set_prefix("");
  std::set<int> taken;
  if (model_.graph().output_size() == 0) {
    findings_.push_back({"the graph has no outputs", base::ExitCode::data});
  }
  for (const auto& output : model_.graph().output()) {
    const auto found = scope_.find(output.name());
    if (found == scope_.end() || !found->second.present()) {
      if (broken_.count(output.name()) > 0) continue;
      const bool exists = found != scope_.end();
      findings_.push_back({fmt::format("output '{}': {}", output.name(),
                                       exists ? "it cannot be imported" : "no node produces it"),
                           exists ? base::ExitCode::check_failed : base::ExitCode::data});
      continue;
    }
    try {
      Value v = network_.materialize(found->second, false);
      if (v.batch_axis() > 0) throw NeedsWholeBatch("its mini-batch is not the first dim");
      // Every output is a layer of its own that nobody else reads.
      const NetworkLayer& layer = network_.at(v.layer);
      if (layer.uses > 0 || layer.name != output.name() || !taken.insert(v.layer).second) {
        const Value own = network_.add(output.name(), {v}, v.dims, v.batched, v.type);
        network_.message(own).mutable_identity();
        v = own;
        taken.insert(v.layer);
      }
      output_layers_.push_back(v.layer);
      outputs_.push_back({output.name(), "", v.sample(), v.batched, type_name(v.type)});
    } catch (const NeedsWholeBatch& e) {
      findings_.push_back(
          {fmt::format("output '{}': {}", output.name(), e.what()), base::ExitCode::check_failed, true});
    } catch (const ImportError& e) {
      findings_.push_back({fmt::format("output '{}': {}", output.name(), e.what())});
    }
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].layer = network_.at(output_layers_[i]).name;
}

}  // namespace lbann::onnx
