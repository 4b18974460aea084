// Opens run-time modules with dlopen; a failure is an answer, not an error.
#include "device/module.hpp"

#include <dlfcn.h>

#include <filesystem>

#include <fmt/format.h>

namespace lbann::device {

ModuleStatus probe_module(const std::string& name) {
  const std::string file = fmt::format("liblbann_{}.so", name);
  std::error_code ignored;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  ModuleStatus status;
  for (const std::filesystem::path& folder : {here, here / "../lib", here / "../lib/lbann"}) {
    const std::filesystem::path path = folder / file;
    if (!std::filesystem::exists(path, ignored)) continue;
    status.path = path.lexically_normal().string();
    if (dlopen(status.path.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) {
      status.available = true;
      return status;
    }
    status.reason = dlerror();
    return status;
  }
  status.reason = fmt::format("module {} is not installed beside the executable", file);
  return status;
}

}  // namespace lbann::device
