// The kernel catalogue of this machine's CPU.
#pragma once

#include <memory>

#include "passes/kernel_catalogue.hpp"

namespace lbann::kernels::cpu {

std::unique_ptr<passes::KernelCatalogue> make_cpu_catalogue(int threads);

}  // namespace lbann::kernels::cpu
