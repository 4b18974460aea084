// The JSON reader under the names that records use; it lives in base/ because checkpoint manifests,
// which know nothing of logs, read with it too.
#pragma once

#include "base/json.hpp"

namespace lbann::log {

using base::json_number;
using base::JsonValue;
using base::try_json_double;
using base::try_parse_json;

}  // namespace lbann::log
