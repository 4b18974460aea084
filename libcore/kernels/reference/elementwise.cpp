// Naive ewise, fused_ewise, cast, fill, all_finite, update.
#include "kernels/ewise_program.hpp"
#include "kernels/reference/makers.hpp"
#include "kernels/shared/scalar_bodies.hpp"
#include "kernels/shared/update_bodies.hpp"

namespace lbann::kernels::reference {
namespace {

template <class T>
T apply(shared::ScalarId fn, T x, T y, T z, T a, T b) {
  switch (fn) {
#define LBANN_CASE(NAME, ARITY, EXPR) \
  case shared::ScalarId::NAME:        \
    return shared::scalar::NAME::apply<StandardMath>(x, y, z, a, b);
    LBANN_SCALAR_FUNCTIONS(LBANN_CASE)
#undef LBANN_CASE
  }
  return T(0);
}

struct EwiseNode {
  EwiseProgram program;
  tensor::Shape shape;
  std::vector<std::vector<std::int64_t>> strides;  // per input
  std::vector<tensor::DataType> input_types;
  std::vector<tensor::DataType> output_types;
};

// Arithmetic in T; operands of other types are converted on reading, results on writing.
template <class T>
void run_ewise(const EwiseNode& node, const KernelArgs& args) {
  std::vector<T> temporaries(node.program.instructions.size());
  std::int64_t position = 0;
  for_each_index(node.shape, [&](const std::vector<std::int64_t>& index) {
    const auto value_of = [&](const EwiseOperand& operand) {
      const auto i = static_cast<std::size_t>(operand.index);
      if (operand.kind == EwiseOperand::Kind::temporary) return temporaries[i];
      return static_cast<T>(load(args.inputs[i], node.input_types[i], offset_of(index, node.strides[i])));
    };
    for (std::size_t i = 0; i < temporaries.size(); ++i) {
      const EwiseInstruction& step = node.program.instructions[i];
      T operands[3] = {};
      for (int k = 0; k < step.arity; ++k) operands[k] = value_of(step.args[k]);
      temporaries[i] = apply<T>(step.fn, operands[0], operands[1], operands[2], static_cast<T>(step.a),
                                static_cast<T>(step.b));
    }
    for (std::size_t i = 0; i < node.program.outputs.size(); ++i) {
      store(args.outputs[i], node.output_types[i], position,
            static_cast<double>(value_of(node.program.outputs[i])));
    }
    ++position;
  });
}

template <class Rule, class T>
void run_update_rule(const KernelArgs& args, std::int64_t count, const double* slot) {
  double exact[shared::max_update_scalars] = {};
  Rule::prepare(slot, exact);
  T h[shared::max_update_scalars];
  std::copy(std::begin(exact), std::end(exact), h);
  const T* w = input<T>(args, 0);
  const T* g = input<T>(args, 1);
  for (std::int64_t i = 0; i < count; ++i) {
    T value = w[i];
    T s[2] = {};
    for (int k = 0; k < Rule::num_states; ++k) s[k] = input<T>(args, 2 + k)[i];
    Rule::template apply<StandardMath>(value, g[i], s[0], s[1], h);
    output<T>(args, 0)[i] = value;
    for (int k = 0; k < Rule::num_states; ++k) output<T>(args, 1 + k)[i] = s[k];
  }
}

template <class Rule, class T>
FunctionKernel::Function update_function(const NodeView& v) {
  if (v.num_outputs() != 1 + Rule::num_states) v.refuse("wrong number of states");
  const std::int64_t count = v.in_shape(0).num_elements();
  const std::int64_t slot = v.n.attrs.get_int("slot", 0);
  const bool predicated = v.n.attrs.get_int("commit", 0) != 0;
  return [=](const KernelArgs& args) {
    const double* scalars = input<double>(args, 2 + Rule::num_states) + slot;
    if (!predicated || input<float>(args, 3 + Rule::num_states)[0] != 0) {
      run_update_rule<Rule, T>(args, count, scalars);
      return;
    }
    const auto keep = [&](int from, int to) {
      if (args.inputs[from] == args.outputs[to]) return;
      std::memcpy(args.outputs[to], args.inputs[from], static_cast<std::size_t>(count) * sizeof(T));
    };
    keep(0, 0);
    for (int k = 0; k < Rule::num_states; ++k) keep(2 + k, 1 + k);
  };
}

}  // namespace

std::unique_ptr<Kernel> make_ewise(const NodeView& v) {
  EwiseNode node{ewise_program_of(v.n), v.out_shape(), {}, {}, {}};
  bool single = true;
  for (int i = 0; i < v.num_inputs(); ++i) {
    if (v.in_shape(i).rank() != node.shape.rank()) v.refuse("operands of different rank");
    node.strides.push_back(broadcast_strides(v.in_shape(i)));
    node.input_types.push_back(v.in_type(i));
    single = single && v.in_type(i) == tensor::DataType::f32;
  }
  for (int i = 0; i < v.num_outputs(); ++i) {
    if (!(v.out_shape(i) == node.shape)) v.refuse("results of different shapes");
    node.output_types.push_back(v.out_type(i));
    single = single && v.out_type(i) == tensor::DataType::f32;
  }
  if (single) return make_function_kernel([=](const KernelArgs& args) { run_ewise<float>(node, args); });
  return make_function_kernel([=](const KernelArgs& args) { run_ewise<double>(node, args); });
}

std::unique_ptr<Kernel> make_cast(const NodeView& v) {
  const std::int64_t count = v.in_shape(0).num_elements();
  const tensor::DataType from = v.in_type(0);
  const tensor::DataType to = v.out_type();
  // Through double all is exact but i64 beyond 2^53.
  if (from == to) return make_view(v);
  return make_function_kernel([=](const KernelArgs& args) {
    for (std::int64_t i = 0; i < count; ++i) store(args.outputs[0], to, i, load(args.inputs[0], from, i));
  });
}

std::unique_ptr<Kernel> make_fill(const NodeView& v) {
  const std::int64_t count = v.out_shape().num_elements();
  const tensor::DataType type = v.out_type();
  const double value = v.n.attrs.get_real("value");
  return make_function_kernel([=](const KernelArgs& args) {
    for (std::int64_t i = 0; i < count; ++i) store(args.outputs[0], type, i, value);
  });
}

std::unique_ptr<Kernel> make_all_finite(const NodeView& v) {
  std::vector<std::int64_t> counts;
  std::vector<tensor::DataType> types;
  for (int i = 0; i < v.num_inputs(); ++i) {
    counts.push_back(v.in_shape(i).num_elements());
    types.push_back(v.in_type(i));
  }
  return make_function_kernel([=](const KernelArgs& args) {
    bool finite = true;
    for (std::size_t t = 0; t < counts.size(); ++t) {
      for (std::int64_t i = 0; i < counts[t]; ++i) {
        finite = finite && std::isfinite(load(args.inputs[t], types[t], i));
      }
    }
    output<float>(args, 0)[0] = finite ? 1.0f : 0.0f;
  });
}

std::unique_ptr<Kernel> make_update(const NodeView& v) {
  return with_floating(v, v.in_type(0), [&](auto zero) -> std::unique_ptr<Kernel> {
    using T = decltype(zero);
    if (v.n.attrs.get_int("product", 0) != 0) v.refuse("knows no product");
    const std::string& rule = v.n.attrs.get_text("rule");
    if (rule == "sgd") return make_function_kernel(update_function<shared::Sgd, T>(v));
    if (rule == "momentum") return make_function_kernel(update_function<shared::Momentum, T>(v));
    if (rule == "nesterov") return make_function_kernel(update_function<shared::Nesterov, T>(v));
    if (rule == "adagrad") return make_function_kernel(update_function<shared::Adagrad, T>(v));
    if (rule == "rmsprop") return make_function_kernel(update_function<shared::Rmsprop, T>(v));
    if (rule == "adam") return make_function_kernel(update_function<shared::Adam, T>(v));
    v.refuse("unknown rule '" + rule + "'");
  });
}

}  // namespace lbann::kernels::reference
