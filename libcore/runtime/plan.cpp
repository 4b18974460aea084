// Plan and Runner: binding is done once, run() is a loop over prepared calls.
#include "runtime/plan.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "ops/op_def.hpp"

namespace lbann::runtime {

using passes::Space;

namespace {

std::unique_ptr<kernels::Kernel> make_kernel_of(const graph::Graph& g, graph::NodeId id, RankGroups* ranks) {
  if (!ops::is_collective(g.node(id).op)) return kernels::make_kernel(g, id);
  if (ranks == nullptr)
    throw base::Error(base::ExitCode::internal, "a plan of several ranks without its world");
  return make_comm_kernel(g, id, *ranks);
}

}  // namespace

Plan::Plan(passes::Compilation compiled, RankGroups* ranks) : compiled_(std::move(compiled)) {
  const graph::Graph& g = compiled_.graph;
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op == "weight" || n.op == "input") continue;
    const auto& slots = compiled_.memory.values;
    const bool is_noop = n.kernel == "view" && slots[static_cast<std::size_t>(n.inputs[0])].storage ==
                                                   slots[static_cast<std::size_t>(n.outputs[0])].storage;
    if (is_noop) continue;
    steps_.push_back({id, make_kernel_of(g, id, ranks), n.inputs, n.outputs,
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
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto rest = inputs_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    const auto twin =
        std::find_if(rest, inputs_.end(), [&](const Input& other) { return other.name == inputs_[i].name; });
    if (twin != inputs_.end()) inputs_[i].twin = static_cast<int>(twin - inputs_.begin());
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

bool Runner::has_input(const std::string& name) const { return find_input(name) >= 0; }

int Runner::find_input(const std::string& name) const {
  const auto found =
      std::find_if(inputs_.begin(), inputs_.end(), [&](const Input& i) { return i.name == name; });
  return found == inputs_.end() ? -1 : static_cast<int>(found - inputs_.begin());
}

void Runner::bind_input(int input, const void* data) {
  while (input >= 0) {
    const Input& i = inputs_[static_cast<std::size_t>(input)];
    for (graph::ValueId v : i.values) addresses_[static_cast<std::size_t>(v)] = const_cast<void*>(data);
    for (std::size_t p : i.pointers) pointers_[p] = const_cast<void*>(data);
    input = i.twin;
  }
}

void Runner::bind_input(const std::string& name, const void* data) {
  const int input = find_input(name);
  if (input < 0) throw base::Error(base::ExitCode::internal, fmt::format("the plan has no input '{}'", name));
  bind_input(input, data);
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
  using Microseconds = std::chrono::duration<double, std::micro>;
  std::vector<StepTime> times;
  times.reserve(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const graph::NodeId node = plan_.steps()[i].node;
    const auto start = std::chrono::steady_clock::now();
    run_step(steps_[i]);
    const auto end = std::chrono::steady_clock::now();
    times.push_back(
        {node, Microseconds(end - start).count(), Microseconds(start.time_since_epoch()).count()});
    if (observer_) observer_(node);
  }
  return times;
}

bool Runner::has_output(const std::string& name) const { return find_output(name) >= 0; }

int Runner::find_output(const std::string& name) const {
  const std::vector<graph::Output>& outputs = plan_.graph().outputs;
  const auto found =
      std::find_if(outputs.begin(), outputs.end(), [&](const graph::Output& o) { return o.name == name; });
  return found == outputs.end() ? -1 : static_cast<int>(found - outputs.begin());
}

double Runner::output(int output) const {
  const graph::Output& o = plan_.graph().outputs[static_cast<std::size_t>(output)];
  const void* p = addresses_[static_cast<std::size_t>(o.value)];
  switch (plan_.graph().value(o.value).spec.type) {
    case tensor::DataType::f32:
      return static_cast<double>(*static_cast<const float*>(p));
    case tensor::DataType::f64:
      return *static_cast<const double*>(p);
    default:
      throw base::Error(base::ExitCode::internal, fmt::format("output '{}' is no number", o.name));
  }
}

double Runner::output(const std::string& name) const {
  const int found = find_output(name);
  if (found < 0)
    throw base::Error(base::ExitCode::internal, fmt::format("the plan has no output '{}'", name));
  return output(found);
}

}  // namespace lbann::runtime
