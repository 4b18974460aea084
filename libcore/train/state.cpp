// Lookup of typed values: see state.hpp.
#include "train/state.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::train {

template <typename T>
const T& StateReader::value(const std::string& name, const char* type) const {
  const auto found = in_.find(prefix_ + name);
  const T* value = found == in_.end() ? nullptr : std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw base::Error(base::ExitCode::checkpoint,
                      fmt::format("the checkpoint has no {} '{}{}'", type, prefix_, name));
  }
  return *value;
}

std::int64_t StateReader::integer(const std::string& name) const {
  return value<std::int64_t>(name, "integer");
}
double StateReader::number(const std::string& name) const { return value<double>(name, "number"); }
const std::string& StateReader::text(const std::string& name) const {
  return value<std::string>(name, "text");
}

checkpoint::Scalars StateReader::extract(const std::string& section) const {
  const std::string prefix = prefix_ + section + ".";
  checkpoint::Scalars result;
  for (auto it = in_.lower_bound(prefix); it != in_.end() && it->first.rfind(prefix, 0) == 0; ++it) {
    result.emplace(it->first.substr(prefix.size()), it->second);
  }
  return result;
}

}  // namespace lbann::train
