// The CPU runtime as a module: tools that link tier 1 only open it to plan with this machine's real kernels,
// layouts and scratch sizes, and to time a plan. No protobuf message is linked in: the tool has them already.
#include <string>

#include "base/diagnostic.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "passes/calibration.hpp"
#include "runtime/timing.hpp"

extern "C" __attribute__((visibility("default"))) lbann::passes::KernelCatalogue* lbann_make_cpu_catalogue(
    const lbann::passes::CatalogueOptions* options) {
  return lbann::kernels::cpu::make_cpu_catalogue(*options).release();
}

/// Times each step of a compiled plan; false and the reason in *why when it cannot be run.
extern "C" __attribute__((visibility("default"))) bool lbann_time_cpu_plan(
    const lbann::passes::Compilation* compiled, std::vector<lbann::passes::KernelTime>* times,
    std::string* why) {
  try {
    for (const lbann::runtime::StepTime& t : lbann::runtime::time_plan(*compiled, 3, 12))
      times->push_back(lbann::passes::make_kernel_time(compiled->graph, t.node, t.us));
    return true;
  } catch (const lbann::base::Error& e) {
    *why = e.what();
    return false;
  }
}
