// Collects where the time of real steps goes: every kernel of every plan that runs, and what the host does
// between (waiting for data, making plans). Only collects; profile_report and trace say it to people and
// programs.
//
// A run that is profiled calls the same kernels in the same order on the same operands, so it computes the
// same bits; a run that is not has no profiler and looks at no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "passes/explain_edges.hpp"
#include "runtime/plan.hpp"

namespace lbann::runtime {

/// One kernel call of a plan, and its times.
struct KernelProfile {
  std::string layer, layer_kind;
  std::string kernel, op;
  graph::Phase phase = graph::Phase::forward;
  std::string result;           // spec and layout of its first result
  double flops = 0, bytes = 0;  // of one call
  std::vector<float> us;        // by run
  double median_us = 0;         // after finish()
};

struct PlanProfile {
  std::string name;
  graph::NodeId num_nodes = 0;
  std::int64_t runs = 0;  // all of them; times are kept of some
  std::vector<KernelProfile> kernels;
  std::vector<passes::EdgeNote> edges;
  std::vector<float> total_us;  // of a run, from its first kernel's begin to its last one's end
  double median_us = 0;         // after finish()
};

/// One box of the trace, in microseconds since the profiler was made.
struct TraceSpan {
  enum class Track : std::uint8_t { steps, kernels, host };
  Track track = Track::host;
  double start_us = 0, us = 0;
  int plan = -1, kernel = -1;  // of profiles(), for Track::kernels; else
  std::string name{};
};

class Profiler {
public:
  Profiler();
  /// One run of a plan. `name` tells plans apart: "train, mini-batch 64".
  void add_run(const std::string& name, const Plan& plan, const std::vector<StepTime>& times);
  /// What the host did, by the steady clock.
  void add_host_span(std::string name, std::chrono::steady_clock::time_point start);
  /// Medians. Call once, at the end.
  void finish();
  const std::vector<PlanProfile>& plans() const { return plans_; }
  const std::vector<TraceSpan>& spans() const { return spans_; }
  /// Seconds and number of the host's spans, by name.
  struct HostTime {
    double us = 0;
    std::int64_t count = 0;
  };
  const std::map<std::string, HostTime>& host() const { return host_; }

private:
  PlanProfile& profile_of(const std::string& name, const Plan& plan);

  double origin_us_;
  std::vector<PlanProfile> plans_;
  std::vector<TraceSpan> spans_;
  std::map<std::string, HostTime> host_;
};

}  // namespace lbann::runtime
