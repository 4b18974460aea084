// Which build this is: the text of --version and the fields of run.json.
#pragma once

#include <string>

namespace lbann::tools {

/// "0.1.0"
std::string version();
/// The commit the build was configured from, "-dirty" if files were changed; empty if unknown.
std::string git_id();
/// "lbann-train 0.1.0\n"
std::string version_line(const std::string& tool);
/// Compiler, build type and the versions of the libraries in use, one `name: value` line each.
std::string version_details();

}  // namespace lbann::tools
