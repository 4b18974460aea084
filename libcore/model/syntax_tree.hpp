// The text of a prototext file as a tree, before any meaning: names, values, places, comments.
//
// Lossless: the tree keeps the whole text, and every node knows its bytes, so an edit is a
// replacement of a byte range and comments and spacing stay as they were. The parser never
// stops at the first error: after one it goes on at the next line or behind the block's '}',
// and where braces do not match it uses the indentation to find out which one is missing.
//
//   file:   field*
//   field:  name ':' scalar | name [':'] '{' field* '}' | name ':' '[' value, ... ']'
//   name:   identifier | '[' type.googleapis.com/lbann_data.X ']'
//
// Lines and columns count from 1, columns count code points, ends are exclusive.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"

namespace lbann::model {

/// A place in one text. `line == 0`: nowhere.
struct TextRange {
  std::size_t begin = 0;  // bytes
  std::size_t end = 0;
  int line = 0;
  int column = 0;
  int end_line = 0;
  int end_column = 0;
};

struct SyntaxField;

struct SyntaxValue {
  enum class Kind { identifier, integer, floating, string, message, list };
  Kind kind = Kind::identifier;
  bool negative = false;
  bool bad = false;                 // already reported; its content means nothing
  std::string text{};               // a scalar: as written without '-'; a string: its decoded bytes
  TextRange range{};                // of a message or list: with its brackets
  std::vector<SyntaxField> fields;  // of a message
  std::vector<SyntaxValue> items;   // of a list
};

struct SyntaxField {
  std::string name;          // of a type URL: the text between the brackets
  bool is_type_url = false;  // [type.googleapis.com/lbann_data.X] { ... }
  TextRange name_range{};
  SyntaxValue value;
};

struct SyntaxTree {
  std::string file;
  std::string text;
  std::vector<SyntaxField> fields;
  std::vector<TextRange> comments;  // from '#' to before the end of the line, in file order

  base::SourceSpan span(const TextRange& range) const;
};

/// Deeper nesting is refused.
inline constexpr int max_nesting = 100;

/// Parses `text`; what is wrong with it goes to `diagnostics`, which also learns the text.
/// The tree holds every field that could be read.
SyntaxTree parse_syntax_tree(std::string file, std::string text, base::Diagnostics& diagnostics);

}  // namespace lbann::model
