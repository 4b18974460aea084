// From prototext to lowered model in one call, with the data fields of digits: samples [1,28,28], labels
// [10].
#pragma once

#include <optional>
#include <string>

#include "model/lower.hpp"

namespace lbann::test {

struct Lowered {
  base::Diagnostics diagnostics;
  model::LowerOptions options;
  std::optional<model::LoweredModel> model;
};

inline model::LowerOptions default_options() {
  model::LowerOptions options;
  options.batch = 4;
  options.fields = {{"samples", {1, 28, 28}}, {"labels", {10}}};
  return options;
}

Lowered lower_text(const std::string& text, const model::LowerOptions& options = default_options());

}  // namespace lbann::test
