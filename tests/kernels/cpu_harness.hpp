// Judges an own CPU kernel by the naive one: same node, row-major for the oracle, a given layout for
// the kernel; on every instruction set this processor has, on one thread and on two. Results must be
// near the oracle's, have the same bits everywhere, and +0 in their padding.
#pragma once

#include <string>
#include <vector>

#include "kernel_harness.hpp"
#include "kernels/cpu/isa.hpp"

namespace lbann::kernels::testing {

struct Operand {
  tensor::Shape shape;
  std::vector<float> values;
  bool follows_layout = true;  // lies by the tag under test, else row-major
};

struct Comparison {
  std::string op;
  graph::Attrs attrs;
  std::vector<Operand> inputs;
  std::vector<Tensor> raw_inputs{};  // behind the inputs, as they are
  std::vector<tensor::Shape> outputs;
  std::string tag{};  // layout of the inputs that follow it and of results of rank > 1
  double tolerance = 0;
  bool exact = false;  // the oracle's bits
  bool results_plain = false;
};

/// Checks with Boost.Test; `what` names the case. Returns the results.
std::vector<std::vector<float>> check_cpu(const Comparison& c, const std::string& what);
std::vector<cpu::Isa> available_isas();
/// Makes "cpu.<op>" for the instruction set and runs it with that many threads.
void run_cpu(const Case& c, cpu::Isa isa, int threads);

}  // namespace lbann::kernels::testing
