// Which site file suits this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/site.hpp"

namespace lbann::tools {

/// LBANN_SITE_PATH, else the user's (XDG_CONFIG_HOME), /etc/lbann/sites and the suite's own folder.
std::vector<std::string> site_folders();

/// `name`: a file, a name in the folders, "none", or "auto": the first file whose rules fit. Throws
/// Error(usage) when a named one is not there, Error(config) when it has errors, which are reported.
std::optional<launch::Site> choose_site(const std::string& name);

}  // namespace lbann::tools
