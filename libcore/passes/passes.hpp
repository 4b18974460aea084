// The passes, in the order in which they run. A pass's file, function, `--disable-pass` name and
// line in the log are one word. Each takes the compilation, edits the graph, and leaves it legal:
// the manager verifies after every pass.
#pragma once

#include "passes/compilation.hpp"

namespace lbann::passes {

/// Removes identities, folds constant factors, recognises softmax followed by cross entropy, drops
/// what nobody needs.
void simplify(Compilation& c);
/// With a compute type below the model's type: convolutions and products run in it.
void insert_casts(Compilation& c);
/// Gives every value a placement on the mesh; inserts `redistribute` where a rule asks for another.
void place_tensors(Compilation& c);
/// Appends the backward graph of the output "objective" for all trainable weights.
void differentiate(Compilation& c);
/// The finite flag, then L2 terms.
void transform_gradients(Compilation& c);
/// One `update` per trainable weight; assignments of new weights and state.
void insert_updates(Compilation& c);
/// Updates only the rows of a table that the step has read, where that changes no bit of it.
void sparsify_updates(Compilation& c);
/// Lowers `redistribute` to communication; on one rank it is the identity.
void insert_comm(Compilation& c);
/// Turns the global program into that of one rank.
void project(Compilation& c);
/// Recomputes constants and broadcasts beside each far use instead of keeping them.
void rematerialize(Compilation& c);
/// Moves a ReLU into the convolution, product or normalisation before it, and its gradient's mask
/// into the normalisation's backward pass.
void group_epilogues(Compilation& c);
/// One kernel and the layouts of its operands for every node; inserts `reorder` at the borders.
void select_kernels(Compilation& c);
/// Makes activations again in the backward pass instead of keeping them, to the same bits.
void recompute(Compilation& c);
/// Chains of elementwise nodes become one block-wise kernel.
void fuse_elementwise(Compilation& c);
/// The execution order: updates as soon as their gradient is final and nobody reads the old weight.
void schedule(Compilation& c);
/// Lets an output take the buffer of an operand that dies there; new weights take the old ones'.
void reuse_inplace(Compilation& c);
/// Offsets in one arena by lifetime.
void plan_memory(Compilation& c);

struct Pass {
  const char* name;
  void (*run)(Compilation&);
  bool training_only;
  bool required;  // a plan cannot be made without it: not disableable
};

/// All passes in order ("simplify" twice).
const std::vector<Pass>& all_passes();

/// Runs them; verifies after each. Throws base::Error (internal) naming the pass that broke the graph;
/// base::Error (usage) for an unknown or required name in `disabled`.
void compile(Compilation& c);

}  // namespace lbann::passes
