// The kernel object: primitive and memory objects are made once, `run` sets addresses and executes.
//
// Setting an address makes the library zero the padding behind it, so it is done only when the
// address changes; in a static plan that is once. The call itself is the C one: the C++ wrapper
// builds a hash map per call, which is a microsecond.
#include "kernels/cpu/dnnl_kernels.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "kernels/cpu/dnnl_engine.hpp"
#include "kernels/cpu/dnnl_op.hpp"
#include "kernels/cpu/epilogue.hpp"

namespace lbann::kernels {
namespace {

using cpu::DnnlOp;
using cpu::OpArg;

[[noreturn]] void fail(const std::string& kernel, const char* what) {
  throw base::Error(base::ExitCode::internal, fmt::format("kernel '{}': {}", kernel, what));
}

class DnnlKernel final : public Kernel {
public:
  DnnlKernel(const DnnlOp& op, std::string name)
    : name_(std::move(name)), primitive_(op.desc.get()), has_scratch_(op.scratch_bytes > 0) {
    for (const OpArg& arg : op.args) add(arg.arg, arg.is_output, arg.index, arg.desc);
    if (has_scratch_) add(DNNL_ARG_SCRATCHPAD, false, -1, op.desc.scratchpad_desc());
    for (const OpArg& arg : op.args) {
      if (!arg.is_output) continue;
      if (op.relu_after) relu_count_ = static_cast<std::int64_t>(arg.desc.get_size() / sizeof(float));
      bias_shape_ = arg.desc.dims();
    }
    bias_input_ = op.bias_after;
  }

  void run(const KernelArgs& args) override {
    dnnl::stream& stream = cpu::this_thread_stream();
    for (Slot& slot : slots_) {
      void* address = slot.index < 0   ? args.scratch
                      : slot.is_output ? args.outputs[slot.index]
                                       : const_cast<void*>(args.inputs[slot.index]);
      if (address == slot.address) continue;
      if (dnnl_memory_set_data_handle_v2(slot.memory.get(), address, stream.get()) != dnnl_success) {
        fail(name_, "the library refuses a buffer");
      }
      slot.address = address;
    }
    if (dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(exec_args_.size()),
                               exec_args_.data()) != dnnl_success) {
      fail(name_, "the library's call failed");
    }
    if (bias_input_ >= 0) {
      cpu::add_bias_in_place(static_cast<float*>(args.outputs[0]),
                             static_cast<const float*>(args.inputs[bias_input_]), bias_shape_[0],
                             bias_shape_[1]);
    }
    if (relu_count_ > 0) cpu::relu_in_place(static_cast<float*>(args.outputs[0]), relu_count_);
  }

private:
  struct Slot {
    bool is_output;
    int index;  // -1: scratch
    dnnl::memory memory;
    void* address = nullptr;
  };

  void add(int arg, bool is_output, int index, const cpu::Desc& desc) {
    slots_.push_back({is_output, index, dnnl::memory(desc, cpu::engine(), DNNL_MEMORY_NONE)});
    exec_args_.push_back({arg, slots_.back().memory.get()});
  }

  std::string name_;
  dnnl::primitive primitive_;
  bool has_scratch_;
  std::vector<Slot> slots_;
  std::vector<dnnl_exec_arg_t> exec_args_;
  std::int64_t relu_count_ = 0;
  int bias_input_ = -1;
  dnnl::memory::dims bias_shape_;  // [rows, columns] of the output
};

}  // namespace

std::unique_ptr<Kernel> make_dnnl_kernel(const graph::Graph& g, graph::NodeId id) {
  const graph::Node& n = g.node(id);
  cpu::OpRequest request{g, n, {}, {}};
  for (graph::ValueId v : n.inputs) request.inputs.push_back(g.value(v).layout);
  for (graph::ValueId v : n.outputs) request.outputs.push_back(g.value(v).layout);
  const std::optional<DnnlOp> op = cpu::try_dnnl_op(n.kernel, request);
  if (!op) fail(n.kernel, "not offered for these shapes and layouts");
  if (op->scratch_bytes > n.scratch_bytes) {
    fail(n.kernel, "needs more scratch than planned; was the plan made for another number of threads?");
  }
  return std::make_unique<DnnlKernel>(*op, n.kernel);
}

}  // namespace lbann::kernels
