// Opens the CPU planner module. The handle is never closed: the catalogue's code lives in it.
#include "lbann-validate/planner.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace lbann::tools {

Planner open_planner(int threads) {
  Planner planner;
  planner.reason = "liblbann_cpu.so is not installed beside lbann-validate";
  std::error_code ignored;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& folder : {here, here / "../lib", here / "../lib/lbann"}) {
    const std::filesystem::path file = folder / "liblbann_cpu.so";
    if (!std::filesystem::exists(file, ignored)) continue;
    void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    using Make = passes::KernelCatalogue* (*)(int);
    const auto make =
        module == nullptr ? nullptr : reinterpret_cast<Make>(dlsym(module, "lbann_make_cpu_catalogue"));
    if (make == nullptr) {
      planner.reason = dlerror();
      break;
    }
    planner.catalogue.reset(make(threads));
    planner.exact = true;
    planner.reason.clear();
    return planner;
  }
  planner.catalogue = passes::make_reference_catalogue();
  return planner;
}

}  // namespace lbann::tools
