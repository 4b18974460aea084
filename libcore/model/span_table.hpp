// Where every set field of an experiment comes from: path -> place in a file or option.
//
// Paths are written as in --set: "model.layer[3].convolution.kernel_size[0]"; an Any is
// transparent ("...parameters.constant"). A field nobody wrote has no place.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/syntax_tree.hpp"

namespace lbann::model {

struct Place {
  int source = -1;    // index into SpanTable::sources
  TextRange name{};   // the field's name
  TextRange value{};  // its value; a block with its braces
  bool is_block = false;
};

class SpanTable {
public:
  int add_source(std::string name);
  const std::string& source(int index) const { return sources_[static_cast<std::size_t>(index)]; }
  int num_sources() const { return static_cast<int>(sources_.size()); }

  /// Room for about this many more places.
  void reserve(std::size_t count) { places_.reserve(places_.size() + count); }
  void set(const std::string& path, const Place& place) { places_[path] = place; }
  /// Forgets a path and everything below it.
  void erase_below(std::string_view path);
  const Place* find(const std::string& path) const;

  /// The value of a scalar, the name of a block; of the nearest enclosing block when nobody
  /// wrote the field itself.
  base::SourceSpan span(std::string_view path) const;
  /// The field's name, without looking further.
  base::SourceSpan name_span(const std::string& path) const;
  base::SourceSpan span_of(int source, const TextRange& range) const;

private:
  std::vector<std::string> sources_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace lbann::model
