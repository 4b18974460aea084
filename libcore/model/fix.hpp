// An old file in today's spelling, as an edit of its text.
//
// Everything the dialect table translates is written out as today's schema has it, and so are the
// short forms that only our reader takes: `has_bias: true`, `dims: "3 4"`. The result reads with
// protobuf's own text format and means the same. Only the bytes of the fields concerned change: comments,
// order and spacing stay; a comment inside a rewritten block is put before it. A text without
// anything to fix comes back byte for byte, so fixing is idempotent.
#pragma once

#include <string>

#include "model/syntax_tree.hpp"

namespace lbann::model {

struct FixedText {
  std::string text;
  int num_changes = 0;
};

/// `tree` must have been parsed without errors. What has no equivalent stays as it is: binding the
/// result reports it.
FixedText fix_spelling(const SyntaxTree& tree);

}  // namespace lbann::model
