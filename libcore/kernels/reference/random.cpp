// Naive random: one number after the other, from its position alone. Double gets the float's uniform and
// the same choices, so that a model draws the same numbers in every type.
#include "kernels/random_node.hpp"
#include "kernels/reference/makers.hpp"

namespace lbann::kernels::reference {

std::unique_ptr<Kernel> make_random(const NodeView& v) {
  const RandomNode node(v);
  const std::int64_t count = v.out_shape().num_elements();
  const tensor::DataType type = v.out_type();
  return make_function_kernel([node, count, type](const KernelArgs& args) {
    const base::RandomStream numbers = node.numbers(args);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::uint64_t>(node.first + i);
      double x = 0;
      switch (node.distribution) {
        case RandomNode::Distribution::uniform:
          x = static_cast<double>(numbers.uniform(index));
          break;
        case RandomNode::Distribution::normal:
          x = numbers.normal(index);
          break;
        case RandomNode::Distribution::bernoulli:
          x = numbers.bernoulli(node.probability(args), index) ? node.value(args) : 0.0;
          break;
      }
      store(args.outputs[0], type, i, x);
    }
  });
}

}  // namespace lbann::kernels::reference
