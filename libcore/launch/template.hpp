// Templates of the capability table: `{name}` stands for a number or text of the job.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launch/job.hpp"

namespace lbann::launch {

/// The words of a template. It is split at blanks first, so values may contain blanks. `value` is the
/// text of the request (for lists: one element).
std::vector<std::string> expand(std::string_view text, const Job& job, const std::string& value);

}  // namespace lbann::launch
