// See import.hpp: reading the file, the two ways to see the mini-batch, and the text of the result.
#include "onnx/import.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>

#include "base/files.hpp"
#include "lbann.pb.h"
#include "onnx/import/importer.hpp"

namespace lbann::onnx {
namespace {

constexpr std::int64_t newest_opset = 27;

/// Layers that an output needs.
std::vector<char> live_layers(Network& network, const std::vector<int>& outputs) {
  std::vector<char> live(static_cast<std::size_t>(network.num_layers()), 0);
  std::vector<int> open = outputs;
  while (!open.empty()) {
    const int i = open.back();
    open.pop_back();
    if (live[static_cast<std::size_t>(i)]) continue;
    live[static_cast<std::size_t>(i)] = 1;
    for (const int p : network.at(i).parents) open.push_back(p);
  }
  return live;
}

/// Legal and unique as a file.
std::string file_name(const std::string& weights, std::map<std::string, int>& taken) {
  std::string name;
  for (const char c : weights) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  if (name.empty() || name[0] == '.') name.insert(0, "_");
  if (name.size() > 180) name.resize(180);
  const int number = taken[name]++;
  return number == 0 ? name + ".npy" : fmt::format("{}~{}.npy", name, number + 1);
}

}  // namespace

struct ImportedModel::Storage {
  ::onnx::ModelProto model;
  std::unique_ptr<Importer> importer;
  std::vector<std::pair<std::string, int>> files;  // name, weights of the network
};

ImportedModel::ImportedModel() = default;
ImportedModel::~ImportedModel() = default;
ImportedModel::ImportedModel(ImportedModel&&) noexcept = default;
ImportedModel& ImportedModel::operator=(ImportedModel&&) noexcept = default;

void ImportedModel::write_weights(const std::string& folder) const {
  for (const auto& [name, index] : storage->files) {
    const NetworkWeight& w = storage->importer->network().weights()[static_cast<std::size_t>(index)];
    w.values->write_npy(folder + "/" + name, w.dims);
  }
}

namespace {

void write_text(ImportedModel& result, const ImportOptions& options) {
  ImportedModel::Storage& s = *result.storage;
  Network& network = s.importer->network();
  const std::vector<char> live = live_layers(network, s.importer->output_layers());
  lbann_data::LbannPB experiment;
  lbann_data::Model& model = *experiment.mutable_model();
  const std::string& graph_name = s.model.graph().name();
  if (!graph_name.empty()) model.set_name(graph_name);
  std::vector<int> used(network.weights().size(), 0);
  for (int i = 0; i < network.num_layers(); ++i) {
    if (!live[static_cast<std::size_t>(i)]) continue;
    NetworkLayer& layer = network.at(i);
    lbann_data::Layer& out = *model.add_layer();
    out = layer.message;
    out.set_name(layer.name);
    for (const int p : layer.parents) out.add_parents(network.at(p).name);
    for (const int w : layer.weights) {
      out.add_weights(network.weights()[static_cast<std::size_t>(w)].name);
      used[static_cast<std::size_t>(w)] = 1;
    }
    ++result.num_layers;
  }
  std::map<std::string, int> taken;
  for (std::size_t w = 0; w < used.size(); ++w) {
    if (used[w] == 0) continue;
    const NetworkWeight& weight = network.weights()[w];
    lbann_data::Weights& out = *model.add_weights();
    out.set_name(weight.name);
    s.files.emplace_back(file_name(weight.name, taken), static_cast<int>(w));
    out.mutable_initializer()->mutable_numpy_initializer()->set_file(options.weights_folder + "/" +
                                                                     s.files.back().first);
    if (!weight.trained) out.mutable_optimizer()->mutable_no_optimizer();
    result.num_weights += weight.values->size();
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetExpandAny(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string body;
  printer.PrintToString(experiment, &body);
  const auto describe = [&](const char* what, const std::vector<ImportedTensor>& list) {
    for (const ImportedTensor& t : list) {
      result.text += fmt::format("# {} '{}' {} {}, layer '{}'\n", what, t.name, t.type,
                                 to_text(t.dims) + (t.batched ? " per sample" : ""), t.layer);
    }
  };
  std::string name = graph_name;
  std::replace(name.begin(), name.end(), '\n', ' ');
  result.text = fmt::format("# Imported by lbann-convert from an ONNX model{}.\n",
                            s.model.producer_name().empty() ? "" : " of " + s.model.producer_name());
  std::replace(result.text.begin(), result.text.end() - 1, '\n', ' ');
  describe("input", result.inputs);
  describe("output", result.outputs);
  result.text += body;
}

ImportedModel import_parsed(std::unique_ptr<ImportedModel::Storage> storage, const std::string& name,
                            const std::string& folder, const ImportOptions& options,
                            base::Diagnostics& diagnostics) {
  ImportedModel result;
  result.storage = std::move(storage);
  const ::onnx::ModelProto& model = result.storage->model;
  const auto error = [&](const std::string& message, base::ExitCode code, const std::string& help = "") {
    base::Diagnostic d;
    d.id = code == base::ExitCode::check_failed ? "onnx-unsupported" : "onnx-invalid";
    d.message = name + ": " + message;
    d.help = help;
    d.code = code;
    diagnostics.add(std::move(d));
  };
  if (!model.has_graph() || model.opset_import_size() == 0) {
    error("is no ONNX model: it has no graph or no operator set", base::ExitCode::data);
    return result;
  }
  for (const auto& set : model.opset_import()) {
    if (set.domain().empty() && set.version() > newest_opset) {
      result.notes.push_back(fmt::format("operator set {} is newer than the newest known here, {}",
                                         set.version(), newest_opset));
    }
  }
  const auto attempt = [&](bool batched) {
    auto importer = std::make_unique<Importer>(model, options, folder, batched);
    importer->run();
    return importer;
  };
  const auto blames_batch = [](const Importer& i) {
    return std::any_of(i.findings().begin(), i.findings().end(),
                       [](const Finding& f) { return f.needs_whole_batch; });
  };
  std::unique_ptr<Importer> chosen = attempt(options.batch != BatchAxis::none);
  result.batched = options.batch != BatchAxis::none;
  if (options.batch == BatchAxis::automatic && !chosen->findings().empty()) {
    std::unique_ptr<Importer> whole = attempt(false);
    const bool better = whole->findings().empty() || blames_batch(*chosen);
    if (better && whole->findings().empty()) {
      result.notes.push_back(
          "the whole tensors are one sample, because the network computes across axis 0: " +
          chosen->findings().front().message);
    }
    if (better) {
      chosen = std::move(whole);
      result.batched = false;
    }
  }
  for (const Finding& f : chosen->findings()) {
    error(f.message, f.code,
          f.needs_whole_batch ? "--batch-axis=none imports the tensors as one sample" : "");
  }
  result.inputs = chosen->inputs();
  result.outputs = chosen->outputs();
  result.sample_dims = chosen->sample_dims();
  result.num_nodes = chosen->num_nodes();
  result.storage->importer = std::move(chosen);
  if (!diagnostics.has_errors()) write_text(result, options);
  return result;
}

void report_unreadable(const std::string& name, base::Diagnostics& diagnostics) {
  base::Diagnostic d;
  d.id = "onnx-invalid";
  d.message = name + ": is no ONNX model, damaged, cut off or nested too deeply";
  d.code = base::ExitCode::data;
  diagnostics.add(std::move(d));
}

}  // namespace

ImportedModel import_bytes(const std::string& bytes, const std::string& name, const std::string& folder,
                           const ImportOptions& options, base::Diagnostics& diagnostics) {
  auto storage = std::make_unique<ImportedModel::Storage>();
  if (!storage->model.ParseFromString(bytes)) {
    report_unreadable(name, diagnostics);
    return {};
  }
  return import_parsed(std::move(storage), name, folder, options, diagnostics);
}

ImportedModel import_model(const std::string& path, const ImportOptions& options,
                           base::Diagnostics& diagnostics) {
  auto storage = std::make_unique<ImportedModel::Storage>();
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw base::Error(base::ExitCode::data, "cannot read '" + path + "'");
  bool parsed = false;
  {
    google::protobuf::io::FileInputStream stream(file);
    stream.SetCloseOnDelete(true);
    parsed = storage->model.ParseFromZeroCopyStream(&stream);
  }
  if (!parsed) {
    report_unreadable(path, diagnostics);
    return {};
  }
  return import_parsed(std::move(storage), path, base::folder_of(path), options, diagnostics);
}

/// The first field of a ModelProto is ir_version, a small number: bytes 08 0x. Other writers begin with a
/// field of bytes whose tag is no letter of a prototext.
bool looks_like_onnx(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::array<char, 2> head{};
  in.read(head.data(), 2);
  if (in.gcount() < 2) return false;
  const auto tag = static_cast<unsigned char>(head[0]);
  return tag == 0x08 || tag == 0x12 || tag == 0x1a || tag == 0x28 || tag == 0x3a || tag == 0x42;
}

std::vector<SupportedOp> list_import_ops() {
  std::vector<SupportedOp> list;
  for (const OpRow& row : all_ops()) {
    list.push_back({std::string(row.name), std::string(row.form), std::string(row.limits)});
  }
  list.push_back({"If", "the nodes of the branch that is known", "a condition that is computed"});
  std::sort(list.begin(), list.end(),
            [](const SupportedOp& a, const SupportedOp& b) { return a.name < b.name; });
  return list;
}

}  // namespace lbann::onnx
