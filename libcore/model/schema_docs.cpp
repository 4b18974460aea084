// See schema_docs.hpp. The descriptors come from the build as bytes (.incbin).
#include "model/schema_docs.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "model/field_defaults.hpp"

// The assembler puts the file's bytes among the constants.
asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".local lbann_schema_docs_begin\n"
    "lbann_schema_docs_begin:\n"
    ".incbin \"" LBANN_SCHEMA_DOCS
    "\"\n"
    ".local lbann_schema_docs_end\n"
    "lbann_schema_docs_end:\n"
    ".popsection\n");
extern "C" {
extern const char lbann_schema_docs_begin[] __attribute__((visibility("hidden")));
extern const char lbann_schema_docs_end[] __attribute__((visibility("hidden")));
}

namespace lbann::model {

namespace pb = google::protobuf;

namespace {

constexpr std::string_view package = "lbann_data.";

std::string short_name(const std::string& full) {
  return full.rfind(package, 0) == 0 ? full.substr(package.size()) : full;
}

template <class Descriptor>
std::string comment_of(const Descriptor& d) {
  pb::SourceLocation location;
  if (!d.GetSourceLocation(&location)) return {};
  const std::string& text =
      location.leading_comments.empty() ? location.trailing_comments : location.leading_comments;
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string type_text(const pb::FieldDescriptor& f) {
  std::string name = f.type_name();
  if (const pb::Descriptor* m = f.message_type()) {
    const bool wrapper = m->full_name().rfind("google.protobuf.", 0) == 0 && m->field_count() == 1;
    name = wrapper ? m->field(0)->type_name() : short_name(m->full_name());
  }
  if (f.enum_type() != nullptr) name = short_name(f.enum_type()->full_name());
  if (f.is_map()) return "map";
  return f.is_repeated() ? "list of " + name : name;
}

FieldText describe(const pb::FieldDescriptor& f) {
  FieldText text{f.name(), type_text(f), comment_of(f)};
  if (text.doc.empty() && f.message_type() != nullptr) text.doc = comment_of(*f.message_type());
  return text;
}

std::string camel_case(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

}  // namespace

struct SchemaDocs::Pool {
  pb::DescriptorPool pool;
  std::vector<const pb::FileDescriptor*> files;

  Pool() {
    pb::FileDescriptorSet set;
    const auto size = static_cast<int>(lbann_schema_docs_end - lbann_schema_docs_begin);
    if (!set.ParseFromArray(lbann_schema_docs_begin, size))
      throw std::logic_error("the schema's description does not parse");
    for (const auto& file : set.file()) {
      const auto* built = pool.BuildFile(file);
      if (built == nullptr) throw std::logic_error("the schema's description is not complete");
      if (file.package() == "lbann_data") files.push_back(built);
    }
  }

  template <class Visit>
  static void visit_message(const pb::Descriptor& type, const Visit& visit) {
    if (type.options().map_entry()) return;
    visit(type);
    for (int i = 0; i < type.nested_type_count(); ++i) visit_message(*type.nested_type(i), visit);
  }
  template <class Visit>
  void each_message(const Visit& visit) const {
    for (const auto* file : files)
      for (int i = 0; i < file->message_type_count(); ++i) visit_message(*file->message_type(i), visit);
  }

  /// The messages that a name stands for: "Reader", "convolution", "clamp".
  std::vector<const pb::Descriptor*> types_of(const std::string& name) const {
    std::vector<const pb::Descriptor*> found;
    const auto add = [&](const pb::Descriptor* type) {
      if (type != nullptr && std::find(found.begin(), found.end(), type) == found.end())
        found.push_back(type);
    };
    for (const std::string& spelling : {name, name + "Operator", camel_case(name) + "Operator"})
      add(pool.FindMessageTypeByName(std::string(package) + spelling));
    each_message([&](const pb::Descriptor& type) {
      const auto* field = type.FindFieldByName(name);
      if (field == nullptr || field->message_type() == nullptr) return;
      const auto& inner = *field->message_type();
      if (inner.full_name().rfind(package, 0) == 0) add(&inner);
    });
    return found;
  }

  MessageText describe_message(const pb::Descriptor& type) const {
    MessageText text{short_name(type.full_name()), role_of(type), comment_of(type), {}};
    for (int i = 0; i < type.field_count(); ++i) text.fields.push_back(describe(*type.field(i)));
    return text;
  }

  /// "layer convolution": how the message is written where a oneof holds it.
  std::string role_of(const pb::Descriptor& type) const {
    if (type.name().size() > 8 && type.name().compare(type.name().size() - 8, 8, "Operator") == 0)
      return "operator";
    const pb::Descriptor* outer = type.containing_type();
    for (int i = 0; outer != nullptr && i < outer->field_count(); ++i) {
      const auto* field = outer->field(i);
      if (field->message_type() == &type && field->real_containing_oneof() != nullptr)
        return short_name(outer->full_name()) + " kind '" + field->name() + "'";
    }
    return {};
  }
};

SchemaDocs::SchemaDocs() : pool_(std::make_unique<Pool>()) {}
SchemaDocs::~SchemaDocs() = default;

std::vector<MessageText> SchemaDocs::find(const std::string& name) const {
  std::vector<MessageText> found;
  for (const auto* type : pool_->types_of(name)) found.push_back(pool_->describe_message(*type));
  if (const auto* type = pool_->pool.FindEnumTypeByName(std::string(package) + name)) {
    MessageText text{short_name(type->full_name()), "enumeration", comment_of(*type), {}};
    for (int i = 0; i < type->value_count(); ++i)
      text.fields.push_back(
          {type->value(i)->name(), std::to_string(type->value(i)->number()), comment_of(*type->value(i))});
    found.push_back(std::move(text));
  }
  return found;
}

std::vector<MessageText> SchemaDocs::find_field(const std::string& path) const {
  const auto dot = path.rfind('.');
  const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
  std::vector<MessageText> found;
  const auto add = [&](const pb::Descriptor& type) {
    const auto* field = type.FindFieldByName(name);
    if (field == nullptr) return;
    found.push_back({short_name(type.full_name()), pool_->role_of(type), "", {describe(*field)}});
  };
  if (dot == std::string::npos) {
    pool_->each_message(add);
    return found;
  }
  // "model.layer.convolution.stride": the last part before the field names its message.
  std::string holder = path.substr(0, dot);
  if (pool_->pool.FindMessageTypeByName(std::string(package) + holder) == nullptr)
    holder = holder.substr(holder.rfind('.') + 1);
  if (const auto bracket = holder.find('['); bracket != std::string::npos) holder.resize(bracket);
  for (const auto* type : pool_->types_of(holder)) add(*type);
  return found;
}

std::vector<std::string> SchemaDocs::list_names() const {
  std::set<std::string> names;
  pool_->each_message([&](const pb::Descriptor& type) {
    names.insert(short_name(type.full_name()));
    for (int i = 0; i < type.field_count(); ++i) names.insert(type.field(i)->name());
  });
  return {names.begin(), names.end()};
}

std::vector<MessageText> SchemaDocs::list_messages() const {
  std::vector<MessageText> all;
  pool_->each_message([&](const pb::Descriptor& type) { all.push_back(pool_->describe_message(type)); });
  return all;
}

}  // namespace lbann::model
