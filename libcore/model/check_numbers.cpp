// See check_numbers.hpp.
#include "model/check_numbers.hpp"

#include <cmath>
#include <memory>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <fmt/format.h>

#include "lbann.pb.h"

namespace lbann::model {

namespace pb = google::protobuf;

namespace {

class Checker {
public:
  Checker(const SpanTable& spans, base::Diagnostics& diagnostics)
    : spans_(spans), diagnostics_(diagnostics) {}

  void check(const pb::Message& message, const std::string& path) {
    if (message.GetDescriptor()->full_name() == "google.protobuf.Any") return check_any(message, path);
    const auto& reflection = *message.GetReflection();
    std::vector<const pb::FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const auto* field : fields) {
      const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
      for (int i = 0; i < size; ++i) check_field(message, *field, i, path);
    }
  }

private:
  void check_field(const pb::Message& message, const pb::FieldDescriptor& field, int i,
                   const std::string& path) {
    const auto& r = *message.GetReflection();
    const bool list = field.is_repeated();
    double number = 0;
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return check(list ? r.GetRepeatedMessage(message, &field, i) : r.GetMessage(message, &field),
                     place_of(field, i, path));
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        number = list ? r.GetRepeatedDouble(message, &field, i) : r.GetDouble(message, &field);
        break;
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
        number =
            static_cast<double>(list ? r.GetRepeatedFloat(message, &field, i) : r.GetFloat(message, &field));
        break;
      default:
        return;
    }
    // The value inside a wrapper is the field's own.
    const bool wrapped = message.GetDescriptor()->file()->package() == "google.protobuf";
    const bool tensor = !wrapped && (field.name() == "value" || field.name() == "constant");
    if (!std::isnan(number) || tensor) return;
    const std::string place = wrapped ? path : place_of(field, i, path);
    diagnostics_.error("not-a-number", spans_.span(place),
                       fmt::format("'{}' is not a number", place.substr(place.rfind('.') + 1)));
  }

  static std::string place_of(const pb::FieldDescriptor& field, int i, const std::string& path) {
    return field.is_repeated() ? fmt::format("{}.{}[{}]", path, field.name(), i) : path + "." + field.name();
  }

  void check_any(const pb::Message& message, const std::string& path) {
    const auto& any = static_cast<const pb::Any&>(message);
    const std::string& url = any.type_url();
    const auto* type =
        pb::DescriptorPool::generated_pool()->FindMessageTypeByName(url.substr(url.rfind('/') + 1));
    if (type == nullptr) return;
    const std::unique_ptr<pb::Message> content(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (any.UnpackTo(content.get())) check(*content, path);
  }

  const SpanTable& spans_;
  base::Diagnostics& diagnostics_;
};

}  // namespace

void check_numbers(const Experiment& experiment, base::Diagnostics& diagnostics) {
  const auto& model = experiment.proto->model();
  Checker checker(experiment.spans, diagnostics);
  for (int i = 0; i < model.layer_size(); ++i)
    checker.check(model.layer(i), fmt::format("model.layer[{}]", i));
}

}  // namespace lbann::model
