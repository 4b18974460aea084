// See span_table.hpp.
#include "model/span_table.hpp"

namespace lbann::model {

int SpanTable::add_source(std::string name) {
  sources_.push_back(std::move(name));
  return static_cast<int>(sources_.size()) - 1;
}

void SpanTable::erase_below(std::string_view path) {
  auto inside = [&](std::string_view key) {
    if (key.substr(0, path.size()) != path) return false;
    return key.size() == path.size() || key[path.size()] == '.' || key[path.size()] == '[';
  };
  std::erase_if(places_, [&](const auto& entry) { return inside(entry.first); });
}

const Place* SpanTable::find(const std::string& path) const {
  const auto found = places_.find(path);
  return found == places_.end() ? nullptr : &found->second;
}

base::SourceSpan SpanTable::span(std::string_view path) const {
  std::string key(path);
  while (true) {
    if (const Place* place = find(key))
      return span_of(place->source, place->is_block ? place->name : place->value);
    const auto cut = key.find_last_of(".[");
    if (cut == std::string::npos) return {};
    key.resize(cut);
  }
}

base::SourceSpan SpanTable::name_span(const std::string& path) const {
  const Place* place = find(path);
  return place == nullptr ? base::SourceSpan{} : span_of(place->source, place->name);
}

base::SourceSpan SpanTable::span_of(int source_index, const TextRange& range) const {
  return {source(source_index), range.line, range.column, range.end_line, range.end_column};
}

}  // namespace lbann::model
