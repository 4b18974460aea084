// See profiler.hpp. Memory is bounded: times of the first runs of each plan, spans of fewer.
#include "runtime/profiler.hpp"

#include <algorithm>

#include "ops/op_def.hpp"

namespace lbann::runtime {
namespace {

constexpr std::int64_t warm_up_runs = 2;    // caches and branch predictors are cold
constexpr std::int64_t timed_runs = 200;    // of each plan
constexpr std::int64_t traced_runs = 20;    // of each plan, the cold ones included
constexpr std::size_t max_spans = 200'000;  // about 20 MB of JSON

double to_us(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double, std::micro>(t.time_since_epoch()).count();
}

double median(std::vector<float> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

KernelProfile describe(const graph::Graph& g, graph::NodeId id) {
  const graph::Node& n = g.node(id);
  const graph::Origin& origin = g.origins[static_cast<std::size_t>(n.origin)];
  const graph::Value& result = g.value(n.outputs[0]);
  const ops::Cost cost = ops::cost_of(g, n);
  return {
      origin.layer, origin.kind, n.kernel, n.op, n.phase, result.spec.to_string() + ":" + result.layout.tag(),
      cost.flops,   cost.bytes,  {},       0};
}

}  // namespace

Profiler::Profiler() : origin_us_(to_us(std::chrono::steady_clock::now())) {}

PlanProfile& Profiler::profile_of(const std::string& name, const Plan& plan) {
  const auto nodes = static_cast<graph::NodeId>(plan.graph().nodes.size());
  for (PlanProfile& p : plans_) {
    if (p.name == name && p.num_nodes == nodes) return p;
  }
  PlanProfile p;
  p.name = name;
  p.num_nodes = nodes;
  for (const PlanStep& s : plan.steps()) p.kernels.push_back(describe(plan.graph(), s.node));
  p.edges = passes::explain_edges(plan.compiled());
  plans_.push_back(std::move(p));
  return plans_.back();
}

void Profiler::add_run(const std::string& name, const Plan& plan, const std::vector<StepTime>& times) {
  PlanProfile& p = profile_of(name, plan);
  const std::int64_t run = p.runs++;
  if (times.empty()) return;
  // What came first was cold, unless nothing else comes.
  if (run == warm_up_runs) {
    for (KernelProfile& k : p.kernels) k.us.clear();
    p.total_us.clear();
  }
  const double start = times.front().start_us;
  const double total = times.back().start_us + times.back().us - start;
  if (run < timed_runs) {
    for (std::size_t i = 0; i < times.size(); ++i) p.kernels[i].us.push_back(static_cast<float>(times[i].us));
    p.total_us.push_back(static_cast<float>(total));
  }
  if (run >= traced_runs || spans_.size() + times.size() > max_spans) return;
  const int plan_index = static_cast<int>(&p - plans_.data());
  spans_.push_back({TraceSpan::Track::steps, start - origin_us_, total, plan_index, -1, {}});
  for (std::size_t i = 0; i < times.size(); ++i) {
    spans_.push_back({TraceSpan::Track::kernels,
                      times[i].start_us - origin_us_,
                      times[i].us,
                      plan_index,
                      static_cast<int>(i),
                      {}});
  }
}

void Profiler::add_host_span(std::string name, std::chrono::steady_clock::time_point start) {
  const double end = to_us(std::chrono::steady_clock::now());
  const double begin = to_us(start);
  HostTime& h = host_[name];
  h.us += end - begin;
  ++h.count;
  if (spans_.size() < max_spans && h.count <= 50 * traced_runs)
    spans_.push_back({TraceSpan::Track::host, begin - origin_us_, end - begin, -1, -1, std::move(name)});
}

void Profiler::finish() {
  for (PlanProfile& p : plans_) {
    p.median_us = median(p.total_us);
    for (KernelProfile& k : p.kernels) k.median_us = median(k.us);
  }
}

}  // namespace lbann::runtime
