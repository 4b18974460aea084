// See import.hpp. The weights' folder is filled under another name and renamed when it is complete, before
// the prototext that names it: at every instant the old result or the new one is there.
#include "lbann-convert/import.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/utf8.hpp"
#include "onnx/import.hpp"

namespace lbann::tools {
namespace {

namespace fs = std::filesystem;

/// "name=1,3,224,224".
std::pair<std::string, std::vector<std::int64_t>> parse_shape(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  const auto bad = [&] {
    return base::Error(base::ExitCode::usage, "--shape '" + text + "' is not NAME=D,D..",
                       "--shape input=1,3,224,224 or --shape sequence=128, for example");
  };
  if (equals == std::string::npos || equals == 0) throw bad();
  std::vector<std::int64_t> dims;
  std::string rest = text.substr(equals + 1) + ",";
  for (std::size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    const auto d = try_parse_integer(rest.substr(0, comma));
    if (!d || *d < 1) throw bad();
    dims.push_back(*d);
    rest.erase(0, comma + 1);
  }
  return {text.substr(0, equals), dims};
}

onnx::ImportOptions make_options(const ConvertOptions& o, const std::string& weights_folder) {
  onnx::ImportOptions options;
  for (const std::string& text : o.shapes) options.shapes.insert(parse_shape(text));
  if (o.batch_axis == MiniBatchAxis::first) options.batch = onnx::BatchAxis::first;
  if (o.batch_axis == MiniBatchAxis::none) options.batch = onnx::BatchAxis::none;
  options.weights_folder = weights_folder;
  return options;
}

[[noreturn]] void fail(const std::string& what, const std::error_code& error) {
  throw base::Error(base::ExitCode::storage, what + ": " + error.message());
}

/// Replaces the folder as a whole.
void write_weights(const onnx::ImportedModel& model, const fs::path& folder) {
  std::error_code error;
  const fs::path partial = fmt::format("{}.partial-{}", folder.string(), getpid());
  fs::create_directory(partial, error);
  if (error) fail("cannot make '" + partial.string() + "'", error);
  try {
    model.write_weights(partial.string());
    if (fs::exists(folder)) fs::remove_all(folder, error);
    if (!error) fs::rename(partial, folder, error);
    if (error) fail("cannot replace '" + folder.string() + "'", error);
  } catch (...) {
    fs::remove_all(partial, error);
    throw;
  }
}

}  // namespace

int import_main(const ConvertOptions& options) {
  const std::vector<std::string> files = options.experiment.merge_order();
  if (files.size() != 1 || !options.experiment.sets.empty()) {
    throw base::Error(base::ExitCode::usage,
                      "an ONNX model is converted alone, without other files and --set");
  }
  if (options.output == "-") {
    throw base::Error(base::ExitCode::usage,
                      "an imported model has weights beside its text: --output needs a file");
  }
  const fs::path weights = fs::path(options.output).replace_extension(".weights");
  base::Diagnostics d;
  const onnx::ImportedModel model =
      onnx::import_model(files.front(), make_options(options, weights.filename().string()), d);
  if (!d.all().empty()) report_diagnostics(d, options.common);
  if (d.has_errors()) return static_cast<int>(d.exit_code());
  for (const std::string& note : model.notes) base::log().info(note);
  write_weights(model, weights);
  base::atomic_write_file(options.output, model.text);
  base::log().info(fmt::format("wrote {} ({} nodes became {} layers) and {} ({} numbers)", options.output,
                               model.num_nodes, model.num_layers, weights.string(), model.num_weights));
  return 0;
}

int list_ops(const ConvertOptions& options) {
  const std::vector<onnx::SupportedOp> ops = onnx::list_import_ops();
  std::string text;
  if (options.common.format == ReportFormat::json) {
    for (const onnx::SupportedOp& op : ops) {
      text +=
          fmt::format("{}{{\"operator\": {}, \"becomes\": {}, \"refused\": {}}}", text.empty() ? "[" : ",\n ",
                      base::json_quote(op.name), base::json_quote(op.form), base::json_quote(op.limits));
    }
    text += "]\n";
  } else {
    for (const onnx::SupportedOp& op : ops) {
      text += fmt::format("{:27} {}{}\n", op.name, op.form, op.limits.empty() ? "" : "; not: " + op.limits);
    }
  }
  base::log().print(text);
  return 0;
}

}  // namespace lbann::tools
