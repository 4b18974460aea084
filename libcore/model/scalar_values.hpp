// One scalar of a prototext into one protobuf field: types, ranges, enum names.
//
// Decimal, hexadecimal and octal integers, floats with inf and nan, true/false/t/f/0/1, enum
// names and numbers: as protobuf's text format takes them, but a number that does not fit its
// type, an enum number without a name and text that is no UTF-8 are errors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/syntax_tree.hpp"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace lbann::model {

struct ScalarError {
  std::string id;
  std::string message;
  std::string help{};
};

/// Sets a singular field or appends to a repeated one. `value` is no block and no list. An
/// error leaves the message alone.
std::optional<ScalarError> assign_scalar(const SyntaxValue& value,
                                         const google::protobuf::FieldDescriptor& field,
                                         google::protobuf::Message& message);

/// The blank-separated parts of a string as scalars, each placed where the string is. Parts are
/// strings if `names`, else what they look like.
std::vector<SyntaxValue> split_list(const SyntaxValue& value, bool names);

/// "an integer", "true or false" ...: what a field takes, for messages.
std::string describe_type(const google::protobuf::FieldDescriptor& field);

}  // namespace lbann::model
