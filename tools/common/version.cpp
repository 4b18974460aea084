// Version of this build: see version.hpp. The macros come from tools/CMakeLists.txt.
#include "common/version.hpp"

#include <fmt/core.h>
#include <google/protobuf/stubs/common.h>
#include <zlib.h>

#include "common/git_id.hpp"

namespace lbann::tools {

std::string version() { return LBANN_VERSION; }

std::string git_id() { return LBANN_GIT_ID; }

std::string version_line(const std::string& tool) { return tool + ' ' + version() + '\n'; }

std::string version_details() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  std::string out;
  out += fmt::format("git: {}\n", git_id().empty() ? "unknown" : git_id());
  out += fmt::format("build type: {}\n", LBANN_BUILD_TYPE);
  out += fmt::format("compiler: {}\n", compiler);
  out += fmt::format("fmt: {}.{}.{}\n", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
  out += fmt::format("protobuf: {}\n", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION));
  out += fmt::format("zlib: {}\n", zlibVersion());
  return out;
}

}  // namespace lbann::tools
