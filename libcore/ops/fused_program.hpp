// The program of a fused_ewise node: a chain of scalar functions.
//
//   t0=mul(i0,i1);t1=relu(t0);t2=scale(t1|0.5,0);o0=t2
//
// Operands are i<k> (inputs) and t<k> (temporaries, numbered in order of definition); parameters a,b
// follow a bar, as hex floats or decimals; o<k>= names the outputs, in order: an operand, or a call, which
// then is the next temporary too. Every output has the broadcast shape of all inputs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lbann::ops {

struct FusedOperand {
  enum class Kind { input, temporary } kind = Kind::input;
  int index = 0;
  bool operator==(const FusedOperand&) const = default;
};

struct FusedInstruction {
  std::string fn;
  std::vector<FusedOperand> operands;
  double a = 0, b = 0;
};

struct FusedProgram {
  std::vector<FusedInstruction> instructions;  // instruction k defines t<k>
  std::vector<FusedOperand> outputs;
  int num_inputs = 0;  // 1 + the largest input used
};

/// Throws base::Error (internal) on malformed text, an unknown function, a wrong arity or an operand used
/// before it is defined.
FusedProgram parse_fused_program(std::string_view text);
/// Parses back to the same program, parameters to the bit.
std::string print_fused_program(const FusedProgram& program);

}  // namespace lbann::ops
