// JSON values: see json.hpp. Recursive descent over bytes, depth-limited.
#include "base/json.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace lbann::base {

namespace {

constexpr int depth_limit = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Parser {
public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<JsonValue> parse(std::string* why) {
    JsonValue value;
    skip_blanks();
    bool good = parse_value(value, 0);
    skip_blanks();
    if (good && pos_ != text_.size()) good = fail("text after the value");
    if (!good && why) *why = fmt::format("{} at byte {}", why_, pos_ + 1);
    if (!good) return std::nullopt;
    return value;
  }

private:
  bool fail(const char* why) {
    if (!why_) why_ = why;
    return false;
  }

  char peek() const { return pos_ < text_.size() ? text_[pos_] : '\0'; }

  void skip_blanks() {
    while (pos_ < text_.size() && std::string_view(" \t\r\n").find(text_[pos_]) != std::string_view::npos)
      ++pos_;
  }

  bool parse_word(std::string_view word) {
    if (text_.substr(pos_, word.size()) != word) return fail("unknown word");
    pos_ += word.size();
    return true;
  }

  bool parse_value(JsonValue& value, int depth) {
    if (depth > depth_limit) return fail("nested too deep");
    switch (peek()) {
      case '{':
        return parse_object(value, depth);
      case '[':
        return parse_array(value, depth);
      case '"':
        value.kind = JsonValue::Kind::string;
        return parse_string(value.text);
      case 't':
      case 'f':
        value.kind = JsonValue::Kind::boolean;
        value.boolean = peek() == 't';
        return parse_word(value.boolean ? "true" : "false");
      case 'n':
        return parse_word("null");
      default:
        return parse_number(value);
    }
  }

  bool parse_object(JsonValue& value, int depth) {
    value.kind = JsonValue::Kind::object;
    ++pos_;
    skip_blanks();
    if (peek() == '}') return ++pos_, true;
    for (;;) {
      if (peek() != '"') return fail("expected a name");
      auto& member = value.members.emplace_back(std::string(), JsonValue());  // clang 16 wants both
      if (!parse_string(member.first)) return false;
      skip_blanks();
      if (peek() != ':') return fail("expected ':'");
      ++pos_;
      skip_blanks();
      if (!parse_value(member.second, depth + 1)) return false;
      skip_blanks();
      if (peek() == '}') return ++pos_, true;
      if (peek() != ',') return fail("expected ',' or '}'");
      ++pos_;
      skip_blanks();
    }
  }

  bool parse_array(JsonValue& value, int depth) {
    value.kind = JsonValue::Kind::array;
    ++pos_;
    skip_blanks();
    if (peek() == ']') return ++pos_, true;
    for (;;) {
      if (!parse_value(value.items.emplace_back(), depth + 1)) return false;
      skip_blanks();
      if (peek() == ']') return ++pos_, true;
      if (peek() != ',') return fail("expected ',' or ']'");
      ++pos_;
      skip_blanks();
    }
  }

  bool parse_hex4(unsigned& code) {
    const std::string_view digits = text_.substr(pos_, 4);
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || result.ptr != digits.data() + 4) return fail("bad \\u escape");
    pos_ += 4;
    return true;
  }

  static void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  bool parse_unicode_escape(std::string& out) {
    unsigned code = 0;
    if (!parse_hex4(code)) return false;
    if (code >= 0xDC00 && code < 0xE000) return fail("lone surrogate");
    if (code >= 0xD800 && code < 0xDC00) {
      unsigned low = 0;
      if (text_.substr(pos_, 2) != "\\u") return fail("lone surrogate");
      pos_ += 2;
      if (!parse_hex4(low)) return false;
      if (low < 0xDC00 || low >= 0xE000) return fail("lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  bool parse_string(std::string& out) {
    ++pos_;
    for (;;) {
      if (pos_ >= text_.size()) return fail("unterminated string");
      const char c = text_[pos_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return fail("control character in a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escape = peek();
      ++pos_;
      const std::size_t known = std::string_view("\"\\/bfnrt").find(escape);
      if (escape == 'u') {
        if (!parse_unicode_escape(out)) return false;
      } else if (escape != '\0' && known != std::string_view::npos) {
        out += "\"\\/\b\f\n\r\t"[known];
      } else {
        return fail("unknown escape");
      }
    }
  }

  bool parse_number(JsonValue& value) {
    const std::size_t begin = pos_;
    if (peek() == '-') ++pos_;
    if (!is_digit(peek())) return fail(begin == text_.size() ? "unexpected end" : "expected a value");
    if (peek() == '0' && pos_ + 1 < text_.size() && is_digit(text_[pos_ + 1])) return fail("leading zero");
    while (is_digit(peek())) ++pos_;
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++pos_;
      if (!is_digit(peek())) return fail("expected a digit");
      while (is_digit(peek())) ++pos_;
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++pos_;
      if (peek() == '+' || peek() == '-') ++pos_;
      if (!is_digit(peek())) return fail("expected a digit");
      while (is_digit(peek())) ++pos_;
    }
    value.kind = JsonValue::Kind::number;
    const char* first = text_.data() + begin;
    const char* last = text_.data() + pos_;
    if (std::from_chars(first, last, value.number).ec != std::errc()) return fail("number out of range");
    std::int64_t integer = 0;
    if (whole && std::from_chars(first, last, integer).ec == std::errc()) value.integer = integer;
    return true;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  const char* why_ = nullptr;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  for (const auto& member : members)
    if (member.first == name) return &member.second;
  return nullptr;
}

std::optional<JsonValue> try_parse_json(std::string_view text, std::string* why) {
  return Parser(text).parse(why);
}

std::string json_number(double value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  return fmt::format("{}", value);
}

std::optional<double> try_json_double(const JsonValue& value) {
  if (value.kind == JsonValue::Kind::number) return value.number;
  if (value.kind != JsonValue::Kind::string) return std::nullopt;
  if (value.text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value.text == "Infinity") return std::numeric_limits<double>::infinity();
  if (value.text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

}  // namespace lbann::base
