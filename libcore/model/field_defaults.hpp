// What a field means when nobody writes it: the one place that says so.
//
// Fields without a row in the table have the default of their type: false, 0, the empty text, the
// first value of an enumeration. Lists and blocks have none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace lbann::model {

/// Row of the table: the default as prototext ("0.9", "\"csv\""); nullopt when it is the type's own.
std::optional<std::string_view> try_listed_default(const google::protobuf::FieldDescriptor& field);

/// The default as prototext, listed or the type's own; nullopt for lists and blocks without a row.
std::optional<std::string> default_text(const google::protobuf::FieldDescriptor& field);

/// Writes the listed defaults into every field that is absent, in this message and the blocks it
/// holds. The meaning stays the same.
void fill_defaults(google::protobuf::Message& message);

}  // namespace lbann::model
