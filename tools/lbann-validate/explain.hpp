// `--explain NAME`: what a kind, a message or a field means.
#pragma once

#include <string>

namespace lbann::tools {

/// Throws base::Error (usage) with a suggestion for an unknown name.
std::string explain(const std::string& name);

}  // namespace lbann::tools
