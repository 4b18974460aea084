// What the elementwise interpreters run: the program of a `fused_ewise` node (its text form is
// ops/fused_program.hpp's) with functions by number. A single `ewise` node is the program of one
// instruction: both run through the same interpreter.
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
