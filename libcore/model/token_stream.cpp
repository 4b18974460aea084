// See token_stream.hpp. protobuf 3.21's tokenizer counts lines and columns from 0, a tab jumps
// to the next multiple of 8, and a non-ASCII byte outside of strings becomes one symbol token
// per byte with an error each.
#include "model/token_stream.hpp"

#include <algorithm>

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace lbann::model {

namespace io = google::protobuf::io;

namespace {

struct RawError {
  int line;
  int column;
  std::string message;
};

class Collector : public io::ErrorCollector {
public:
  void AddError(int line, io::ColumnNumber column, const std::string& message) override {
    // Bytes beyond ASCII are reported by us, once per code point.
    if (message.rfind("Interpreting non ascii", 0) != 0) errors.push_back({line, column, message});
  }
  std::vector<RawError> errors;
};

struct Wording {
  std::string_view theirs;
  const char* id;
  const char* ours;
};

constexpr Wording wordings[] = {
    {"Unexpected end of string.", "unterminated-string", "the string has no closing quote"},
    {"String literals cannot cross", "unterminated-string", "the string has no closing quote on its line"},
    {"Invalid escape sequence", "bad-escape", "no such escape sequence in a string"},
    {"Expected hex digits", "bad-escape", "hexadecimal digits expected in this escape sequence"},
    {"Expected four hex digits", "bad-escape", "four hexadecimal digits expected after \\u"},
    {"Expected eight hex digits", "bad-escape", "eight hexadecimal digits up to 10ffff expected after \\U"},
    {"Need space between number", "bad-number", "a letter follows the number"},
    {"\"0x\" must be followed", "bad-number", "hexadecimal digits expected after 0x"},
    {"Numbers starting with leading zero", "bad-number",
     "a number that begins with 0 is octal: digits 0 to 7 only"},
    {"Hex and octal numbers", "bad-number", "hexadecimal and octal numbers are integers"},
    {"\"e\" must be followed", "bad-number", "digits expected after the exponent's e"},
    {"Already saw decimal point", "bad-number", "a second decimal point in one number"},
    {"Invalid control characters", "bad-character", "control character in the text"},
};

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

struct TokenStream::Input {
  explicit Input(std::string_view text)
    : stream(text.data(), static_cast<int>(text.size())), tokenizer(&stream, &collector) {
    tokenizer.set_allow_f_after_float(true);
    tokenizer.set_comment_style(io::Tokenizer::SH_COMMENT_STYLE);
  }
  io::ArrayInputStream stream;
  Collector collector;
  io::Tokenizer tokenizer;
};

TokenStream::TokenStream(const std::string& file, std::string_view text, base::Diagnostics& diagnostics)
  : file_(file), text_(text), diagnostics_(diagnostics) {
  blank_out_nul_bytes();
  // Editors on some systems begin a file with an invisible mark; it is no column.
  if (text_.substr(0, byte_order_mark.size()) == byte_order_mark) cursor_.pos = byte_order_mark.size();
  input_ = std::make_unique<Input>(text_.substr(cursor_.pos));
  next();
}

TokenStream::~TokenStream() = default;

void TokenStream::blank_out_nul_bytes() {
  // The tokenizer takes NUL for the end of a string; one error for all of them is enough.
  const std::size_t first = text_.find('\0');
  if (first == std::string_view::npos) return;
  without_nul_ = text_;
  const auto count = std::count(without_nul_.begin(), without_nul_.end(), '\0');
  std::replace(without_nul_.begin(), without_nul_.end(), '\0', ' ');
  text_ = without_nul_;
  Cursor place;
  while (place.pos < first) step(place);
  diagnostics_.error("bad-character",
                     span({first, first + 1, place.line, place.column, place.line, place.column + 1}),
                     count == 1 ? "a byte 0x00 in the text"
                                : fmt::format("{} bytes 0x00 in the text, the first here", count));
}

base::SourceSpan TokenStream::span(const TextRange& range) const {
  return {file_, range.line, range.column, range.end_line, range.end_column};
}

void TokenStream::step(Cursor& cursor) const {
  const auto byte = static_cast<unsigned char>(text_[cursor.pos]);
  const std::size_t length = byte < 0x80 ? 1 : base::utf8_length(text_, cursor.pos);
  cursor.pos += length;
  if (byte == '\n') {
    ++cursor.line;
    cursor.column = 1;
    cursor.raw_column = 0;
    return;
  }
  ++cursor.column;
  cursor.raw_column += byte == '\t' ? 8 - cursor.raw_column % 8 : static_cast<int>(length);
}

TokenStream::Cursor TokenStream::advanced(Cursor cursor, int raw_line, int raw_column) const {
  while (cursor.pos < text_.size() &&
         (cursor.line < raw_line + 1 || (cursor.line == raw_line + 1 && cursor.raw_column < raw_column)))
    step(cursor);
  return cursor;
}

void TokenStream::collect_comments(std::size_t begin, std::size_t end) {
  // Between tokens there is only white space, comments and garbage; so every '#' is a comment.
  if (text_.substr(begin, end - begin).find('#') == std::string_view::npos) return;
  Cursor cursor = cursor_;
  while (cursor.pos < end) {
    if (text_[cursor.pos] != '#') {
      step(cursor);
      continue;
    }
    TextRange range{cursor.pos, 0, cursor.line, cursor.column, cursor.line, 0};
    while (cursor.pos < end && text_[cursor.pos] != '\n' && text_[cursor.pos] != '\r') step(cursor);
    range.end = cursor.pos;
    range.end_column = cursor.column;
    comments_.push_back(range);
  }
}

void TokenStream::report_errors(const Cursor& previous_end) {
  for (const auto& raw : input_->collector.errors) {
    const char* id = "bad-token";
    std::string message = raw.message;
    for (const auto& wording : wordings) {
      if (raw.message.rfind(wording.theirs, 0) != 0) continue;
      id = wording.id;
      message = wording.ours;
      break;
    }
    const Cursor place = advanced(previous_end, raw.line, raw.column);
    TextRange range{place.pos, place.pos + 1, place.line, place.column, place.line, place.column + 1};
    const bool inside = place.pos >= current_.range.begin && current_.kind != Token::Kind::end;
    current_.bad = current_.bad || inside;
    // An open string is found out at its end, but it is the opening quote that has to be seen.
    if (inside && std::string_view(id) == "unterminated-string") range = current_.range;
    if (std::string_view(id) == "bad-character" && place.pos < text_.size())
      message += fmt::format(" (byte 0x{:02x})", static_cast<unsigned char>(text_[place.pos]));
    diagnostics_.error(id, span(range), message);
  }
  input_->collector.errors.clear();
}

bool TokenStream::read_raw() {
  auto& tokenizer = input_->tokenizer;
  const bool more = tokenizer.Next();
  const auto& raw = tokenizer.current();
  const Cursor previous_end = cursor_;
  const Cursor begin = more ? advanced(cursor_, raw.line, raw.column) : [&] {
    Cursor end = cursor_;
    while (end.pos < text_.size()) step(end);
    return end;
  }();
  collect_comments(cursor_.pos, begin.pos);
  current_ = Token{};
  Cursor end = begin;
  if (more) {
    const std::size_t stop = begin.pos + raw.text.size();
    while (end.pos < stop && end.pos < text_.size()) step(end);
    using Raw = io::Tokenizer;
    current_.kind = raw.type == Raw::TYPE_IDENTIFIER ? Token::Kind::identifier
                    : raw.type == Raw::TYPE_INTEGER  ? Token::Kind::integer
                    : raw.type == Raw::TYPE_FLOAT    ? Token::Kind::floating
                    : raw.type == Raw::TYPE_STRING   ? Token::Kind::string
                                                     : Token::Kind::symbol;
  }
  current_.text = text_.substr(begin.pos, end.pos - begin.pos);
  current_.range = {begin.pos, end.pos, begin.line, begin.column, end.line, end.column};
  cursor_ = end;
  report_errors(previous_end);
  return more;
}

void TokenStream::next() {
  if (read_raw() && current_.kind == Token::Kind::symbol &&
      static_cast<unsigned char>(current_.text[0]) >= 0x80) {
    // `end` above has stepped over the whole code point; swallow the tokenizer's further bytes.
    current_.kind = Token::Kind::invalid;
    for (std::size_t i = 1; i < current_.text.size(); ++i) input_->tokenizer.Next();
    input_->collector.errors.clear();
  }
  current_.first_on_line = current_.range.line != last_line_;
  if (current_.first_on_line) last_indent_ = current_.range.column;
  last_line_ = current_.range.line;
  current_.indent = last_indent_;
}

}  // namespace lbann::model
