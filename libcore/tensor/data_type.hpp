// Numeric types of tensor elements. A run-time enum: no code outside kernels/ is templated on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lbann::tensor {

enum class DataType : std::uint8_t { f32, f64, bf16, f16, i32, i64, u8 };

/// Bytes of one element.
int size_bytes(DataType type);
/// "f32", "i64", ...: the spelling of graph dumps.
std::string_view to_string(DataType type);
std::optional<DataType> try_parse_data_type(std::string_view text);
bool is_floating(DataType type);

}  // namespace lbann::tensor
