// Tensors that are known while a model is imported: initializers, Constant nodes, folded results.
//
// Integers and booleans are exact int64, all real types double. An initializer is read from the file (or its
// external data) only when somebody wants its numbers; weights are copied to their files piece by piece.
// In shape arithmetic the mini-batch's unknown extent stands as the number 2^40: sums, products and exact
// quotients of it stay readable as a + b N, and no real dim comes near it.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

namespace lbann::onnx {

using Dims = std::vector<std::int64_t>;

constexpr std::int64_t batch_extent = std::int64_t{1} << 40;
constexpr std::int64_t max_elements = std::int64_t{1} << 38;  // of one tensor, overflow-checked

/// What is wrong with a tensor or a node; the importer adds the place.
struct ImportError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// No sound ONNX at all, as opposed to something that has no equivalent here.
struct Malformed : ImportError {
  using ImportError::ImportError;
};

bool is_real(int type);     // FLOAT, DOUBLE, FLOAT16, BFLOAT16
bool is_integer(int type);  // integers of all widths and BOOL
std::string type_name(int type);

/// Product of dims; throws ImportError for negative ones and above max_elements.
std::int64_t count_elements(const Dims& dims);
std::string to_text(const Dims& dims);

/// The elements of a TensorProto, wherever they lie. The proto is borrowed.
class TensorSource {
public:
  /// Checks type, dims and size; `folder` is where external data are. Throws ImportError.
  TensorSource(const ::onnx::TensorProto& tensor, const std::string& folder);
  int type() const { return tensor_->data_type(); }
  const Dims& dims() const { return dims_; }
  std::int64_t size() const { return size_; }
  /// Elements first..first+n; integers are read as int64, real ones as double.
  void read(std::int64_t first, std::int64_t n, double* out) const;
  void read(std::int64_t first, std::int64_t n, std::int64_t* out) const;

private:
  template <class Number>
  void read_as(std::int64_t first, std::int64_t n, Number* out) const;
  std::string load_bytes(std::int64_t first, std::int64_t n) const;

  const ::onnx::TensorProto* tensor_;
  Dims dims_;
  std::int64_t size_ = 0;
  std::string file_{};  // external data
  std::int64_t offset_ = 0;
};

class Constant {
public:
  Constant(int type, Dims dims, std::vector<double> values);
  Constant(int type, Dims dims, std::vector<std::int64_t> values);
  /// An initializer.
  Constant(std::string name, TensorSource source);

  int type() const { return type_; }
  const Dims& dims() const { return dims_; }
  std::int64_t size() const { return size_; }
  const std::string& name() const { return name_; }  // of an initializer, else empty
  void set_name(std::string name) { name_ = std::move(name); }
  /// The same elements in other dims, without loading them.
  std::shared_ptr<const Constant> reshaped(Dims dims) const;
  /// Loaded at the first call. Integers as well, as doubles or exactly.
  const std::vector<double>& reals() const;
  const std::vector<std::int64_t>& integers() const;
  /// Writes the elements as float32 (DOUBLE: float64) numbers of a .npy file with these dims.
  void write_npy(const std::string& path, const Dims& dims) const;
  /// All elements equal: that value.
  bool is_uniform(double& value) const;

private:
  int type_;
  Dims dims_;
  std::int64_t size_;
  std::string name_{};
  std::unique_ptr<TensorSource> source_{};
  mutable bool loaded_ = true;
  mutable std::vector<double> reals_{};
  mutable std::vector<std::int64_t> integers_{};
};

using ConstantPtr = std::shared_ptr<const Constant>;

}  // namespace lbann::onnx
