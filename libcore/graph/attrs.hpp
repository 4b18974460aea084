// Attributes of a node: a small ordered map from name to integer, real, text or integer list.
// Generic on purpose: printing, parsing, comparing and hashing a graph need no code per op.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lbann::graph {

using AttrValue = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>>;

class Attrs {
public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<const std::string, AttrValue>> init) : map_(init) {}

  bool has(std::string_view name) const { return map_.find(name) != map_.end(); }
  void set(std::string name, AttrValue value) { map_.insert_or_assign(std::move(name), std::move(value)); }
  void erase(std::string_view name);
  /// The getters throw base::Error (internal) when the attribute is absent or of another type;
  /// those with a fallback only when it is of another type.
  std::int64_t get_int(std::string_view name) const;
  std::int64_t get_int(std::string_view name, std::int64_t fallback) const;
  double get_real(std::string_view name) const;
  double get_real(std::string_view name, double fallback) const;
  const std::string& get_text(std::string_view name) const;
  std::string get_text(std::string_view name, std::string_view fallback) const;
  const std::vector<std::int64_t>& get_ints(std::string_view name) const;

  const std::map<std::string, AttrValue, std::less<>>& all() const { return map_; }
  bool empty() const { return map_.empty(); }
  bool operator==(const Attrs&) const = default;

private:
  std::map<std::string, AttrValue, std::less<>> map_;
};

}  // namespace lbann::graph
