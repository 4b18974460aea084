// Plan and Runner: binding is done once, run() is a loop over prepared calls.
#include "runtime/plan.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace lbann::runtime {

using passes::Space;

Plan::Plan(passes::Compilation compiled) : compiled_(std::move(compiled)) {
  const graph::Graph& g = compiled_.graph;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op == "weight" || n.op == "input") continue;
    const auto& slots = compiled_.memory.values;
    const bool is_noop = n.kernel == "view" && slots[static_cast<std::size_t>(n.inputs[0])].storage ==
                                                   slots[static_cast<std::size_t>(n.outputs[0])].storage;
    if (is_noop) continue;
    steps_.push_back({id, kernels::make_kernel(g, id), n.inputs, n.outputs,
                      compiled_.memory.scratch_offset[static_cast<std::size_t>(id)]});
  }
}

bool Arena::reserve(std::int64_t bytes) {
  if (bytes <= buffer_.size_bytes()) return false;
  buffer_ = device::Buffer();
  buffer_ = device::Buffer(bytes, "the arena of activations and workspaces");
  return true;
}

Runner::Runner(const Plan& plan, const Arena& arena, const WeightStore& weights) : plan_(plan) {
  const graph::Graph& g = plan.graph();
  const std::vector<passes::Slot>& slots = plan.memory().values;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op == "input") inputs_.push_back({n.attrs.get_text("name"), n.outputs[0], {}, {}});
  }
  const auto input_of = [&](const passes::Slot& s) -> Input& {
    return *std::find_if(inputs_.begin(), inputs_.end(),
                         [&](const Input& i) { return i.boundary == s.offset; });
  };
  addresses_.assign(g.values.size(), nullptr);
  for (std::size_t v = 0; v < slots.size(); ++v) {
    const passes::Slot& s = slots[v];
    if (s.space == Space::arena) addresses_[v] = arena.data() + s.offset;
    if (s.space == Space::input) input_of(s).values.push_back(static_cast<graph::ValueId>(v));
    if (s.space == Space::weight) {
      const graph::Node& boundary = g.producer(static_cast<graph::ValueId>(s.offset));
      addresses_[v] = weights.data(boundary.attrs.get_text("name"));
    }
  }
  const auto point_at = [&](graph::ValueId v) {
    const passes::Slot& s = slots[static_cast<std::size_t>(v)];
    if (s.space == Space::input) input_of(s).pointers.push_back(pointers_.size());
    pointers_.push_back(addresses_[static_cast<std::size_t>(v)]);
  };
  for (const PlanStep& step : plan.steps()) {
    BoundStep bound{step.kernel.get(), pointers_.size(), 0, nullptr};
    for (graph::ValueId v : step.inputs) point_at(v);
    bound.first_output = pointers_.size();
    for (graph::ValueId v : step.outputs) point_at(v);
    if (step.scratch_offset >= 0) bound.scratch = arena.data() + step.scratch_offset;
    steps_.push_back(bound);
  }
}

bool Runner::has_input(const std::string& name) const {
  return std::any_of(inputs_.begin(), inputs_.end(), [&](const Input& i) { return i.name == name; });
}

void Runner::bind_input(const std::string& name, const void* data) {
  bool found = false;
  for (const Input& input : inputs_) {
    if (input.name != name) continue;
    found = true;
    for (graph::ValueId v : input.values) addresses_[static_cast<std::size_t>(v)] = const_cast<void*>(data);
    for (std::size_t p : input.pointers) pointers_[p] = const_cast<void*>(data);
  }
  if (!found) throw base::Error(base::ExitCode::internal, fmt::format("the plan has no input '{}'", name));
}

void Runner::run_step(const BoundStep& s) {
  const kernels::KernelArgs args{const_cast<const void* const*>(pointers_.data() + s.first_input),
                                 pointers_.data() + s.first_output, s.scratch};
  s.kernel->run(args);
}

void Runner::run() {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    run_step(steps_[i]);
    if (observer_) observer_(plan_.steps()[i].node);
  }
}

std::vector<StepTime> Runner::run_profiled() {
  std::vector<StepTime> times;
  times.reserve(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    run_step(steps_[i]);
    const std::chrono::duration<double, std::micro> us = std::chrono::steady_clock::now() - start;
    times.push_back({plan_.steps()[i].node, us.count()});
  }
  return times;
}

bool Runner::has_output(const std::string& name) const {
  for (const graph::Output& o : plan_.graph().outputs) {
    if (o.name == name) return true;
  }
  return false;
}

double Runner::output(const std::string& name) const {
  for (const graph::Output& o : plan_.graph().outputs) {
    if (o.name != name) continue;
    const void* p = addresses_[static_cast<std::size_t>(o.value)];
    switch (plan_.graph().value(o.value).spec.type) {
      case tensor::DataType::f32:
        return static_cast<double>(*static_cast<const float*>(p));
      case tensor::DataType::f64:
        return *static_cast<const double*>(p);
      default:
        break;
    }
  }
  throw base::Error(base::ExitCode::internal, fmt::format("the plan has no output '{}'", name));
}

}  // namespace lbann::runtime
