// What the kernels of `random` read from their node and its first two operands.
#pragma once

#include <string>

#include "base/philox.hpp"
#include "kernels/node_view.hpp"

namespace lbann::kernels {

struct RandomNode {
  enum class Distribution { uniform, normal, bernoulli } distribution;
  std::uint64_t stream;
  std::int64_t slot;
  std::int64_t first;  // position of the node's first number in the whole tensor

  explicit RandomNode(const NodeView& v)
    : distribution(parse(v)),
      stream(static_cast<std::uint64_t>(v.n.attrs.get_int("stream"))),
      slot(v.n.attrs.get_int("slot", 0)),
      first(v.n.attrs.get_int("first", 0)) {
    if (v.in_type(0) != tensor::DataType::i64) v.refuse("random_state is not i64");
  }
  base::RandomStream numbers(const KernelArgs& args) const {
    const auto* state = static_cast<const std::int64_t*>(args.inputs[0]);  // key, draw
    return {static_cast<std::uint64_t>(state[0]), stream, static_cast<std::uint64_t>(state[1])};
  }
  /// Of bernoulli: the probability, and the value where it hits.
  double probability(const KernelArgs& args) const { return scalars(args)[0]; }
  double value(const KernelArgs& args) const { return scalars(args)[1]; }

private:
  const double* scalars(const KernelArgs& args) const {
    return static_cast<const double*>(args.inputs[1]) + slot;
  }
  static Distribution parse(const NodeView& v) {
    const std::string& name = v.n.attrs.get_text("distribution");
    if (name == "uniform") return Distribution::uniform;
    if (name == "normal") return Distribution::normal;
    if (name == "bernoulli") return Distribution::bernoulli;
    v.refuse("unknown distribution " + name);
  }
};

}  // namespace lbann::kernels
