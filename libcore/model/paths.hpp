// File names inside an experiment: relative ones count from the folder of the file that writes them,
// then from the working folder.
#pragma once

#include <string>

#include "model/span_table.hpp"

namespace lbann::model {

/// `field` is the path of the field that holds `name`. What exists nowhere is returned as it is.
std::string resolve_path(const SpanTable& spans, const std::string& field, const std::string& name);

}  // namespace lbann::model
