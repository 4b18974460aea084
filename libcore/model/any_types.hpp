// Which types the typed blocks (google.protobuf.Any) of the schema may hold.
#pragma once

#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace lbann::model {

/// Names without the package of what belongs into the Any of this field; empty: anything.
std::vector<std::string> any_types_for(const google::protobuf::FieldDescriptor* holder);

struct AnyType {
  const google::protobuf::Descriptor* type = nullptr;
  std::string id{}, message{}, help{};  // what is wrong, where there is no type
};

/// The type that "type.googleapis.com/lbann_data.SGD" names, if it belongs into `holder`.
AnyType find_any_type(const std::string& url, const google::protobuf::FieldDescriptor* holder);

}  // namespace lbann::model
