// Text and JSON reports of a compilation.
#include "passes/describe.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "ops/op_def.hpp"

namespace lbann::passes {
namespace {

constexpr double mebi = 1048576.0;

std::string_view phase_letter(graph::Phase phase) {
  return phase == graph::Phase::forward ? "F" : phase == graph::Phase::backward ? "B" : "U";
}

std::string place_text(const Slot& s) {
  switch (s.space) {
    case Space::arena:
      return fmt::format("@{}", s.offset);
    case Space::weight:
      return "weight";
    case Space::input:
      return "input";
    case Space::none:
      break;
  }
  return "-";
}

struct Buffer {
  std::string what;
  std::int64_t bytes;
};

/// What is alive at the step with the most live bytes, largest first.
std::vector<Buffer> largest_at_peak(const Compilation& c, std::int64_t& peak_bytes) {
  const graph::Graph& g = c.graph;
  const int steps = static_cast<int>(g.order.size());
  struct Life {
    int first, last;
    std::int64_t bytes;
    std::string what;
  };
  std::vector<Life> lives;
  const auto touch = [&](graph::ValueId v, int p) {
    const Slot& s = c.memory.values[static_cast<std::size_t>(v)];
    if (s.space != Space::arena) return;
    if (static_cast<std::size_t>(s.storage) >= lives.size()) {
      lives.resize(static_cast<std::size_t>(s.storage) + 1, Life{steps + 1, -1, 0, {}});
    }
    Life& l = lives[static_cast<std::size_t>(s.storage)];
    if (l.what.empty()) {
      const graph::Node& n = g.producer(v);
      const std::string& layer = g.origins[static_cast<std::size_t>(n.origin)].layer;
      l.what = fmt::format("{} of {} ({})", g.value(v).spec.to_string(), layer, n.op);
    }
    l.first = std::min(l.first, p);
    l.last = std::max(l.last, p);
    l.bytes = std::max(l.bytes, s.bytes);
  };
  for (int p = 0; p < steps; ++p) {
    const graph::Node& n = g.node(g.order[static_cast<std::size_t>(p)]);
    for (graph::ValueId v : n.outputs) touch(v, p);
    for (graph::ValueId v : n.inputs) touch(v, p);
    if (n.scratch_bytes > 0) {
      const std::string& layer = g.origins[static_cast<std::size_t>(n.origin)].layer;
      lives.push_back({p, p, n.scratch_bytes, fmt::format("scratch of {} ({})", layer, n.kernel)});
    }
  }
  std::vector<std::int64_t> alive(static_cast<std::size_t>(steps) + 2, 0);
  for (const Life& l : lives) {
    for (int p = l.first; p <= l.last; ++p) alive[static_cast<std::size_t>(p)] += l.bytes;
  }
  const auto peak = std::max_element(alive.begin(), alive.end());
  peak_bytes = *peak;
  const int at = static_cast<int>(std::distance(alive.begin(), peak));
  std::vector<Buffer> result;
  for (const Life& l : lives) {
    if (l.first <= at && at <= l.last) result.push_back({l.what, l.bytes});
  }
  std::sort(result.begin(), result.end(), [](const Buffer& a, const Buffer& b) { return a.bytes > b.bytes; });
  return result;
}

}  // namespace

double total_flops(const Compilation& c) {
  double total = 0;
  for (graph::NodeId id : c.graph.order) total += ops::cost_of(c.graph, c.graph.node(id)).flops;
  return total;
}

std::string describe_plan(const Compilation& c) {
  const graph::Graph& g = c.graph;
  std::string text = fmt::format("plan {}: {} nodes, {:.3f} GFLOP per step, machine {} with {} threads, {}\n",
                                 g.name, g.order.size(), total_flops(c) * 1e-9, c.catalogue->machine().isa,
                                 c.catalogue->machine().threads, c.catalogue->machine().library);
  int step = 0;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op == "weight" || n.op == "input") continue;
    const ops::Cost cost = ops::cost_of(g, n);
    std::string results;
    for (graph::ValueId v : n.outputs) {
      const graph::Value& value = g.value(v);
      results += fmt::format(" {}:{} {}", value.spec.to_string(), value.layout.tag(),
                             place_text(c.memory.values[static_cast<std::size_t>(v)]));
    }
    text += fmt::format("{:4} {} {:<22} {:<18}{}", step++, phase_letter(n.phase), n.kernel,
                        g.origins[static_cast<std::size_t>(n.origin)].layer, results);
    if (cost.flops > 0) text += fmt::format("  {:.3f} MFLOP", cost.flops * 1e-6);
    if (n.scratch_bytes > 0) text += fmt::format("  scratch {}", n.scratch_bytes);
    text += '\n';
  }
  return text;
}

std::string describe_memory(const Compilation& c, const PipelineMemory& pipeline) {
  const MemoryPlan& m = c.memory;
  const std::string_view label = m.exact ? "exact" : "bound";
  const auto line = [](std::string_view what, std::int64_t bytes, std::string_view kind) {
    return fmt::format("  {:<28} {:>12} B  {:>9.2f} MiB  {}\n", what, bytes,
                       static_cast<double>(bytes) / mebi, kind);
  };
  std::string text = fmt::format("memory of plan {}:\n", c.graph.name);
  text += line("weights", m.weight_bytes, "exact");
  text += line("state", m.state_bytes, "exact");
  text += line("activations and workspace", m.arena_bytes, label);
  text += line("data pipeline", pipeline.bytes, pipeline.exact ? "exact" : "bound");
  text += line("total", m.weight_bytes + m.state_bytes + m.arena_bytes + pipeline.bytes,
               pipeline.exact ? label : "bound");
  text += line("without reuse", m.sum_of_values_bytes, label);
  std::int64_t peak = 0;
  const std::vector<Buffer> buffers = largest_at_peak(c, peak);
  text += fmt::format("largest buffers at the peak ({:.2f} MiB alive):\n", static_cast<double>(peak) / mebi);
  for (std::size_t i = 0; i < buffers.size() && i < 10; ++i) {
    text +=
        fmt::format("  {:>9.2f} MiB  {}\n", static_cast<double>(buffers[i].bytes) / mebi, buffers[i].what);
  }
  return text;
}

std::string describe_memory_json(const Compilation& c, const PipelineMemory& pipeline) {
  const MemoryPlan& m = c.memory;
  return fmt::format(
      R"({{"plan":"{}","weights_bytes":{},"state_bytes":{},"arena_bytes":{},"pipeline_bytes":{},"total_bytes":{},"exact":{},"gflop":{},"recomputed_bytes":{},"recomputed_gflop":{}}})",
      c.graph.name, m.weight_bytes, m.state_bytes, m.arena_bytes, pipeline.bytes,
      m.weight_bytes + m.state_bytes + m.arena_bytes + pipeline.bytes, m.exact && pipeline.exact,
      total_flops(c) * 1e-9, c.recomputed.bytes, c.recomputed.flops * 1e-9);
}

std::string describe_passes(const Compilation& c) {
  std::string text;
  for (const PassReport& r : c.reports) {
    text += fmt::format("  {:<20} {:>8.3f} ms  {:>4} -> {:>4} nodes{}\n", r.name, r.ms, r.nodes_before,
                        r.nodes_after, r.disabled ? "  (disabled)" : "");
  }
  return text;
}

}  // namespace lbann::passes
