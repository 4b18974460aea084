// `--explain KIND`: what a layer does and which fields it has.
#pragma once

#include <string>

namespace lbann::tools {

/// Throws base::Error (usage) with a suggestion for an unknown kind.
std::string explain_layer(const std::string& kind);

}  // namespace lbann::tools
