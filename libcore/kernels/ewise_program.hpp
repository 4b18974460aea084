// The program of `fused_ewise`: a chain of scalar functions in text form,
//
//   t0=mul(i0,i1);t1=relu(t0);t2=scale(t1|0.5,0);o0=t2
//
// Operands: i<k> node input k, t<k> temporary k (assigned before use, once). After the bar the
// parameters a and b, decimal or hex (0x1p-3). o<k> is output k. `o0=relu(t1)` is allowed too.
// A single `ewise` node is the program of one instruction: both run through the same interpreter.
#pragma once

#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/shared/scalar_bodies.hpp"

namespace lbann::kernels {

struct EwiseOperand {
  enum class Kind { input, temporary } kind = Kind::input;
  int index = 0;
  bool operator==(const EwiseOperand&) const = default;
};

struct EwiseInstruction {
  shared::ScalarId fn = shared::ScalarId::identity;
  int arity = 1;
  EwiseOperand args[3];
  double a = 0;
  double b = 0;
  // The instruction's result is the temporary numbered like the instruction.
};

struct EwiseProgram {
  std::vector<EwiseInstruction> instructions;
  std::vector<EwiseOperand> outputs;  // per node output
};

/// Throws base::Error (internal) on a malformed program.
EwiseProgram parse_ewise_program(std::string_view text);
/// The program of an `ewise` or `fused_ewise` node.
EwiseProgram ewise_program_of(const graph::Node& node);
/// Throws base::Error (internal) for an unknown name.
shared::ScalarId scalar_id(std::string_view name);

}  // namespace lbann::kernels
