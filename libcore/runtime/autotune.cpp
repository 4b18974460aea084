// See autotune.hpp. A kernel is made on a graph of its node alone, as the plan would make it.
#include "runtime/autotune.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "device/buffer.hpp"
#include "kernels/cpu/catalogue.hpp"
#include "kernels/cpu/conv_candidates.hpp"
#include "kernels/kernel.hpp"

namespace lbann::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point t) {
  return std::chrono::duration<double, std::micro>(Clock::now() - t).count();
}

/// The node with its operands as graph inputs.
struct Alone {
  graph::Graph g;
  graph::NodeId node = 0;
};

Alone isolate(const graph::Graph& from, const graph::Node& n) {
  Alone alone;
  std::vector<graph::ValueId> inputs;
  for (graph::ValueId v : n.inputs) {
    const graph::NodeId id = alone.g.add_node("input", {}, {from.value(v).spec}, {}, 0, n.phase);
    inputs.push_back(alone.g.node(id).outputs[0]);
  }
  std::vector<tensor::TensorSpec> outputs;
  for (graph::ValueId v : n.outputs) outputs.push_back(from.value(v).spec);
  alone.node = alone.g.add_node(n.op, inputs, outputs, n.attrs, 0, n.phase);
  return alone;
}

/// Storage of a value, filled with small numbers (denormals and infinities are slow or misleading).
device::Buffer make_buffer(const graph::Value& v) {
  const std::int64_t bytes = v.layout.storage_elements(v.spec.shape) * tensor::size_bytes(v.spec.type);
  device::Buffer buffer(bytes, "a tensor of a measurement");
  auto* x = reinterpret_cast<float*>(buffer.data());
  for (std::int64_t i = 0; i < bytes / static_cast<std::int64_t>(sizeof(float)); ++i)
    x[i] = static_cast<float>(i % 127 - 63) * 0x1p-8F;
  return buffer;
}

/// Shortest run in microseconds; of the first one alone when that is slower than `limit_us`.
double time_kernel(Alone& alone, const passes::KernelCandidate& c, double limit_us) {
  graph::Node& n = alone.g.node(alone.node);
  n.kernel = c.kernel;
  n.scratch_bytes = c.scratch_bytes;
  n.may_alias = c.may_alias;
  std::vector<device::Buffer> buffers;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    alone.g.value(n.inputs[i]).layout = c.inputs[i];
    buffers.push_back(make_buffer(alone.g.value(n.inputs[i])));
    inputs.push_back(buffers.back().data());
  }
  for (std::size_t i = 0; i < n.outputs.size(); ++i) {
    alone.g.value(n.outputs[i]).layout = c.outputs[i];
    buffers.push_back(make_buffer(alone.g.value(n.outputs[i])));
    outputs.push_back(buffers.back().data());
  }
  const device::Buffer scratch(std::max<std::int64_t>(c.scratch_bytes, 64), "scratch of a measurement");
  const auto kernel = kernels::make_kernel(alone.g, alone.node);
  const kernels::KernelArgs args{inputs.data(), outputs.data(), scratch.data()};
  auto begin = Clock::now();
  kernel->run(args);
  double best = us_since(begin);
  if (best > 2 * limit_us) return best;
  begin = Clock::now();
  for (int i = 0; i < 8 && (i < 2 || us_since(begin) < 30e3); ++i) {
    const auto t = Clock::now();
    kernel->run(args);
    best = std::min(best, us_since(t));
  }
  return best;
}

}  // namespace

passes::KernelTable autotune(const graph::Graph& g, const passes::KernelTable& known,
                             const AutotuneSettings& settings) {
  omp_set_num_threads(settings.options.threads);
  const passes::Machine machine = kernels::cpu::make_cpu_catalogue(settings.options)->machine();
  passes::KernelTable table;
  std::set<std::string> done;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const graph::Node& n = g.nodes[i];
    if (n.dead || !passes::is_conv(n) || known.knows(machine, g, n)) continue;
    const std::string name = passes::describe_conv(g, n);
    if (!done.insert(name).second) continue;
    if (settings.say) settings.say(name);
    Alone alone = isolate(g, n);
    double best = 1e12;
    std::vector<std::pair<const kernels::cpu::ConvCandidate*, double>> times;
    const auto list = kernels::cpu::list_conv_candidates(alone.g, alone.node, settings.options.numerics);
    for (const kernels::cpu::ConvCandidate& c : list) {
      const double us = time_kernel(alone, c.kernel, 3 * best);
      best = std::min(best, us);
      times.emplace_back(&c, us);
    }
    for (const auto& [c, us] : times) {
      if (us <= 3 * best) table.set_us(machine, g, n, c->kernel.kernel, c->layouts, us);
    }
  }
  return table;
}

}  // namespace lbann::runtime
