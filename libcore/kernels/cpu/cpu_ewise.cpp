// cpu.ewise and cpu.fused_ewise: a block-wise interpreter. The results' storage is walked in blocks of
// a few kilobytes; each instruction runs over a block while it is in the first-level cache. Operands
// that lie exactly like the result are used in place; broadcast or plain ones are gathered into a
// block first, by runs. A single instruction is the same path, so fused and unfused agree to the bit.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/cpu_makers.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/storage.hpp"
#include "kernels/ewise_program.hpp"

namespace lbann::kernels::cpu {
namespace {

constexpr std::int64_t block_floats = 1024;        // with temporaries
constexpr std::int64_t large_block_floats = 8192;  // without
constexpr int max_buffers = 32;                    // 128 KiB of stack

// Reads an operand as if it lay like the result: strides over the result's storage dims.
class Gather {
public:
  Gather() = default;
  // `dims` of the result; strides of the operand over them. `valid`: logical lanes of a padded
  // innermost dim, 0 elsewhere (nothing is read from behind the operand's end).
  Gather(const std::vector<StorageDim>& dims, const std::vector<std::int64_t>& strides, std::int64_t valid) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const bool innermost_padded = valid > 0 && i + 1 == dims.size();
      if (!extents_.empty() && !innermost_padded && strides_.back() == strides[i] * dims[i].extent) {
        extents_.back() *= dims[i].extent;
        strides_.back() = strides[i];
      } else {
        extents_.push_back(dims[i].extent);
        strides_.push_back(strides[i]);
      }
    }
    if (extents_.empty()) {
      extents_.push_back(1);
      strides_.push_back(0);
    }
    valid_ = valid;
    if (valid > 0) {
      // The block index: the outer dim whose step is one innermost block.
      const std::size_t inner = dims.size() - 1;
      for (std::size_t i = 0; i < inner; ++i) {
        if (dims[i].dim == dims[inner].dim) {
          block_rows_ = dims[i].stride / dims[inner].extent;
          num_blocks_ = dims[i].extent;
        }
      }
    }
  }

  bool constant() const {
    return std::all_of(strides_.begin(), strides_.end(), [](std::int64_t s) { return s == 0; });
  }

  // to[0..n) = operand at storage positions begin.. of the result
  void read(const float* x, std::int64_t begin, std::int64_t n, float* to) const {
    constexpr std::size_t max_dims = 16;
    std::int64_t index[max_dims];
    std::int64_t offset = 0;
    std::int64_t rest = begin;
    const std::size_t last = extents_.size() - 1;
    for (std::size_t i = extents_.size(); i-- > 0;) {
      index[i] = rest % extents_[i];
      rest /= extents_[i];
      offset += index[i] * strides_[i];
    }
    const std::int64_t inner = extents_[last];
    const std::int64_t stride = strides_[last];
    std::int64_t done = 0;
    while (done < n) {
      const std::int64_t run = std::min(inner - index[last], n - done);
      std::int64_t readable = run;
      if (valid_ > 0 && (begin + done) / inner / block_rows_ % num_blocks_ == num_blocks_ - 1) {
        readable = std::clamp<std::int64_t>(valid_ - index[last], 0, run);
      }
      copy_run(x + offset, stride, readable, to + done);
      for (std::int64_t i = readable; i < run; ++i) to[done + i] = 0;
      done += run;
      offset -= index[last] * stride;
      index[last] += run;
      if (index[last] < inner) break;  // n is reached
      index[last] = 0;
      for (std::size_t d = last; d-- > 0;) {
        offset += strides_[d];
        if (++index[d] < extents_[d]) break;
        offset -= index[d] * strides_[d];
        index[d] = 0;
      }
    }
  }

private:
  static void copy_run(const float* x, std::int64_t stride, std::int64_t n, float* to) {
    if (stride == 1 && n == 16) {
      std::memcpy(to, x, 64);
    } else if (stride == 1) {
      std::memcpy(to, x, static_cast<std::size_t>(n) * sizeof(float));
    } else if (stride == 0) {
      std::fill(to, to + n, *x);
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i] = x[i * stride];
    }
  }

  std::vector<std::int64_t> extents_;
  std::vector<std::int64_t> strides_;
  std::int64_t valid_ = 0;
  std::int64_t block_rows_ = 1;
  std::int64_t num_blocks_ = 1;
};

// Where an instruction finds an operand or puts its result.
struct Place {
  enum class Kind { input, buffer, output } kind = Kind::input;
  int index = 0;
};

struct Step {
  Loops::Ewise loop = nullptr;
  int arity = 1;
  Place args[3];
  Place result;
  float a = 0;
  float b = 0;
};

struct GatheredOperand {
  int input = 0;
  int buffer = 0;
  bool constant = false;
  Gather gather;
};

