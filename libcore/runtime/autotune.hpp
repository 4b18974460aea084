// Measures the kernels of convolutions on this machine and writes their times into a kernel table.
//
// Each distinct convolution of a graph is run alone, with every kernel in every layout that could compute it:
// once to warm up, then until 30 ms or 8 runs are over; the shortest run counts. Kernels that take more than
// three times as long as the best so far are not run again and not recorded: nobody would choose them.
#pragma once

#include <functional>
#include <string>

#include "passes/kernel_table.hpp"

namespace lbann::runtime {

struct AutotuneSettings {
  passes::CatalogueOptions options;               // threads and numerics; its table is not looked at
  std::function<void(const std::string&)> say{};  // told of every convolution before it is measured
};

/// Times of the convolutions of `g` that `known` has none of for this machine.
passes::KernelTable autotune(const graph::Graph& g, const passes::KernelTable& known,
                             const AutotuneSettings& settings);

}  // namespace lbann::runtime
