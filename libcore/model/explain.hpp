// What the schema says of a layer kind.
#pragma once

#include <string>
#include <vector>

namespace lbann::model {

struct FieldText {
  std::string name;
  std::string type;  // "int64", "list of int64", "bool"
};

/// Fields of the kind's message in the order of the schema; `known` is false when the schema has no such
/// kind.
std::vector<FieldText> layer_fields(const std::string& kind, bool& known);
/// All layer kinds of the schema.
std::vector<std::string> layer_kinds();

}  // namespace lbann::model