class EwiseKernel final : public Kernel {
public:
  EwiseKernel(const NodeView& v, Isa isa) : loops_(loops_for(isa)) {
    v.check_types(tensor::DataType::f32);
    const tensor::Layout& layout = v.out(0).layout;
    for (int i = 1; i < v.num_outputs(); ++i) {
      if (!(v.out(i).layout == layout) || !(v.out_shape(i) == v.out_shape())) v.refuse("results differ");
    }
    num_outputs_ = v.num_outputs();
    total_ = layout.storage_elements(v.out_shape());
    padding_ = Padding(layout, v.out_shape());
    for (int i = 0; i < v.num_inputs(); ++i) inputs_.push_back(place_input(v, i));
    const EwiseProgram program = ewise_program_of(v.n);
    compile(v, program);
    if (keeps_zero(program)) padding_ = Padding();
    block_ = num_buffers_ == 0 ? large_block_floats : block_floats;
  }

  void run(const KernelArgs& args) override {
    const std::int64_t blocks = (total_ + block_ - 1) / block_;
    // Elementary functions cost more than a pass over memory: count the instructions.
    const std::int64_t work = total_ * (1 + static_cast<std::int64_t>(steps_.size()) / 2);
    parallel_ranges(blocks, work,
                    [&](std::int64_t begin, std::int64_t end) { run_blocks(args, begin, end); });
  }

private:
  Place place_input(const NodeView& v, int i) {
    const tensor::Layout& to = v.out(0).layout;
    const tensor::Layout& from = v.in(i).layout;
    const tensor::Shape& shape = v.out_shape();
    const tensor::Shape& in_shape = v.in_shape(i);
    if (in_shape.rank() != shape.rank()) v.refuse("operands of different rank");
    if (in_shape == shape && from == to) {
      zero_padded_.push_back(true);
      return {Place::Kind::input, i};
    }
    if (from.is_blocked() && !(from.blocks() == to.blocks())) v.refuse("operand lies as " + from.tag());
    if (to.blocks().size() > 1) v.refuse("broadcast into " + to.tag());
    // The operand's stride over each storage dim of the result.
    const std::vector<StorageDim> dims = storage_dims(to, shape);
    if (dims.size() > 16) v.refuse("too many dims");
    std::vector<std::int64_t> strides;
    const std::vector<std::int64_t> outer = from.outer_strides(in_shape);
    std::int64_t valid = 0;
    for (std::size_t k = 0; k < dims.size(); ++k) {
      const auto d = static_cast<std::size_t>(dims[k].dim);
      const bool inner = to.is_blocked() && k + 1 == dims.size();
      if (in_shape[dims[k].dim] == 1) {
        strides.push_back(0);
      } else if (from.is_blocked() && from.blocks().front().dim == dims[k].dim) {
        strides.push_back(inner ? 1 : outer[d]);
      } else {
        strides.push_back(outer[d] * dims[k].logical);
        if (inner && to.has_padding(shape))
          valid = shape[dims[k].dim] - (dims_blocks(dims, k) - 1) * dims[k].extent;
      }
    }
    GatheredOperand operand;
    operand.input = i;
    operand.buffer = num_buffers_++;
    operand.gather = Gather(dims, strides, valid);
    operand.constant = operand.gather.constant();
    gathered_.push_back(std::move(operand));
    // What repeats along the blocked dim fills the padding lanes too.
    zero_padded_.push_back(to.is_blocked() && in_shape[to.blocks().front().dim] != 1);
    return {Place::Kind::buffer, gathered_.back().buffer};
  }

  static std::int64_t dims_blocks(const std::vector<StorageDim>& dims, std::size_t inner) {
    for (std::size_t i = 0; i < inner; ++i) {
      if (dims[i].dim == dims[inner].dim) return dims[i].extent;
    }
    return 1;
  }

