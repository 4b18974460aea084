// A plan: the compiled graph with its kernels made. Immutable; `Runner` binds it to memory and runs
// it.
//
//   Plan    kernels in execution order, operands by value id, offsets in an arena
//   Arena   one block shared by all plans of a process, as large as the largest wants
//   Runner  pointers: arena + weights + this step's input buffers -> run()
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/buffer.hpp"
#include "kernels/kernel.hpp"
#include "passes/passes.hpp"
#include "runtime/comm_kernels.hpp"
#include "runtime/weight_store.hpp"

namespace lbann::runtime {

struct PlanStep {
  graph::NodeId node;
  std::unique_ptr<kernels::Kernel> kernel;
  std::vector<graph::ValueId> inputs;
  std::vector<graph::ValueId> outputs;
  std::int64_t scratch_offset;
};

class Plan {
public:
  /// Makes the kernels of a compiled graph. Throws base::Error (internal) for a kernel nobody has.
  /// A plan for more than one rank needs its groups.
  explicit Plan(passes::Compilation compiled, RankGroups* ranks = nullptr);
  const passes::Compilation& compiled() const { return compiled_; }
  const graph::Graph& graph() const { return compiled_.graph; }
  const passes::MemoryPlan& memory() const { return compiled_.memory; }
  const std::vector<PlanStep>& steps() const { return steps_; }

private:
  passes::Compilation compiled_;
  std::vector<PlanStep> steps_;
};

class Arena {
public:
  /// Grows to at least `bytes`. Existing Runners must be bound again when it returns true.
  bool reserve(std::int64_t bytes);
  std::byte* data() const { return buffer_.data(); }
  std::int64_t size_bytes() const { return buffer_.size_bytes(); }
  void poison() { buffer_.poison(); }

private:
  device::Buffer buffer_;
};

/// Time of one kernel of a profiled run.
struct StepTime {
  graph::NodeId node;
  double us;
  double start_us;  // since the steady clock's epoch
};

class Runner {
public:
  Runner(const Plan& plan, const Arena& arena, const WeightStore& weights);
  /// `data` must hold the input's spec row-major and stay valid during run(). Throws
  /// base::Error (internal) for a name the plan does not have.
  void bind_input(const std::string& name, const void* data);
  bool has_input(const std::string& name) const;
  /// The same by number, for what happens at every step; -1: the plan has no such input.
  int find_input(const std::string& name) const;
  void bind_input(int input, const void* data);
  void run();
  /// The same kernels on the same operands, with a look at the clock around each.
  std::vector<StepTime> run_profiled();
  /// The number an output holds after run() (outputs are single elements).
  double output(const std::string& name) const;
  bool has_output(const std::string& name) const;
  int find_output(const std::string& name) const;
  double output(int output) const;
  /// Address of any value, for tests and taps; valid until the buffer is reused in the step.
  const void* address(graph::ValueId v) const { return addresses_[static_cast<std::size_t>(v)]; }
  /// Called after each step of run() when set; tests and taps look at values before they are reused.
  void set_observer(std::function<void(graph::NodeId)> observer) { observer_ = std::move(observer); }
  const Plan& plan() const { return plan_; }

private:
  struct BoundStep {
    kernels::Kernel* kernel;
    std::size_t first_input;  // into pointers_
    std::size_t first_output;
    void* scratch;
  };
  /// An input and everything that points at its buffer.
  struct Input {
    std::string name;
    graph::ValueId boundary;
    std::vector<graph::ValueId> values;  // the boundary and views of it
    std::vector<std::size_t> pointers;   // operands
    int twin = -1;                       // another input of the same name
  };
  void run_step(const BoundStep& s);

  const Plan& plan_;
  std::vector<void*> addresses_;  // by value
  std::vector<void*> pointers_;   // operands of all steps, one after the other
  std::vector<BoundStep> steps_;
  std::vector<Input> inputs_;
  std::function<void(graph::NodeId)> observer_;
};

}  // namespace lbann::runtime
