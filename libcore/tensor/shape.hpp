// The logical extents of a tensor, outermost first, the mini-batch (where there is one) at index 0.
// Shapes of the op graph are concrete: one plan per batch size.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace lbann::tensor {

class Shape {
public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<std::int64_t> dims) : dims_(std::move(dims)) {}

  int rank() const { return static_cast<int>(dims_.size()); }
  std::int64_t operator[](int i) const { return dims_[static_cast<std::size_t>(i)]; }
  std::int64_t& operator[](int i) { return dims_[static_cast<std::size_t>(i)]; }
  const std::vector<std::int64_t>& dims() const& { return dims_; }
  std::vector<std::int64_t> dims() && { return std::move(dims_); }  // so that a temporary's dims outlive it
  /// Product of the dims; 1 for rank 0. Throws base::Error (config) when it does not fit in 62 bits.
  std::int64_t num_elements() const;
  /// "[256,64,14,14]"
  std::string to_string() const;
  bool operator==(const Shape& other) const = default;

private:
  std::vector<std::int64_t> dims_;
};

}  // namespace lbann::tensor
