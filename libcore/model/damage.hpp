// What earlier errors have already cost: so that nobody reports what only follows from them.
//
// A block with an error inside is damaged: that it lacks a field means nothing, the field may be
// the one that could not be read. Where braces do not match, or a whole section has a wrong
// name, a missing section means nothing either.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/span_table.hpp"

namespace lbann::model {

class Damage {
public:
  /// The errors that `diagnostics` holds now; `spans` must outlive this.
  Damage(const SpanTable& spans, const base::Diagnostics& diagnostics);

  /// Is there an error between the name of the block at `path` and its end?
  bool inside(const std::string& path) const;
  /// May a section be missing only because the text around it could not be read?
  bool of_structure() const { return of_structure_; }

private:
  const SpanTable& spans_;
  std::vector<base::SourceSpan> places_;
  bool of_structure_ = false;
};

}  // namespace lbann::model
