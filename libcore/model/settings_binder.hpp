// What the functions that bind settings share: places, refusal of fields that are not honoured, missing
// things.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include "base/diagnostic.hpp"
#include "model/damage.hpp"
#include "model/experiment.hpp"

namespace lbann::model {

class SettingsBinder {
public:
  SettingsBinder(const Experiment& e, base::Diagnostics& d) : e_(e), d_(d), damage_(e.spans, d) {}

  /// Refuses every field that is set and not among `honoured`; those in `without_effect` get a note.
  void check_fields(const google::protobuf::Message& message, const std::string& path,
                    const std::set<std::string>& honoured, const std::set<std::string>& without_effect = {}) {
    std::vector<const google::protobuf::FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    for (const google::protobuf::FieldDescriptor* field : set) {
      if (honoured.count(field->name()) > 0) continue;
      const base::SourceSpan span = place(path, field->name());
      if (without_effect.count(field->name()) > 0) {
        d_.warning("no-effect", span, fmt::format("field '{}' has no effect", field->name()));
      } else {
        d_.error("not-supported", span,
                 fmt::format("field '{}' is known to LBANN, not yet supported here", field->name()));
      }
    }
  }

  base::SourceSpan place(const std::string& path, const std::string& field) const {
    const std::string full = path + "." + field;
    if (const base::SourceSpan named = e_.spans.name_span(full); named.known()) return named;
    if (const base::SourceSpan first = e_.spans.name_span(full + "[0]"); first.known()) return first;
    return e_.spans.span(full);
  }
  base::SourceSpan value(const std::string& path) const { return e_.spans.span(path); }
  /// Says that something is missing, unless it may be there and could not be read.
  void missing(const std::string& block, std::string id, base::SourceSpan span, std::string message,
               std::string help = {}) {
    if (damage_.inside(block) || damage_.of_structure()) return;
    d_.error(std::move(id), std::move(span), std::move(message), std::move(help));
  }
  void error(std::string id, base::SourceSpan span, std::string message, std::string help = {}) {
    d_.error(std::move(id), std::move(span), std::move(message), std::move(help));
  }
  const Experiment& experiment() const { return e_; }
  base::Diagnostics& diagnostics() { return d_; }

private:
  const Experiment& e_;
  base::Diagnostics& d_;
  const Damage damage_;
};

}  // namespace lbann::model
