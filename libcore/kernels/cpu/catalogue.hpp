// The kernel catalogue of the CPU runtime: what oneDNN, our own kernels and the naive kernels offer
// for each node, best first. Deterministic: offers depend on shapes, layouts, instruction set and
// number of threads, never on a measurement of this run.
#pragma once

#include <memory>

#include "passes/kernel_catalogue.hpp"

namespace lbann::kernels::cpu {

/// `threads`: OpenMP threads the plan will run on (scratch sizes depend on it).
std::unique_ptr<passes::KernelCatalogue> make_cpu_catalogue(int threads);

}  // namespace lbann::kernels::cpu
