// Reads layer kinds and their fields off the schema's descriptors.
#include "model/explain.hpp"

#include "layers.pb.h"

namespace lbann::model {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

const google::protobuf::OneofDescriptor* layer_oneof() {
  return lbann_data::Layer::descriptor()->FindOneofByName("layer_type");
}

std::string type_text(const FieldDescriptor* f) {
  std::string name = f->type_name();
  if (f->message_type() != nullptr) {
    const Descriptor* m = f->message_type();
    const bool wrapper = m->full_name().rfind("google.protobuf.", 0) == 0 && m->field_count() == 1;
    name = wrapper ? m->field(0)->type_name() : m->name();
  }
  if (f->enum_type() != nullptr) name = f->enum_type()->name();
  return f->is_repeated() ? "list of " + name : name;
}

}  // namespace

std::vector<std::string> layer_kinds() {
  std::vector<std::string> kinds;
  const auto* oneof = layer_oneof();
  for (int i = 0; oneof != nullptr && i < oneof->field_count(); ++i) kinds.push_back(oneof->field(i)->name());
  return kinds;
}

std::vector<FieldText> layer_fields(const std::string& kind, bool& known) {
  std::vector<FieldText> fields;
  const FieldDescriptor* f = lbann_data::Layer::descriptor()->FindFieldByName(kind);
  known = f != nullptr && f->containing_oneof() == layer_oneof() && f->message_type() != nullptr;
  if (!known) return fields;
  const Descriptor* m = f->message_type();
  for (int i = 0; i < m->field_count(); ++i) fields.push_back({m->field(i)->name(), type_text(m->field(i))});
  return fields;
}

}  // namespace lbann::model
