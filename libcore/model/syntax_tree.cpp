// Recursive descent over TokenStream, with three ways of going on after an error:
//
//  * a token that was surely meant otherwise ('=' for ':', a missing ':') is reported and read
//    as what was meant;
//  * otherwise the rest of the line is skipped; a block opened there is still checked;
//  * when braces do not match, the text is parsed a second time and a block ends where the
//    indentation says so. The reading with fewer errors counts. Indentation never matters in
//    a text whose braces match.
#include "model/syntax_tree.hpp"

#include <algorithm>

#include <google/protobuf/io/tokenizer.h>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "model/token_stream.hpp"

namespace lbann::model {

namespace {

using Kind = SyntaxValue::Kind;

constexpr int max_errors = 100;  // of one file; a file with more is no prototext

class Parser {
public:
  Parser(SyntaxTree& tree, bool by_indentation, base::Diagnostics& diagnostics)
    : tree_(tree),
      by_indentation_(by_indentation),
      diagnostics_(diagnostics),
      tokens_(tree.file, tree.text, diagnostics) {}

  void parse_file() {
    while (!at_end()) {
      parse_fields(tree_.fields, nullptr, 0);
      if (at_end()) break;
      // parse_fields came back at a closing bracket that nothing opened.
      brace_error_ = true;
      error("unmatched-brace", tokens_.current().range,
            fmt::format("this '{}' closes nothing", tokens_.current().text));
      tokens_.next();
    }
    if (given_up())
      error("too-many-errors", tokens_.current().range, "too many syntax errors, the rest is not read");
    tree_.comments = tokens_.comments();
  }

  bool brace_error() const { return brace_error_; }

private:
  struct Block {
    TextRange open;
    char close;
    int indent;  // column of the first token of the opening line
  };

  bool given_up() const { return diagnostics_.num_errors() >= max_errors; }
  bool at_end() const { return given_up() || tokens_.current().kind == Token::Kind::end; }
  bool at(std::string_view symbol) const {
    return tokens_.current().kind == Token::Kind::symbol && tokens_.current().text == symbol;
  }
  bool at_closing() const { return at("}") || at(">"); }

  void error(std::string id, const TextRange& range, std::string message, std::string help = {},
             std::vector<base::Note> notes = {}) {
    diagnostics_.add({base::Severity::error, std::move(id), std::move(message), tokens_.span(range),
                      std::move(notes), std::move(help)});
  }

  std::string found() const {
    const Token& token = tokens_.current();
    if (token.kind == Token::Kind::end) return "the end of the file";
    const std::string_view shown = token.text.substr(0, 40);
    return fmt::format("'{}'", base::printable(shown));
  }

  /// Fields up to the block's closing bracket, which is left to the caller.
  void parse_fields(std::vector<SyntaxField>& fields, const Block* block, int depth) {
    while (!at_end() && !at_closing()) {
      const Token& token = tokens_.current();
      if (by_indentation_ && block != nullptr && token.first_on_line && token.range.column <= block->indent &&
          token.range.line > block->open.line)
        return;  // the indentation says that the block is over
      parse_field(fields, depth);
    }
  }

  void parse_field(std::vector<SyntaxField>& fields, int depth) {
    SyntaxField field;
    field.name_range = tokens_.current().range;
    if (tokens_.current().kind == Token::Kind::identifier) {
      field.name = tokens_.current().text;
      tokens_.next();
    } else if (at("[")) {
      if (!parse_type_url(field)) return skip_line(depth);
    } else if (at(",") || at(";")) {
      tokens_.next();  // a separator too many is harmless
      return;
    } else {
      report_unexpected("expected-field", fmt::format("name of a field expected, found {}", found()));
      return skip_line(depth);
    }
    while (true) {
      const int line = field.name_range.line;
      const bool equals = at("=");
      const bool colon = equals || at(":");
      if (equals)
        error("expected-colon", tokens_.current().range,
              fmt::format("'=' after '{}' where ':' is expected", field.name));
      if (colon) tokens_.next();
      const bool same_line = tokens_.current().range.line == line;
      const bool block = at("{") || at("<");
      if (!at_value_start() || (!colon && !block && !same_line)) return report_no_value(field, colon, depth);
      if (!colon && !block) {
        report_unexpected("expected-colon",
                          fmt::format("':' or '{{' expected after '{}', found {}", field.name, found()));
        if (tokens_.current().kind == Token::Kind::identifier || at("[")) return skip_line(depth);
      }
      field.value = parse_value(depth);
      const bool was_a_name = field.value.kind == Kind::identifier && !field.value.negative &&
                              field.value.range.line != line && (at(":") || at("{"));
      if (!was_a_name) break;
      // "name:" at the end of a line, and what follows is the next field.
      report_missing(field, colon);
      field.name = field.value.text;
      field.name_range = field.value.range;
      field.is_type_url = false;
    }
    fields.push_back(std::move(field));
    if (at(",") || at(";")) tokens_.next();
  }

