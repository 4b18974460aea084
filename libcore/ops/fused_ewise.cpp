// fused_ewise {program}: a chain of scalar functions run block-wise, the same bits as the chain.
// Made by a pass after differentiation, so it has no gradient. Every output must have the broadcast
// shape of all inputs: blocks run over one index space.
#include <fmt/format.h>

#include "ops/broadcast.hpp"
#include "ops/fused_program.hpp"
#include "ops/op_list.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using tensor::TensorSpec;

Specs infer_fused(const graph::Attrs& attrs, std::span<const TensorSpec> in) {
  const FusedProgram program = parse_fused_program(attrs.get_text("program"));
  if (program.num_inputs != static_cast<int>(in.size())) {
    fail(fmt::format("fused_ewise: {} operands, the program uses {}", in.size(), program.num_inputs));
  }
  check_same_type("fused_ewise", in);
  const TensorSpec whole = make_spec(in[0].type, infer_broadcast("fused_ewise", in));
  std::vector<TensorSpec> temporaries;
  const auto spec_of = [&](const FusedOperand& operand) {
    const std::size_t index = static_cast<std::size_t>(operand.index);
    return operand.kind == FusedOperand::Kind::input ? in[index] : temporaries[index];
  };
  for (const FusedInstruction& instruction : program.instructions) {
    std::vector<TensorSpec> operands;
    for (const FusedOperand& operand : instruction.operands) operands.push_back(spec_of(operand));
    temporaries.push_back(make_spec(in[0].type, infer_broadcast(instruction.fn, operands)));
  }
  for (const FusedOperand& output : program.outputs) {
    check_shape("fused_ewise", "output", spec_of(output), whole.shape);
  }
  return Specs(program.outputs.size(), whole);
}

}  // namespace

OpDef make_fused_ewise_op() {
  OpDef def;
  def.name = "fused_ewise";
  def.max_inputs = -1;
  def.infer = infer_fused;
  def.vjp = vjp_refuse;
  def.place = place_broadcast;
  def.flops = [](const graph::Graph& g, const graph::Node& n) {
    const FusedProgram program = parse_fused_program(n.attrs.get_text("program"));
    return static_cast<double>(program.instructions.size()) * elements(g, n.outputs[0]);
  };
  return def;
}

}  // namespace lbann::ops
