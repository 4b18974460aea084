// The help text of an OptionTable: usage, summary, options by section, wrapped at 80 columns.
//
// The width is fixed so that the text is the same in a terminal, a pipe and the test of the man page.
#include "common/option_table.hpp"

#include <algorithm>

namespace lbann::tools {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t help_column = 30;

// Appends `text` word by word; the first line starts at `column`, the others at `indent`.
void wrap(std::string& out, const std::string& text, std::size_t column, std::size_t indent) {
  std::size_t begin = 0;
  bool first_in_line = true;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::size_t length = end - begin;
    if (!first_in_line && column + 1 + length > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
      first_in_line = true;
    }
    if (!first_in_line) {
      out += ' ';
      ++column;
    }
    out.append(text, begin, length);
    column += length;
    first_in_line = false;
    if (end < text.size() && text[end] == '\n') {
      out += '\n' + std::string(indent, ' ');
      column = indent;
      first_in_line = true;
    }
    begin = end + 1;
  }
  out += '\n';
}

}  // namespace

std::string OptionTable::usage_text() const {
  std::string out = "usage: " + tool_ + ' ';
  wrap(out, synopsis_, out.size(), 7);
  return out;
}

std::string OptionTable::help_text() const {
  std::string out = usage_text() + '\n';
  wrap(out, summary_, 0, 0);
  std::string current;
  for (const Option& option : options_) {
    if (option.hidden()) continue;
    if (option.section != current) {
      current = option.section;
      out += '\n' + current + ":\n";
    }
    std::string line = "  ";
    for (const char c : option.short_names) line += std::string("-") + c + ", ";
    const std::string value = option.kind == Kind::optional_value ? "[=" + option.metavar + "]"
                              : option.metavar.empty()            ? ""
                                                                  : "=" + option.metavar;
    line += "--" + option.long_names.front() + value;
    std::string text = option.help;
    if (option.long_names.size() > 1) {
      text += " Also";
      for (std::size_t i = 1; i < option.long_names.size(); ++i)
        text += (i > 1 ? ", --" : " --") + option.long_names[i];
      text += '.';
    }
    if (!option.initial.empty()) text += " [" + option.initial + "]";
    if (line.size() + 2 > help_column)
      line += '\n' + std::string(help_column, ' ');
    else
      line.resize(help_column, ' ');
    out += line;
    wrap(out, text, help_column, help_column);
  }
  if (!epilogue_.empty()) {
    out += '\n';
    wrap(out, epilogue_, 0, 0);
  }
  return out;
}

}  // namespace lbann::tools
