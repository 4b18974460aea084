// Runs one kernel on one node: tensors with a layout in 64-byte aligned buffers that are poisoned
// with NaN (all bytes 0xff) before they are written, padding of inputs set to zero as the contract
// says. Values are given and read in row-major order whatever the layout.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/kernel.hpp"

namespace lbann::kernels::testing {

class Buffer {
public:
  explicit Buffer(std::size_t bytes)
    : bytes_(bytes), data_(std::aligned_alloc(64, (bytes + 127) / 64 * 64), &std::free) {
    std::memset(data_.get(), 0xff, bytes);
  }
  void* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }

private:
  std::size_t bytes_;
  std::unique_ptr<void, decltype(&std::free)> data_;
};

struct Tensor {
  tensor::TensorSpec spec;
  tensor::Layout layout;
  std::shared_ptr<Buffer> buffer;

  template <class T>
  T* as() const {
    return static_cast<T*>(buffer->data());
  }
};

/// An unwritten (poisoned) tensor; `tag` empty: row-major.
Tensor make_tensor(tensor::Shape shape, tensor::DataType type = tensor::DataType::f32,
                   const std::string& tag = {});
/// f32 tensor of the given row-major values.
Tensor tensor_of(tensor::Shape shape, const std::vector<float>& values, const std::string& tag = {});
Tensor tensor_of_doubles(tensor::Shape shape, const std::vector<double>& values);
/// Row-major values of an f32 tensor.
std::vector<float> values_of(const Tensor& t);
/// Storage elements that belong to no logical index and are not the bits of +0.
int dirty_padding(const Tensor& t);

struct Case {
  std::string op;
  graph::Attrs attrs;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::int64_t scratch_bytes = 0;
};

/// Makes the kernel and runs it `times` times on the case's buffers. Throws what make_kernel throws.
void run(const Case& c, const std::string& kernel, int times = 1);
void run(const Case& c, Kernel& kernel);
std::unique_ptr<Kernel> make(const Case& c, const std::string& kernel);
using MakeFunction = std::function<std::unique_ptr<Kernel>(const graph::Graph&, graph::NodeId)>;
std::unique_ptr<Kernel> make_with(const Case& c, const std::string& kernel, const MakeFunction& make);

/// `count` values of a fixed pseudo-random sequence in [lo, hi).
std::vector<float> random_values(std::int64_t count, std::uint64_t seed, float lo = -2, float hi = 2);
std::vector<float> random_values(const tensor::Shape& shape, std::uint64_t seed, float lo = -2, float hi = 2);

/// Largest |a - b| / max(1, |b|); infinite when NaN or infinity stand at different places.
double largest_difference(const std::vector<float>& a, const std::vector<float>& b);
/// Number of places with different bits; all NaNs count as one.
int different_bits(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace lbann::kernels::testing
