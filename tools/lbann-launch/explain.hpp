// --explain: each flag with the option it says and where the option's value comes from.
#pragma once

#include <string>

#include "common/launch_options.hpp"

namespace lbann::tools {

std::string explain_text(const LaunchOptions& options);

}  // namespace lbann::tools
