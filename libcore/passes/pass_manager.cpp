// Runs the passes: named, timed, disableable, verified.
#include <chrono>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "graph/verifier.hpp"
#include "ops/verify.hpp"
#include "passes/fuse_updates.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {

const std::vector<Pass>& all_passes() {
  static const std::vector<Pass> passes = {
      {"simplify", simplify, false, false},
      {"insert_casts", insert_casts, false, false},
      {"place_tensors", place_tensors, false, true},
      {"differentiate", differentiate, true, true},
      {"transform_gradients", transform_gradients, false, true},
      {"insert_updates", insert_updates, true, true},
      {"sparsify_updates", sparsify_updates, true, false},
      {"insert_comm", insert_comm, false, true},
      {"project", project, false, true},
      {"simplify", simplify, false, false},
      {"rematerialize", rematerialize, false, false},
      {"group_epilogues", group_epilogues, false, false},
      {"select_kernels", select_kernels, false, true},
      {"recompute", recompute, true, false},
      {"fuse_elementwise", fuse_elementwise, false, false},
      {"fuse_updates", fuse_updates, false, false},
      {"schedule", schedule, false, true},
      {"reuse_inplace", reuse_inplace, false, true},
      {"plan_memory", plan_memory, false, true},
  };
  return passes;
}

namespace {

void check_disabled(const Compilation& c) {
  for (const std::string& name : c.disabled) {
    const Pass* found = nullptr;
    std::vector<std::string> names;
    for (const Pass& p : all_passes()) {
      names.emplace_back(p.name);
      if (name == p.name) found = &p;
    }
    if (found == nullptr) {
      throw base::Error(base::ExitCode::usage, fmt::format("there is no pass '{}'", name),
                        base::did_you_mean(name, names));
    }
    if (found->required) {
      throw base::Error(base::ExitCode::usage, fmt::format("pass '{}' cannot be disabled", name),
                        "no plan can be made without it");
    }
  }
}

}  // namespace

void compile(Compilation& c) {
  check_disabled(c);
  for (const Pass& p : all_passes()) {
    if (p.training_only && !c.training) continue;
    PassReport report{p.name, 0, static_cast<int>(c.graph.order.size()), 0, c.disabled.count(p.name) > 0};
    if (!report.disabled) {
      const auto start = std::chrono::steady_clock::now();
      p.run(c);
      report.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      try {
        graph::check_graph(c.graph);
        ops::check_ops(c.graph);
      } catch (const base::Error& e) {
        throw base::Error(base::ExitCode::internal, fmt::format("after pass '{}': {}", p.name, e.what()));
      }
    }
    report.nodes_after = static_cast<int>(c.graph.order.size());
    c.reports.push_back(report);
  }
}

}  // namespace lbann::passes
