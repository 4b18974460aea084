// The kernel catalogue of the CPU runtime: what oneDNN, our own kernels and the naive kernels offer
// for each node, best first. Deterministic: offers depend on shapes, layouts, instruction set and
// number of threads, never on a measurement of this run.
#pragma once

#include <memory>

#include "passes/kernel_catalogue.hpp"
#include "passes/kernel_table.hpp"

namespace lbann::kernels::cpu {

std::unique_ptr<passes::KernelCatalogue> make_cpu_catalogue(passes::CatalogueOptions options);
/// With the defaults.
std::unique_ptr<passes::KernelCatalogue> make_cpu_catalogue(int threads);

/// kernel_table.txt as it was when the library was built.
std::shared_ptr<const passes::KernelTable> shipped_kernel_table();

}  // namespace lbann::kernels::cpu
