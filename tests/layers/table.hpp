// The layer table: rows read from tests/layers/golden, run through the real lowering, passes, kernels
// and runtime under several settings.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "passes/kernel_catalogue.hpp"
#include "runtime/comm_kernels.hpp"
#include "tensor/data_type.hpp"
#include "tensor/placement.hpp"
#include "tensor/shape.hpp"

namespace table {

struct Array {
  lbann::tensor::Shape shape;
  std::vector<double> values;
};

struct Row {
  std::string name, kind, folder;
  bool train = true;
  int num_trained = 0;
  std::set<std::string> flags;
  std::vector<Array> inputs, weights, outputs, cotangents;
  std::map<std::string, Array> expected;  // "dx0", "dw1", "w2_new"
};

/// All rows of index.txt with their arrays.
std::vector<Row> load_rows();

/// What a run yields, logical order, by the names of the golden files: "out0", "dx0", "dw0", "w2_new". Of
/// several ranks gradients and new weights are the own pieces.
using Results = std::map<std::string, std::vector<double>>;

/// One of several ranks that compute a row together.
struct RankSetting {
  lbann::tensor::Mesh mesh;
  int rank = 0;
  std::map<std::string, lbann::tensor::Placement> placements;  // of boundaries: "in0", "w0", "dy0"
  unsigned noise = 0;  // seed of redistributions put into the forward graph; 0: none
  lbann::runtime::RankGroups* groups = nullptr;
};

/// The elements of a whole row-major tensor that a rank holds.
std::vector<double> piece_of(const std::vector<double>& whole, const lbann::tensor::Shape& shape,
                             const RankSetting* ranks, const std::string& boundary);

struct Setting {
  lbann::tensor::DataType type = lbann::tensor::DataType::f64;
  const lbann::passes::KernelCatalogue* catalogue = nullptr;
  std::set<std::string> disabled;
  bool poison = false;     // NaN in the whole arena before the run
  bool recompute = false;  // everything the layers make is made again in the backward pass
  const RankSetting* ranks = nullptr;
};

/// A row prepared to run several times with changed inputs (central differences need that).
class Prepared {
public:
  Prepared(const Row& row, const Setting& setting);
  ~Prepared();
  Prepared(Prepared&&) noexcept;
  /// Names of the values that may be changed: "in0", "w0", ...
  void set(const std::string& name, const std::vector<double>& values);
  Results run();
  /// sum over outputs of dy * out after run(): the scalar whose gradient is checked.
  double objective();
  /// Values that are not kept for the backward pass.
  int num_recomputed() const;
  /// Whole shapes of "in0", "w0", "dy0", as lowered.
  std::map<std::string, lbann::tensor::Shape> boundaries() const;
  /// Kernels chosen, for messages.
  std::string describe() const;
  /// Of several ranks: the global program and this rank's part of it.
  std::string program() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Wraps a catalogue and keeps only what `accept` takes (the last resort stays).
std::unique_ptr<lbann::passes::KernelCatalogue> make_filtered_catalogue(
    const lbann::passes::KernelCatalogue& base, bool (*accept)(const lbann::passes::KernelCandidate&));

}  // namespace table
