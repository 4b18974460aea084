// How fast a machine runs our kernels, measured once, and the step time this predicts for a plan.
//
//   work(node) = max(flops / peak, bytes / bandwidth(bytes))
//   predicted(node) = overhead[kernel/op] + factor[kernel/op] * work(node)
//   predicted(plan) = sum over its nodes
//
// Peak and bandwidths are the best ever seen on the machine. A kernel's overhead is the median time of its
// calls with next to no work; its factor says how far it stays behind peak or bandwidth beyond that,
// time-weighted. A kernel that was not measured takes those of all together. Without a calibration nothing is
// predicted.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "passes/compilation.hpp"
#include "passes/kernel_catalogue.hpp"

namespace lbann::passes {

struct KernelRate {
  double overhead_us = 0;
  double factor = 1;
};

struct Calibration {
  Machine machine;
  double peak_gflops = 0;
  double cache_gbs = 0;                       // gigabytes per second of kernels that work in the caches
  double memory_gbs = 0;                      // and of those that do not
  KernelRate other;                           // of kernels without an entry
  std::map<std::string, KernelRate> kernels;  // by "kernel/op"
};

/// One measured call.
struct KernelTime {
  std::string key;  // "kernel/op"
  double flops = 0, bytes = 0;
  double us = 0;
};

KernelTime make_kernel_time(const graph::Graph& g, graph::NodeId node, double us);
/// Throws base::Error (internal) without measurements.
Calibration make_calibration(const Machine& machine, const std::vector<KernelTime>& times);
/// Milliseconds of one run of a compiled plan.
double predict_ms(const Compilation& compiled, const Calibration& calibration);
/// Whether the calibration was made for the machine the plan is for: instruction set, threads, library.
bool is_for(const Calibration& calibration, const Machine& machine);

/// One JSON object, schema "lbann-calibration-1".
std::string print_calibration(const Calibration& calibration);
/// nullopt and a reason when the text is none.
std::optional<Calibration> try_parse_calibration(std::string_view text, std::string* why);

}  // namespace lbann::passes
