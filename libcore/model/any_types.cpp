// See any_types.hpp.
#include "model/any_types.hpp"

#include <algorithm>

#include <google/protobuf/descriptor.h>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "model/schema_names.hpp"

namespace lbann::model {

namespace pb = google::protobuf;

std::vector<std::string> any_types_for(const pb::FieldDescriptor* holder) {
  const std::string_view name = holder == nullptr ? "" : std::string_view(holder->full_name());
  if (name == "lbann_data.TrainingAlgorithm.parameters") return {"SGD", "LTFB", "KFAC"};
  if (name == "lbann_data.LTFB.meta_learning_strategy")
    return {"RandomPairwiseExchange", "TruncationSelectionExchange", "RegularizedEvolution"};
  std::vector<std::string> names;
  if (name != "lbann_data.Operator.parameters") return names;
  const pb::FileDescriptor* file = holder->file();
  for (int i = 0; i < file->message_type_count(); ++i) {
    const std::string& type = file->message_type(i)->name();
    if (type.size() > 8 && type.ends_with("Operator")) names.push_back(type);
  }
  return names;
}

AnyType find_any_type(const std::string& url, const pb::FieldDescriptor* holder) {
  const auto slash = url.rfind('/');
  const std::string full_name = slash == std::string::npos ? url : url.substr(slash + 1);
  const auto allowed = any_types_for(holder);
  const std::string name(short_name(full_name));
  if (slash == std::string::npos || slash == 0)
    return {nullptr, "bad-type-url", fmt::format("'{}' is not the URL of a type", url),
            fmt::format("write [type.googleapis.com/lbann_data.{}]", name)};
  const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(full_name);
  const bool fits = allowed.empty() || std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  if (type != nullptr && fits) return {type, {}, {}, {}};
  std::string help = base::did_you_mean(name, allowed);
  if (help.empty() && !allowed.empty() && allowed.size() < 10)
    help = fmt::format("one of {}", fmt::join(allowed, ", "));
  return {nullptr, "unknown-type",
          type == nullptr ? fmt::format("there is no type '{}'", full_name)
                          : fmt::format("'{}' does not belong into '{}'", name, holder->name()),
          std::move(help)};
}

}  // namespace lbann::model
