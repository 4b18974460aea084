// From the text of a program, which ops/ reads and checks, to what the interpreters run: functions by number.
#include "kernels/ewise_program.hpp"

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "ops/fused_program.hpp"

namespace lbann::kernels {
namespace {

EwiseOperand convert(const ops::FusedOperand& o) {
  const bool input = o.kind == ops::FusedOperand::Kind::input;
  return {input ? EwiseOperand::Kind::input : EwiseOperand::Kind::temporary, o.index};
}

}  // namespace

shared::ScalarId scalar_id(std::string_view name) {
  for (int i = 0; i < shared::num_scalar_functions; ++i) {
    if (name == shared::scalar_names[i].name) return static_cast<shared::ScalarId>(i);
  }
  throw base::Error(base::ExitCode::internal, fmt::format("no scalar function '{}'", name));
}

EwiseProgram parse_ewise_program(std::string_view text) {
  const ops::FusedProgram parsed = ops::parse_fused_program(text);
  EwiseProgram program;
  for (const ops::FusedInstruction& from : parsed.instructions) {
    EwiseInstruction i;
    i.fn = scalar_id(from.fn);
    i.arity = static_cast<int>(from.operands.size());
    for (std::size_t k = 0; k < from.operands.size(); ++k) i.args[k] = convert(from.operands[k]);
    i.a = from.a;
    i.b = from.b;
    program.instructions.push_back(i);
  }
  for (const ops::FusedOperand& o : parsed.outputs) program.outputs.push_back(convert(o));
  return program;
}

EwiseProgram ewise_program_of(const graph::Node& node) {
  if (node.op == "fused_ewise") return parse_ewise_program(node.attrs.get_text("program"));
  EwiseInstruction i;
  i.fn = scalar_id(node.attrs.get_text("fn"));
  i.arity = shared::scalar_names[static_cast<int>(i.fn)].arity;
  for (int k = 0; k < i.arity; ++k) i.args[k] = {EwiseOperand::Kind::input, k};
  i.a = node.attrs.get_real("a", 0);
  i.b = node.attrs.get_real("b", 0);
  EwiseProgram program;
  program.instructions.push_back(i);
  program.outputs.push_back({EwiseOperand::Kind::temporary, 0});
  return program;
}

}  // namespace lbann::kernels
