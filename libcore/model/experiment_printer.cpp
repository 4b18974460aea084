// The resolved experiment as prototext. Fields in schema order; a default is printed only where
// it is a plain value that means the same when written out.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "lbann.pb.h"
#include "model/experiment.hpp"
#include "model/field_defaults.hpp"

namespace lbann::model {

namespace pb = google::protobuf;

namespace {

class Printer {
public:
  explicit Printer(const SpanTable& spans) : spans_(spans) { values_.SetUseUtf8StringEscaping(true); }

  void print(const pb::Message& message, const std::string& path, int depth) {
    const auto& type = *message.GetDescriptor();
    if (type.well_known_type() == pb::Descriptor::WELLKNOWNTYPE_ANY) return print_any(message, path, depth);
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      const std::string below = path.empty() ? field.name() : path + "." + field.name();
      if (field.is_repeated())
        print_repeated(message, field, below, depth);
      else if (reflection->HasField(message, &field))
        print_singular(message, field, below, depth);
      else
        print_default(message, field, path, depth);
    }
  }

  std::string text() const { return out_; }

private:
  void line(int depth, const std::string& content, const std::string& origin) {
    out_ += std::string(static_cast<std::size_t>(2 * depth), ' ') + content;
    if (!origin.empty()) out_ += "  # " + origin;
    out_ += '\n';
  }

  std::string origin(const std::string& path) const {
    const Place* place = spans_.find(path);
    if (place == nullptr) return {};
    const std::string& source = spans_.source(place->source);
    const std::string shown = base::printable(source);
    return source.starts_with("--set") ? "--set" : fmt::format("{}:{}", shown, place->name.line);
  }

  std::string value_of(const pb::Message& message, const pb::FieldDescriptor& field, int index = -1) const {
    std::string text;
    values_.PrintFieldValueToString(message, &field, index, &text);
    return text;
  }

  void print_block(const pb::Message& child, const std::string& name, const std::string& path, int depth) {
    const auto& type = *child.GetDescriptor();
    const bool wrapper = type.well_known_type() >= pb::Descriptor::WELLKNOWNTYPE_DOUBLEVALUE &&
                         type.well_known_type() <= pb::Descriptor::WELLKNOWNTYPE_BOOLVALUE;
    if (wrapper)
      return line(depth, fmt::format("{} {{ value: {} }}", name, value_of(child, *type.field(0))),
                  origin(path));
    const std::size_t before = out_.size();
    line(depth, name + " {", origin(path));
    const std::size_t opened = out_.size();
    print(child, path, depth + 1);
    if (out_.size() > opened) return line(depth, "}", "");
    out_.resize(before);
    line(depth, name + " {}", origin(path));
  }

  void print_singular(const pb::Message& message, const pb::FieldDescriptor& field, const std::string& path,
                      int depth) {
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE)
      return print_block(message.GetReflection()->GetMessage(message, &field), field.name(), path, depth);
    line(depth, fmt::format("{}: {}", field.name(), value_of(message, field)), origin(path));
  }

  void print_repeated(const pb::Message& message, const pb::FieldDescriptor& field, const std::string& path,
                      int depth) {
    const auto* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, &field);
    if (size == 0)
      return print_default(message, field, path.substr(0, path.size() - field.name().size()), depth);
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < size; ++i)
        print_block(reflection->GetRepeatedMessage(message, &field, i), field.name(),
                    fmt::format("{}[{}]", path, i), depth);
      return;
    }
    std::string list;
    for (int i = 0; i < size; ++i) list += (i == 0 ? "" : ", ") + value_of(message, field, i);
    line(depth, fmt::format(fmt::runtime(size == 1 ? "{}: {}" : "{}: [{}]"), field.name(), list),
         origin(path + "[0]"));
  }

  void print_any(const pb::Message& message, const std::string& path, int depth) {
    const auto& any = static_cast<const pb::Any&>(message);
    const std::string& url = any.type_url();
    const auto* type =
        pb::DescriptorPool::generated_pool()->FindMessageTypeByName(url.substr(url.rfind('/') + 1));
    if (type == nullptr) return;
    const std::unique_ptr<pb::Message> content(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (any.UnpackTo(content.get())) print_block(*content, "[" + url + "]", path, depth);
  }

  void print_default(const pb::Message& message, const pb::FieldDescriptor& field, const std::string& path,
                     int depth) {
    if (message.GetDescriptor()->full_name() == "lbann_data.Layer" && field.name() == "name") {
      const auto open = path.rfind('[');
      if (open != std::string::npos)
        line(depth, fmt::format("name: \"layer{}\"", path.substr(open + 1, path.find(']', open) - open - 1)),
             "default");
      return;
    }
    const auto known = try_listed_default(field);
    // A reader's defaults belong to one kind each; all of them would say little.
    if (!known || message.GetDescriptor()->full_name() == "lbann_data.Reader") return;
    const bool wrapped = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    line(depth, fmt::format(fmt::runtime(wrapped ? "{} {{ value: {} }}" : "{}: {}"), field.name(), *known),
         "default");
  }

  const SpanTable& spans_;
  pb::TextFormat::Printer values_;
  std::string out_;
};

}  // namespace

std::string print_resolved(const Experiment& experiment) {
  Printer printer(experiment.spans);
  printer.print(*experiment.proto, "", 0);
  return "# proto-file: lbann.proto\n# proto-message: lbann_data.LbannPB\n" + printer.text();
}

}  // namespace lbann::model
