// Names of the schema's messages without their package, and which of them only wrap a scalar. Included by
// .cpp files that have protobuf's headers already.
#pragma once

#include <string_view>

#include <google/protobuf/descriptor.h>

namespace lbann::model {

inline constexpr std::string_view schema_package = "lbann_data.";

/// "Layer.Convolution" of "lbann_data.Layer.Convolution"; other packages keep theirs.
inline std::string_view short_name(std::string_view full_name) {
  return full_name.starts_with(schema_package) ? full_name.substr(schema_package.size()) : full_name;
}
inline std::string_view short_name(const google::protobuf::Descriptor& type) {
  return short_name(type.full_name());
}

/// google.protobuf.BoolValue and its like.
inline bool is_wrapper(const google::protobuf::Descriptor& type) {
  using google::protobuf::Descriptor;
  return type.well_known_type() >= Descriptor::WELLKNOWNTYPE_DOUBLEVALUE &&
         type.well_known_type() <= Descriptor::WELLKNOWNTYPE_BOOLVALUE;
}

}  // namespace lbann::model
