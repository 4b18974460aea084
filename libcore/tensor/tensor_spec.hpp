// What the op graph knows of a tensor: type, logical shape, placement. The memory layout is not
// part of it: semantics never depend on layout, and a pass chooses it late.
#pragma once

#include <string>

#include "tensor/data_type.hpp"
#include "tensor/placement.hpp"
#include "tensor/shape.hpp"

namespace lbann::tensor {

struct TensorSpec {
  DataType type = DataType::f32;
  Shape shape;
  Placement placement{};

  std::int64_t num_bytes() const { return shape.num_elements() * size_bytes(type); }
  /// "f32[256,10]", with "@S0" appended when not replicated.
  std::string to_string() const {
    std::string text = std::string(tensor::to_string(type)) + shape.to_string();
    if (!placement.is_replicated()) text += "@" + placement.to_string();
    return text;
  }
  bool operator==(const TensorSpec&) const = default;
};

}  // namespace lbann::tensor
