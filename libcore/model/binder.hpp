// From syntax to messages: every field of the tree goes into the protobuf message that the
// schema says, or into a diagnostic.
//
// Driven by descriptors, so a new field or layer needs nothing here. Beyond what protobuf's own
// text format takes:
//   * wrapper fields in short form        has_bias: true
//   * numbers and names as quoted lists   dims: "3 4"   parents: "conv1 conv2"
//   * old spellings                       see dialect.hpp
// On files without these both give the same message. Unlike there, all errors are found in one
// pass, each with its place, and a message can be filled from several files.
#pragma once

#include "model/span_table.hpp"
#include "model/syntax_tree.hpp"

namespace google::protobuf {
class Message;
}

namespace lbann::model {

/// Merges the tree into `message`: repeated fields append, blocks merge, scalars overwrite (with
/// a note when another file had set them). Places go to `spans` under paths that begin at
/// `message`. Fields with errors stay as they were.
void bind(const SyntaxTree& tree, google::protobuf::Message& message, SpanTable& spans,
          base::Diagnostics& diagnostics);

/// The same for a message inside an experiment, which the tree's fields are relative to.
void bind_at(const SyntaxTree& tree, google::protobuf::Message& message, std::string path, SpanTable& spans,
             base::Diagnostics& diagnostics);

}  // namespace lbann::model
