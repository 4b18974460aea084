// Weights and optimizer state between steps, each in the layout its kernels want.
//
// The outside (files, initializers, digests) sees LBANN's linear order: C order of the logical
// shape. Conversion happens at these borders only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "device/buffer.hpp"
#include "graph/graph.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::runtime {

class WeightStore {
public:
  struct Entry {
    std::string name;
    std::string role;  // "weight", "state"
    tensor::TensorSpec spec;
    tensor::Layout layout;
    device::Buffer buffer;
  };

  /// Makes room for every `weight` node of a compiled graph that is not there yet; zeros.
  void allocate(const graph::Graph& compiled);
  bool has(const std::string& name) const { return entries_.count(name) > 0; }
  const Entry& entry(const std::string& name) const;
  const std::map<std::string, Entry>& entries() const { return entries_; }
  std::byte* data(const std::string& name) const { return entry(name).buffer.data(); }

  /// C order of the logical shape; the count must fit.
  void set_values(const std::string& name, std::span<const double> values);
  /// The same, written by `fill` as span<float> or span<double>, the entry's own type. Where the storage is
  /// in C order it is filled in place: the largest weights (embeddings, dense layers) need no second copy.
  template <typename Fill>
  void fill(const std::string& name, Fill fill) {
    if (entry(name).spec.type == tensor::DataType::f64) {
      fill_as<double>(name, fill);
    } else {
      fill_as<float>(name, fill);
    }
  }
  std::vector<double> values(const std::string& name) const;
  std::map<std::string, tensor::Layout> layouts() const;
  /// Content digest over names and logical values of all entries of a role, as hex.
  std::string digest(std::string_view role) const;
  std::int64_t total_bytes() const;

private:
  template <typename T, typename Fill>
  void fill_as(const std::string& name, Fill fill) {
    const Entry& e = entry(name);
    const auto count = static_cast<std::size_t>(e.spec.shape.num_elements());
    T* out = reinterpret_cast<T*>(e.buffer.data());
    if (e.layout.is_plain()) return fill(std::span<T>(out, count));
    std::vector<T> list(count);
    fill(std::span<T>(list));
    tensor::for_each_element(e.layout, e.spec.shape, [&](std::int64_t position, std::int64_t offset) {
      out[offset] = list[static_cast<std::size_t>(position)];
    });
  }
  std::map<std::string, Entry> entries_;
};

}  // namespace lbann::runtime