  void report_missing(const SyntaxField& field, bool colon) {
    error("missing-value", field.name_range, fmt::format("'{}' has no value", field.name),
          colon ? "" : fmt::format("write '{0}: value' or '{0} {{ ... }}'", field.name));
  }

  void report_no_value(const SyntaxField& field, bool colon, int depth) {
    const Token& token = tokens_.current();
    const bool same_line = token.range.line == field.name_range.line;
    if (token.kind == Token::Kind::end || !same_line || at_closing()) return report_missing(field, colon);
    if (colon)
      report_unexpected("expected-value",
                        fmt::format("value expected after '{}:', found {}", field.name, found()));
    else
      report_unexpected("expected-colon",
                        fmt::format("':' or '{{' expected after '{}', found {}", field.name, found()));
    skip_line(depth);
  }

  /// The current token does not belong here.
  void report_unexpected(std::string id, std::string message) {
    const Token& token = tokens_.current();
    if (token.bad) return;  // said already
    if (token.kind == Token::Kind::invalid) {
      const bool quote = token.text == "\xE2\x80\x9C" || token.text == "\xE2\x80\x9D" ||
                         token.text == "\xE2\x80\x98" || token.text == "\xE2\x80\x99";
      return error("bad-character", token.range, fmt::format("unexpected character {}", found()),
                   quote ? "use straight quotes: \"" : "");
    }
    error(std::move(id), token.range, std::move(message));
  }

  bool parse_type_url(SyntaxField& field) {
    field.is_type_url = true;
    tokens_.next();
    while (!at_end() && !at("]")) {
      const Token& token = tokens_.current();
      const bool part = token.kind == Token::Kind::identifier || token.kind == Token::Kind::integer ||
                        at(".") || at("/") || at("-");
      if (!part) {
        error("bad-type-url", token.range,
              fmt::format("']' expected after the type's name, found {}", found()),
              "write [type.googleapis.com/lbann_data.Name] { ... }");
        return false;
      }
      field.name += token.text;
      field.name_range.end = token.range.end;
      tokens_.next();
    }
    if (at("]")) {
      field.name_range.end = tokens_.current().range.end;
      field.name_range.end_line = tokens_.current().range.end_line;
      field.name_range.end_column = tokens_.current().range.end_column;
      tokens_.next();
      return true;
    }
    error("bad-type-url", field.name_range, "']' expected after the type's name");
    return false;
  }

  bool at_value_start() const {
    switch (tokens_.current().kind) {
      case Token::Kind::identifier:
      case Token::Kind::integer:
      case Token::Kind::floating:
      case Token::Kind::string:
        return true;
      case Token::Kind::symbol:
        return at("{") || at("<") || at("[") || at("-");
      default:
        return false;
    }
  }

  SyntaxValue parse_value(int depth) {
    if (at("{") || at("<")) return parse_block(depth);
    if (at("[")) return parse_list(depth);
    return parse_scalar();
  }

  SyntaxValue parse_scalar() {
    SyntaxValue value;
    value.range = tokens_.current().range;
    if (at("-")) {
      value.negative = true;
      tokens_.next();
    }
    const Token token = tokens_.current();
    value.bad = token.bad;
    extend(value.range, token.range);
    switch (token.kind) {
      case Token::Kind::identifier:
        value.kind = Kind::identifier;
        value.text = token.text;
        break;
      case Token::Kind::integer:
        value.kind = Kind::integer;
        value.text = token.text;
        break;
      case Token::Kind::floating:
        value.kind = Kind::floating;
        value.text = token.text;
        break;
      case Token::Kind::string:
        value.kind = Kind::string;
        if (value.negative) {
          error("expected-value", value.range, "'-' before a string");
          value.bad = true;
        }
        return parse_strings(std::move(value));
      default:
        error("expected-value", token.range, fmt::format("number expected after '-', found {}", found()));
        value.bad = true;
        return value;
    }
    tokens_.next();
    // "3x3" comes as a broken number and a word glued to it.
    const Token& after = tokens_.current();
    if (value.bad && after.kind == Token::Kind::identifier && after.range.begin == value.range.end)
      tokens_.next();
    return value;
  }

  /// Adjacent strings are one string, as in C.
  SyntaxValue parse_strings(SyntaxValue value) {
    while (tokens_.current().kind == Token::Kind::string) {
      const Token& token = tokens_.current();
      value.bad = value.bad || token.bad;
      extend(value.range, token.range);
      if (!token.bad)
        google::protobuf::io::Tokenizer::ParseStringAppend(std::string(token.text), &value.text);
      const bool broken = token.bad;
      tokens_.next();
      if (broken) break;
    }
    return value;
  }

  static void extend(TextRange& range, const TextRange& to) {
    range.end = to.end;
    range.end_line = to.end_line;
    range.end_column = to.end_column;
  }