  // Gives every temporary a buffer, reused after its last reader; the last instruction writes the
  // output itself when it is the only one.
  void compile(const NodeView& v, const EwiseProgram& program) {
    const int count = static_cast<int>(program.instructions.size());
    std::vector<int> last_use(static_cast<std::size_t>(count), -1);
    for (int i = 0; i < count; ++i) {
      const EwiseInstruction& instruction = program.instructions[static_cast<std::size_t>(i)];
      for (int k = 0; k < instruction.arity; ++k) {
        if (instruction.args[k].kind == EwiseOperand::Kind::temporary) {
          last_use[static_cast<std::size_t>(instruction.args[k].index)] = i;
        }
      }
    }
    for (const EwiseOperand& o : program.outputs) {
      if (o.kind == EwiseOperand::Kind::temporary) last_use[static_cast<std::size_t>(o.index)] = count;
    }
    const bool direct = program.outputs.size() == 1 &&
                        program.outputs[0].kind == EwiseOperand::Kind::temporary &&
                        program.outputs[0].index == count - 1;
    std::vector<int> free;
    std::vector<Place> temporaries(static_cast<std::size_t>(count));
    const auto place_of = [&](const EwiseOperand& o) {
      const auto i = static_cast<std::size_t>(o.index);
      if (o.kind == EwiseOperand::Kind::temporary) return temporaries[i];
      if (i >= inputs_.size()) v.refuse("the program names an operand the node does not have");
      return inputs_[i];
    };
    for (int i = 0; i < count; ++i) {
      const EwiseInstruction& instruction = program.instructions[static_cast<std::size_t>(i)];
      Step step;
      step.loop = loops_.ewise[static_cast<int>(instruction.fn)];
      step.arity = instruction.arity;
      for (int k = 0; k < instruction.arity; ++k) step.args[k] = place_of(instruction.args[k]);
      step.a = static_cast<float>(instruction.a);
      step.b = static_cast<float>(instruction.b);
      // Loops may write over an operand: free the operands' buffers before choosing the result's.
      for (int t = 0; t < i; ++t) {
        if (last_use[static_cast<std::size_t>(t)] == i)
          free.push_back(temporaries[static_cast<std::size_t>(t)].index);
      }
      if (direct && i == count - 1) {
        step.result = {Place::Kind::output, 0};
      } else if (!free.empty()) {
        step.result = {Place::Kind::buffer, free.back()};
        free.pop_back();
      } else {
        step.result = {Place::Kind::buffer, num_buffers_++};
      }
      temporaries[static_cast<std::size_t>(i)] = step.result;
      if (last_use[static_cast<std::size_t>(i)] < 0) free.push_back(step.result.index);  // nobody reads it
      steps_.push_back(step);
    }
    for (int i = 0; !direct && i < static_cast<int>(program.outputs.size()); ++i) {
      Step copy;
      copy.loop = loops_.ewise[static_cast<int>(shared::ScalarId::identity)];
      copy.args[0] = place_of(program.outputs[static_cast<std::size_t>(i)]);
      copy.result = {Place::Kind::output, i};
      steps_.push_back(copy);
    }
    if (static_cast<int>(program.outputs.size()) != num_outputs_)
      v.refuse("the program's outputs are not the node's");
    if (num_buffers_ > max_buffers) v.refuse("the program needs too many buffers");
  }

  // Is every result +0 (not -0) wherever all operands' padding is +0? Then nothing needs clearing.
  bool keeps_zero(const EwiseProgram& program) const {
    std::vector<bool> zero;
    const auto is_zero = [&](const EwiseOperand& o) {
      const auto i = static_cast<std::size_t>(o.index);
      return o.kind == EwiseOperand::Kind::input ? zero_padded_[i] : zero[i];
    };
    for (const EwiseInstruction& instruction : program.instructions) {
      const bool keeps = std::all_of(instruction.args, instruction.args + instruction.arity, is_zero);
      const float at_zero = 0;
      float result = 0;
      loops_.ewise[static_cast<int>(instruction.fn)](&at_zero, &at_zero, &at_zero, &result, 1,
                                                     static_cast<float>(instruction.a),
                                                     static_cast<float>(instruction.b));
      zero.push_back(keeps && result == 0 && !std::signbit(result));
    }
    return std::all_of(program.outputs.begin(), program.outputs.end(), is_zero);
  }

  void run_blocks(const KernelArgs& args, std::int64_t begin, std::int64_t end) const {
    alignas(64) float buffers[max_buffers][block_floats];
    for (const GatheredOperand& o : gathered_) {
      if (o.constant)
        std::fill(buffers[o.buffer], buffers[o.buffer] + block_floats, *input<float>(args, o.input));
    }
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t start = block * block_;
      const std::int64_t n = std::min(block_, total_ - start);
      for (const GatheredOperand& o : gathered_) {
        if (!o.constant) o.gather.read(input<float>(args, o.input), start, n, buffers[o.buffer]);
      }
      for (const Step& step : steps_) {
        const float* operands[3] = {};
        for (int k = 0; k < step.arity; ++k) {
          const Place& p = step.args[k];
          operands[k] = p.kind == Place::Kind::input ? input<float>(args, p.index) + start : buffers[p.index];
        }
        float* result = step.result.kind == Place::Kind::output
                            ? output<float>(args, step.result.index) + start
                            : buffers[step.result.index];
        step.loop(operands[0], operands[1], operands[2], result, n, step.a, step.b);
      }
      if (!padding_.empty()) {
        for (int i = 0; i < num_outputs_; ++i) padding_.clear(output<float>(args, i), start, start + n);
      }
    }
  }

  const Loops& loops_;
  std::int64_t total_ = 0;
  std::int64_t block_ = block_floats;
  int num_outputs_ = 1;
  int num_buffers_ = 0;
  Padding padding_;
  std::vector<Place> inputs_;
  std::vector<bool> zero_padded_;  // per operand
  std::vector<GatheredOperand> gathered_;
  std::vector<Step> steps_;
};

}  // namespace

std::unique_ptr<Kernel> make_ewise(const NodeView& v, Isa isa) {
  return std::make_unique<EwiseKernel>(v, isa);
}

}  // namespace lbann::kernels::cpu
