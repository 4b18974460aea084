// The CPU planner as a module: tools that link tier 1 only open it to plan with this machine's real
// kernels, layouts and scratch sizes.
#include "kernels/cpu/catalogue.hpp"

extern "C" __attribute__((visibility("default"))) lbann::passes::KernelCatalogue* lbann_make_cpu_catalogue(
    int threads) {
  return lbann::kernels::cpu::make_cpu_catalogue(threads).release();
}