  SyntaxValue parse_list(int depth) {
    SyntaxValue list;
    list.kind = Kind::list;
    list.range = tokens_.current().range;
    const int line = list.range.line;
    tokens_.next();
    while (!at_end() && !at("]")) {
      if (!at_value_start() || at("[")) break;
      list.items.push_back(parse_value(depth));
      if (at(",")) {
        tokens_.next();
        if (!at("]")) continue;
        error("expected-value", tokens_.current().range, "value expected after ',', found ']'");
      } else if (!at("]") && at_value_start() && !at("{") && !at("[") &&
                 tokens_.current().kind != Token::Kind::identifier) {
        error("expected-comma", tokens_.current().range,
              fmt::format("',' or ']' expected in a list, found {}", found()));
        continue;
      }
      break;
    }
    if (at("]")) {
      extend(list.range, tokens_.current().range);
      tokens_.next();
      return list;
    }
    error("unclosed-list", tokens_.current().range,
          fmt::format("',' or ']' expected in a list, found {}", found()), "",
          {{"the list begins here", tokens_.span(list.range)}});
    list.bad = true;
    if (tokens_.current().range.line == line) skip_line(depth);
    return list;
  }

  SyntaxValue parse_block(int depth) {
    SyntaxValue value;
    value.kind = Kind::message;
    value.range = tokens_.current().range;
    const Block block{value.range, at("{") ? '}' : '>', tokens_.current().indent};
    if (depth + 1 > max_nesting) {
      error("too-deep", value.range, fmt::format("nested deeper than {} levels", max_nesting));
      value.bad = true;
      skip_balanced(value);
      return value;
    }
    tokens_.next();
    while (true) {
      parse_fields(value.fields, &block, depth + 1);
      if (at_end() || !at_closing()) break;
      const Token& token = tokens_.current();
      const bool judged = by_indentation_ && token.first_on_line && token.range.line > block.open.line;
      if (judged && token.range.column < block.indent) break;
      if ((judged && token.range.column > block.indent) || token.text[0] != block.close) {
        error("unmatched-brace", token.range, fmt::format("this '{}' closes nothing", token.text), "",
              {{"the block it stands in begins here", tokens_.span(block.open)}});
        brace_error_ = true;
        tokens_.next();
        continue;
      }
      extend(value.range, token.range);
      tokens_.next();
      return value;
    }
    if (given_up()) return value;
    brace_error_ = true;
    if (!unclosed_reported_ || by_indentation_)
      error("unclosed-brace", block.open, fmt::format("no '{}' closes this block", block.close), "",
            {{tokens_.current().kind == Token::Kind::end ? "the file ends here"
                                                         : "by its indentation it ends before this",
              tokens_.span(tokens_.current().range)}});
    unclosed_reported_ = true;
    extend(value.range, tokens_.current().range);
    return value;
  }

  /// Without recursion: from an opening bracket to behind its closing one.
  void skip_balanced(SyntaxValue& value) {
    int open = 0;
    while (!at_end()) {
      if (at("{") || at("<")) ++open;
      if (at("}") || at(">")) --open;
      extend(value.range, tokens_.current().range);
      tokens_.next();
      if (open == 0) return;
    }
  }

  /// After an error: on to the next line, or before the '}' that ends the block. A block that
  /// opens on the way is read, so that errors inside it are found too, and thrown away.
  void skip_line(int depth) {
    const int line = tokens_.current().range.line;
    while (!at_end() && tokens_.current().range.line == line && !at_closing()) {
      if (at("{") || at("<")) {
        parse_block(depth);
        return;
      }
      tokens_.next();
    }
  }

  SyntaxTree& tree_;
  bool by_indentation_;
  base::Diagnostics& diagnostics_;
  TokenStream tokens_;
  bool brace_error_ = false;
  bool unclosed_reported_ = false;
};

/// A binary file would give a hundred strange errors; one that says so is better.
bool looks_binary(std::string_view text) {
  const std::string_view head = text.substr(0, 4096);
  const auto control = std::count_if(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f' && byte != '\v') ||
           byte == 0x7F;
  });
  return static_cast<std::size_t>(control) * 10 > head.size();
}

}  // namespace

base::SourceSpan SyntaxTree::span(const TextRange& range) const {
  return {file, range.line, range.column, range.end_line, range.end_column};
}

SyntaxTree parse_syntax_tree(std::string file, std::string text, base::Diagnostics& diagnostics) {
  SyntaxTree tree{std::move(file), std::move(text), {}, {}};
  if (looks_binary(tree.text)) {
    diagnostics.error("not-text", {tree.file, 0, 0, 0, 0}, "this is a binary file, not a prototext");
    return tree;
  }
  diagnostics.set_source(tree.file, tree.text);
  base::Diagnostics found;
  Parser parser(tree, false, found);
  parser.parse_file();
  if (parser.brace_error()) {
    SyntaxTree other{tree.file, tree.text, {}, {}};
    base::Diagnostics found_by_indentation;
    Parser second(other, true, found_by_indentation);
    second.parse_file();
    if (found_by_indentation.has_errors() && found_by_indentation.num_errors() <= found.num_errors()) {
      tree.fields = std::move(other.fields);
      found = std::move(found_by_indentation);
    }
  }
  for (const auto& diagnostic : found.all()) diagnostics.add(diagnostic);
  return tree;
}

}  // namespace lbann::model
