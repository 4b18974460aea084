// See text_edit.hpp.
#include "model/text_edit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace lbann::model {

namespace {

using Kind = SyntaxValue::Kind;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\{:03o}", byte);
    else
      out += c;
  }
  return out + '"';
}

std::string print_value(const SyntaxValue& value) {
  std::string text;
  switch (value.kind) {
    case Kind::message:
      for (const auto& field : value.fields) text += print_field(field) + " ";
      return text.empty() ? "{}" : "{ " + text + "}";
    case Kind::list:
      for (const auto& item : value.items) text += (text.empty() ? "" : ", ") + print_value(item);
      return "[" + text + "]";
    case Kind::string:
      return quoted(value.text);
    default:
      return (value.negative ? "-" : "") + value.text;
  }
}

}  // namespace

std::string print_field(const SyntaxField& field) {
  const std::string name = field.is_type_url ? "[" + field.name + "]" : field.name;
  return name + (field.value.kind == Kind::message ? " " : ": ") + print_value(field.value);
}

std::string TextEdits::indentation(std::size_t at) const {
  const std::string& text = tree_.text;
  const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const std::size_t first = std::min(text.find_first_not_of(" \t", line), text.size());
  return text.substr(line, first - line);
}

bool TextEdits::blank(std::size_t begin, std::size_t end) const {
  return std::all_of(tree_.text.begin() + static_cast<std::ptrdiff_t>(begin),
                     tree_.text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

std::string TextEdits::comments_inside(std::size_t begin, std::size_t end) const {
  std::string text;
  for (const auto& comment : tree_.comments)
    if (comment.begin >= begin && comment.end <= end)
      text += tree_.text.substr(comment.begin, comment.end - comment.begin) + "\n" + indentation(begin);
  return text;
}

void TextEdits::replace(std::size_t begin, std::size_t end, std::string text) {
  edits_.push_back({begin, end, comments_inside(begin, end) + std::move(text)});
}

void TextEdits::remove(const SyntaxField& field) {
  std::size_t end = field.value.range.end;
  const std::size_t separator = tree_.text.find_first_not_of(" \t", end);
  if (separator != std::string::npos && (tree_.text[separator] == ',' || tree_.text[separator] == ';'))
    end = separator + 1;
  removals_.push_back({field.name_range.begin, end, ""});
}

void TextEdits::append_to_block(const TextRange& block, const std::string& field) {
  const std::size_t close = block.end - 1;
  const std::size_t line = tree_.text.rfind('\n', close) + 1;
  if (block.line != block.end_line && line > block.begin && blank(line, close)) {
    insert(line, indentation(close) + "  " + field + "\n");
    return;
  }
  const bool spaced = close > 0 && (tree_.text[close - 1] == ' ' || tree_.text[close - 1] == '\t');
  insert(close, (spaced ? "" : " ") + field + " ");
}

void TextEdits::merge_removals() {
  std::sort(removals_.begin(), removals_.end(),
            [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::vector<Edit> merged;
  for (const Edit& next : removals_) {
    if (!merged.empty() && next.begin < merged.back().end) continue;  // inside one that goes anyway
    if (!merged.empty() && blank(merged.back().end, next.begin))
      merged.back().end = next.end;
    else
      merged.push_back(next);
  }
  for (Edit& edit : merged) {
    const std::string& text = tree_.text;
    edit.text = comments_inside(edit.begin, edit.end);
    const std::size_t line = edit.begin == 0 ? 0 : text.rfind('\n', edit.begin - 1) + 1;
    const std::size_t end_of_line = std::min(text.find('\n', edit.end), text.size());
    if (!blank(line, edit.begin) || !blank(edit.end, end_of_line)) {
      // Not alone on its line: one blank beside it goes too.
      if (edit.text.empty() && edit.end < text.size() && text[edit.end] == ' ') ++edit.end;
      while (blank(line, edit.begin) && edit.end < end_of_line && blank(edit.end, edit.end + 1)) ++edit.end;
    } else if (edit.text.empty()) {
      edit.begin = line;
      edit.end = std::min(end_of_line + 1, text.size());
    } else {
      edit.text.resize(edit.text.find_last_not_of(" \t\n") + 1);
    }
    edits_.push_back(std::move(edit));
  }
  removals_.clear();
}

std::string TextEdits::apply() {
  merge_removals();
  std::stable_sort(edits_.begin(), edits_.end(),
                   [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string out;
  std::size_t done = 0;
  for (const Edit& edit : edits_) {
    if (edit.begin < done) continue;  // inside a range that was replaced as a whole
    out.append(tree_.text, done, edit.begin - done);
    out += edit.text;
    done = edit.end;
  }
  out.append(tree_.text, done);
  return out;
}

}  // namespace lbann::model
