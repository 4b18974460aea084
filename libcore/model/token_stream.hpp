// Tokens of a text with exact places, on top of protobuf's tokenizer.
//
// The tokenizer sets the lexical rules, so that our reader and protobuf's agree on every number
// and string. What it lacks is added here: byte offsets, columns in code points (its own count
// bytes and jump at tabs), comments, one token per code point for characters that do not
// belong, and messages that name the place where a broken token begins.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "model/syntax_tree.hpp"

namespace lbann::model {

struct Token {
  enum class Kind { identifier, integer, floating, string, symbol, invalid, end };
  Kind kind = Kind::end;
  std::string_view text{};  // as written; empty at the end
  TextRange range{};
  bool first_on_line = false;
  int indent = 1;    // column of the first token of this line
  bool bad = false;  // the tokenizer complained, and so have we
};

class TokenStream {
public:
  /// `file` and `text` must outlive the stream.
  TokenStream(const std::string& file, std::string_view text, base::Diagnostics& diagnostics);
  ~TokenStream();
  TokenStream(const TokenStream&) = delete;
  TokenStream& operator=(const TokenStream&) = delete;

  const Token& current() const { return current_; }
  void next();
  const std::vector<TextRange>& comments() const { return comments_; }
  base::SourceSpan span(const TextRange& range) const;

private:
  struct Input;  // protobuf's tokenizer and its error collector
  /// A place that moves forward only: byte, line and column by our count and by the tokenizer's.
  struct Cursor {
    std::size_t pos = 0;
    int line = 1;
    int column = 1;
    int raw_column = 0;
  };

  void blank_out_nul_bytes();
  void step(Cursor& cursor) const;
  Cursor advanced(Cursor cursor, int raw_line, int raw_column) const;
  void collect_comments(std::size_t begin, std::size_t end);
  void report_errors(const Cursor& previous_end);
  bool read_raw();

  const std::string& file_;
  std::string_view text_;
  std::string without_nul_;  // replaces a text that holds NUL bytes
  base::Diagnostics& diagnostics_;
  std::unique_ptr<Input> input_;
  std::vector<TextRange> comments_;
  Cursor cursor_;  // end of the current token
  Token current_;
  int last_line_ = 0;    // of the previous token
  int last_indent_ = 1;  // of that line
};

}  // namespace lbann::model
