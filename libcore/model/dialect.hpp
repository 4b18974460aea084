// Old spellings: fields that files of LBANN v0.97 to v0.103 use and today's schema lacks.
//
// Every such field has a row in dialect_table.cpp, and the binder asks here before it calls a
// name unknown. So an old file is either understood or refused with an explanation, but no
// field of it is ever skipped in silence.
#pragma once

#include <span>
#include <string_view>

#include "model/syntax_tree.hpp"

namespace google::protobuf {
class Message;
}

namespace lbann::model {

enum class DialectAction {
  rename,        // target: today's field of the same message; dots descend ("initializer.normal_initializer")
  move,          // target: path from the top of the experiment ("trainer.mini_batch_size")
  move_negated,  // the same for a truth value that now says the opposite
  hoist,         // target: field of the block around this one (Layer of a Layer.Unpooling)
  rewrite,       // target: today's field of the same block; its value changes too, see rewrite_old_field
  operator_kind,  // target: message of an operator_layer's operator
  convolution,    // target: today's field; the rules are in read_old_convolution
  ignore,         // accepted with a note; target: why nothing is lost
  refuse,         // target: what to do instead
};

struct DialectRow {
  const char* message;  // full name without the package
  const char* field;
  DialectAction action;
  const char* target;
  const char* versions;
};

std::span<const DialectRow> dialect_rows();

/// nullptr: the field never existed.
const DialectRow* try_dialect(std::string_view message, std::string_view field);

/// What takes the place of a field with action `rewrite`, in the same block: no, one or several
/// fields that carry the place of the old one. `siblings` is the block, the field included. Parts
/// that nothing of today says are reported and left out.
std::vector<SyntaxField> rewrite_old_field(const DialectRow& row, const SyntaxField& field,
                                           const std::vector<SyntaxField>& siblings, const SyntaxTree& tree,
                                           base::Diagnostics& diagnostics);

/// The same truth value, negated; anything else stays as it is.
SyntaxValue negated(SyntaxValue value);

/// True if entries of this repeated string field may be blank-separated lists ("conv1 conv2").
bool holds_name_list(std::string_view message, std::string_view field);

/// Translates the fields of a convolution (or deconvolution) in the old spelling:
///
///   has_vectors false: conv_dims_i, conv_pads_i, conv_strides_i, conv_dilations_i count
///   has_vectors true:  conv_dims, conv_pads, conv_strides, conv_dilations count
///   num_groups and dilations of 0 mean 1; the stride must be given; has_bias unset is FALSE
///
/// The two spellings must not be mixed. Fields that need no translation stay. Returns false
/// (and leaves `fields` alone) when the block is in today's spelling.
bool read_old_convolution(std::string_view message, const SyntaxTree& tree, const TextRange& block,
                          std::vector<SyntaxField>& fields, base::Diagnostics& diagnostics);

}  // namespace lbann::model
