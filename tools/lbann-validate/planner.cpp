// Opens the CPU planner module. The handle is never closed: the catalogue's code lives in it.
#include "lbann-validate/planner.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/diagnostic.hpp"

namespace lbann::tools {

namespace {

/// The module opened, or null and the reason.
void* open_module(std::string& reason) {
  reason = "liblbann_cpu.so is not installed beside lbann-validate";
  std::error_code ignored;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& folder : {here, here / "../lib", here / "../lib/lbann"}) {
    const std::filesystem::path file = folder / "liblbann_cpu.so";
    if (!std::filesystem::exists(file, ignored)) continue;
    void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) reason = dlerror();
    return module;
  }
  return nullptr;
}

/// A function of the module, or null and the reason.
template <class Function>
Function find_function(const char* name, std::string& reason) {
  void* module = open_module(reason);
  void* found = module == nullptr ? nullptr : dlsym(module, name);
  if (module != nullptr && found == nullptr) reason = dlerror();
  return reinterpret_cast<Function>(found);
}

}  // namespace

int threads_of(const ValidateOptions& o) {
  return o.threads ? static_cast<int>(*o.threads)
                   : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Planner open_planner(const passes::CatalogueOptions& options) {
  Planner planner;
  if (const auto make = find_function<passes::KernelCatalogue* (*)(const passes::CatalogueOptions*)>(
          "lbann_make_cpu_catalogue", planner.reason)) {
    planner.catalogue.reset(make(&options));
    planner.exact = true;
    planner.reason.clear();
  } else {
    planner.catalogue = passes::make_reference_catalogue();
  }
  return planner;
}

std::vector<passes::KernelTime> time_kernels(const passes::Compilation& compiled) {
  std::vector<passes::KernelTime> times;
  std::string reason;
  using Time = bool (*)(const passes::Compilation*, std::vector<passes::KernelTime>*, std::string*);
  if (const auto time = find_function<Time>("lbann_time_cpu_plan", reason);
      time == nullptr || !time(&compiled, &times, &reason)) {
    throw base::Error(base::ExitCode::environment, "this machine cannot be measured: " + reason);
  }
  return times;
}

}  // namespace lbann::tools
