// See damage.hpp.
#include "model/damage.hpp"

#include <algorithm>

namespace lbann::model {

Damage::Damage(const SpanTable& spans, const base::Diagnostics& diagnostics) : spans_(spans) {
  constexpr std::string_view structural[] = {"unclosed-brace",  "unmatched-brace",     "too-deep",
                                             "too-many-errors", "unterminated-string", "not-text",
                                             "not-protobuf",    "unknown-section"};
  for (const auto& d : diagnostics.all()) {
    if (d.severity != base::Severity::error) continue;
    if (d.span.known()) places_.push_back(d.span);
    if (std::find(std::begin(structural), std::end(structural), d.id) != std::end(structural))
      of_structure_ = true;
  }
}

bool Damage::inside(const std::string& path) const {
  if (places_.empty()) return false;
  const Place* place = spans_.find(path);
  if (place == nullptr) return false;
  const std::string& file = spans_.source(place->source);
  const auto begin = std::pair(place->name.line, place->name.column);
  const auto end = std::pair(place->value.end_line, place->value.end_column);
  return std::any_of(places_.begin(), places_.end(), [&](const base::SourceSpan& e) {
    const auto at = std::pair(e.line, e.column);
    return e.file == file && begin <= at && at < end;
  });
}

}  // namespace lbann::model
