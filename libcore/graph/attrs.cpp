// Attrs: typed access with errors that name the attribute.
#include "graph/attrs.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"

namespace lbann::graph {
namespace {

template <typename T>
const T& get(const std::map<std::string, AttrValue, std::less<>>& map, std::string_view name) {
  const auto it = map.find(name);
  if (it == map.end()) {
    throw base::Error(base::ExitCode::internal, fmt::format("node has no attribute '{}'", name));
  }
  const T* value = std::get_if<T>(&it->second);
  if (value == nullptr) {
    throw base::Error(base::ExitCode::internal, fmt::format("attribute '{}' has another type", name));
  }
  return *value;
}

}  // namespace

void Attrs::erase(std::string_view name) {
  const auto it = map_.find(name);
  if (it != map_.end()) map_.erase(it);
}
std::int64_t Attrs::get_int(std::string_view name) const { return get<std::int64_t>(map_, name); }
std::int64_t Attrs::get_int(std::string_view name, std::int64_t fallback) const {
  return has(name) ? get_int(name) : fallback;
}
double Attrs::get_real(std::string_view name) const { return get<double>(map_, name); }
double Attrs::get_real(std::string_view name, double fallback) const {
  return has(name) ? get_real(name) : fallback;
}
const std::string& Attrs::get_text(std::string_view name) const { return get<std::string>(map_, name); }
std::string Attrs::get_text(std::string_view name, std::string_view fallback) const {
  return has(name) ? get_text(name) : std::string(fallback);
}
const std::vector<std::int64_t>& Attrs::get_ints(std::string_view name) const {
  return get<std::vector<std::int64_t>>(map_, name);
}

}  // namespace lbann::graph
