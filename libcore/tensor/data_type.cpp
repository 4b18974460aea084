// Names and sizes of the element types; the table is the single place that lists them.
#include "tensor/data_type.hpp"

namespace lbann::tensor {
namespace {
struct Row {
  DataType type;
  std::string_view name;
  int bytes;
  bool floating;
};
constexpr Row rows[] = {
    {DataType::f32, "f32", 4, true}, {DataType::f64, "f64", 8, true},  {DataType::bf16, "bf16", 2, true},
    {DataType::f16, "f16", 2, true}, {DataType::i32, "i32", 4, false}, {DataType::i64, "i64", 8, false},
    {DataType::u8, "u8", 1, false},
};
const Row& row(DataType type) { return rows[static_cast<int>(type)]; }
}  // namespace

int size_bytes(DataType type) { return row(type).bytes; }
std::string_view to_string(DataType type) { return row(type).name; }
bool is_floating(DataType type) { return row(type).floating; }

std::optional<DataType> try_parse_data_type(std::string_view text) {
  for (const Row& r : rows) {
    if (r.name == text) return r.type;
  }
  return std::nullopt;
}

}  // namespace lbann::tensor
