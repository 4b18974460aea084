// Version of this build: see version.hpp. The macros come from tools/CMakeLists.txt.
#include "common/version.hpp"

#include <fmt/core.h>
#include <google/protobuf/stubs/common.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/build_matrix.hpp"
#include "common/git_id.hpp"

namespace lbann::tools {

std::string version() { return LBANN_VERSION; }

std::string git_id() { return LBANN_GIT_ID; }

std::string version_line(const std::string& tool) { return tool + ' ' + version() + '\n'; }

namespace {

// Modules beside the executable, by the same rule by which they are opened (device/module.hpp).
std::string modules_found() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<std::string> names;
  for (const fs::path& folder : {here, here / "../lib", here / "../lib/lbann"})
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
      const std::string file = entry.path().filename().string();
      if (file.rfind("liblbann_", 0) != 0 || entry.path().extension() != ".so") continue;
      const std::string name = file.substr(9, file.size() - 12);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none found" : text;
}

}  // namespace

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
  out += LBANN_BUILD_MATRIX;
  out += fmt::format("fmt: {}.{}.{}\n", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
  out += fmt::format("protobuf: {}\n", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION));
  out += fmt::format("zlib: {}\n", zlibVersion());
  out += fmt::format("modules: {}\n", modules_found());
  return out;
}

}  // namespace lbann::tools
