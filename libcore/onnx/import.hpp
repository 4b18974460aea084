// An ONNX model as an experiment's network: prototext and weights that lbann-train loads.
//
//   read -> bind dims -> every node through its row of import/op_table -> layers -> text
//
// Weights become one .npy file each, named by numpy_initializers in the text: so the text alone is what
// lbann-train needs, NumPy reads and writes the files, and each is copied piece by piece. Axis 0 of the
// inputs is the mini-batch; a network that computes across it can be imported as one sample
// (`BatchAxis::none`). The interface is free of ONNX's headers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"

namespace lbann::onnx {

enum class BatchAxis {
  automatic,  // the first axis if the network allows it, else none
  first,
  none  // the whole tensors are one sample
};

struct ImportOptions {
  BatchAxis batch = BatchAxis::automatic;
  /// By name of an input: all its dims; by name of a symbolic dim: its extent.
  std::map<std::string, std::vector<std::int64_t>> shapes{};
  /// Inputs that are no inputs of the network but known: serialized TensorProtos by name.
  std::map<std::string, std::string> known_inputs{};
  /// The folder of the weights as the text names it, relative to the text: "model.weights".
  std::string weights_folder = "weights";
};

/// An input or output of the model.
struct ImportedTensor {
  std::string name;                // ONNX's
  std::string layer;               // that feeds or computes it
  std::vector<std::int64_t> dims;  // of one sample, as the layer has them; never empty
  bool batched = true;
  std::string type;  // "FLOAT"
};

class Network;

class ImportedModel {
public:
  ImportedModel();
  ~ImportedModel();
  ImportedModel(ImportedModel&&) noexcept;
  ImportedModel& operator=(ImportedModel&&) noexcept;

  std::string text;  // the experiment: `model { .. }`
  std::vector<ImportedTensor> inputs, outputs;
  /// All inputs of one sample, one after the other: dims of the data field "samples".
  std::vector<std::int64_t> sample_dims;
  bool batched = true;
  std::vector<std::string> notes;
  int num_nodes = 0, num_layers = 0;
  std::int64_t num_weights = 0;  // numbers in all weights

  /// Writes the .npy files into an existing folder. Throws base::Error (storage, data).
  void write_weights(const std::string& folder) const;

  struct Storage;  // the model read, from which weights are copied
  std::unique_ptr<Storage> storage;
};

/// Reads a file; external data are looked for beside it. Everything that cannot be imported goes to
/// `diagnostics`: nodes without an equivalent with exit code 1, files that are no sound ONNX with 4. The
/// result is usable only when there are no errors.
ImportedModel import_model(const std::string& path, const ImportOptions& options,
                           base::Diagnostics& diagnostics);
/// The same from memory; `folder` is where external data are.
ImportedModel import_bytes(const std::string& bytes, const std::string& name, const std::string& folder,
                           const ImportOptions& options, base::Diagnostics& diagnostics);

/// Does the file begin like a serialized ModelProto? Prototext never does.
bool looks_like_onnx(const std::string& path);

/// A row of the table of operators, for --list-ops.
struct SupportedOp {
  std::string name, form, limits;
};
std::vector<SupportedOp> list_import_ops();

}  // namespace lbann::onnx
