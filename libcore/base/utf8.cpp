// UTF-8 decoding by the well-formed byte sequences of the Unicode standard (table 3-7).
#include "base/utf8.hpp"

#include <fmt/format.h>

namespace lbann::base {

std::size_t utf8_length(std::string_view text, std::size_t pos, bool* valid) {
  auto byte = [&](std::size_t i) {
    return pos + i < text.size() ? static_cast<unsigned char>(text[pos + i]) : 0u;
  };
  auto in = [&](std::size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  const unsigned first = byte(0);
  std::size_t length = 1;
  bool ok = first < 0x80;
  if (in(0, 0xC2, 0xDF) && in(1, 0x80, 0xBF)) {
    length = 2;
  } else if (in(0, 0xE0, 0xEF) && in(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) &&
             in(2, 0x80, 0xBF)) {
    length = 3;
  } else if (in(0, 0xF0, 0xF4) && in(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) &&
             in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF)) {
    length = 4;
  }
  if (length > 1) ok = true;
  if (valid != nullptr) *valid = ok;
  return length;
}

int count_code_points(std::string_view text) {
  int count = 0;
  for (std::size_t pos = 0; pos < text.size(); pos += utf8_length(text, pos)) ++count;
  return count;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t pos = 0; pos < text.size();) {
    bool valid = false;
    const std::size_t length = utf8_length(text, pos, &valid);
    const auto byte = static_cast<unsigned char>(text[pos]);
    const bool c1_control = length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[pos + 1]) < 0xA0;
    if (!valid) {
      out += "\xEF\xBF\xBD";
    } else if ((length == 1 && (byte < 0x20 || byte == 0x7F) && byte != '\t') || c1_control) {
      out += '?';
    } else {
      out += text.substr(pos, length);
    }
    pos += length;
  }
  return out;
}

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t pos = 0; pos < text.size();) {
    bool valid = false;
    const std::size_t length = utf8_length(text, pos, &valid);
    const auto byte = static_cast<unsigned char>(text[pos]);
    if (!valid) {
      out += "\xEF\xBF\xBD";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[pos];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += text.substr(pos, length);
    }
    pos += length;
  }
  return out + '"';
}

}  // namespace lbann::base
