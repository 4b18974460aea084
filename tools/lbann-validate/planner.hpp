// The kernel catalogue that plans are made with: this machine's, if its module is there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/validate_options.hpp"
#include "passes/calibration.hpp"

namespace lbann::tools {

struct Planner {
  std::unique_ptr<passes::KernelCatalogue> catalogue;
  bool exact = false;  // layouts and scratch are those of this machine's kernels
  std::string reason;  // why not
};

/// Threads to plan for: --threads, or those of this machine.
int threads_of(const ValidateOptions& options);

/// Opens liblbann_cpu.so beside the executable or in ../lib; else the naive kernels' catalogue.
Planner open_planner(const passes::CatalogueOptions& options);

/// The time of every kernel call of a plan made with open_planner()'s catalogue. Throws base::Error
/// (environment) without that module.
std::vector<passes::KernelTime> time_kernels(const passes::Compilation& compiled);

}  // namespace lbann::tools
