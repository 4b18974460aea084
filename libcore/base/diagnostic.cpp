// Rendering of diagnostics: text with the source line and a caret, or JSON.
//
// The caret line copies the tabs of the source line, so that the caret stands under the right
// character whatever the terminal's tab width is. Long lines are cut to a window around the
// place. Text from files is made printable first (see utf8.hpp).
#include "base/diagnostic.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace lbann::base {

namespace {

constexpr int max_width = 160;  // code points of a quoted line

using LineStarts = std::map<std::string, std::vector<std::size_t>>;

const std::vector<std::size_t>& line_starts_of(LineStarts& cache, const std::string& file,
                                               const std::string& text) {
  auto [entry, added] = cache.try_emplace(file);
  if (added) {
    entry->second.push_back(0);
    for (std::size_t pos = text.find('\n'); pos != std::string::npos; pos = text.find('\n', pos + 1))
      entry->second.push_back(pos + 1);
  }
  return entry->second;
}

const char* name_of(Severity severity) {
  if (severity == Severity::note) return "note";
  return severity == Severity::warning ? "warning" : "error";
}

struct Style {
  const char* bold = "";
  const char* severity = "";
  const char* caret = "";
  const char* reset = "";
};

Style style_of(Severity severity, bool color) {
  if (!color) return {};
  const char* tint = severity == Severity::error     ? "\033[1;31m"
                     : severity == Severity::warning ? "\033[1;35m"
                                                     : "\033[1;36m";
  return {"\033[1m", tint, "\033[1;32m", "\033[0m"};
}

std::string place_of(const SourceSpan& span) {
  if (span.file.empty()) return {};
  if (!span.known()) return fmt::format("{}: ", printable(span.file));
  return fmt::format("{}:{}:{}: ", printable(span.file), span.line, span.column);
}

/// The line of `span` with a caret below; empty when the text is not known.
std::string quote(const Diagnostics& diagnostics, LineStarts& cache, const SourceSpan& span,
                  const Style& style) {
  const std::string* text = span.known() ? diagnostics.source(span.file) : nullptr;
  if (text == nullptr) return {};
  const auto& starts = line_starts_of(cache, span.file, *text);
  const auto index = static_cast<std::size_t>(span.line) - 1;
  if (index >= starts.size()) return {};
  std::size_t end = index + 1 < starts.size() ? starts[index + 1] - 1 : text->size();
  if (end > starts[index] && (*text)[end - 1] == '\r') --end;
  const std::string_view line = std::string_view(*text).substr(starts[index], end - starts[index]);

  // Window of code points [first, first + max_width) that holds the place.
  const int first = span.column > max_width - 40 ? span.column - max_width / 2 : 1;
  std::string shown = first > 1 ? "..." : "";
  std::string below(shown.size(), ' ');
  int column = 1;
  std::size_t pos = 0;
  for (; pos < line.size() && column < first + max_width; ++column) {
    const std::size_t length = utf8_length(line, pos);
    if (column >= first) {
      shown += printable(line.substr(pos, length));
      if (column < span.column) below += line[pos] == '\t' ? '\t' : ' ';
    }
    pos += length;
  }
  if (pos < line.size()) shown += "...";
  const int last = span.end_line == span.line ? span.end_column : span.end_line > span.line ? column : 0;
  const int marks = std::clamp(std::min(last, column) - span.column, 1, max_width);
  return fmt::format("{:>5} | {}\n      | {}{}^{}{}\n", span.line, shown, below, style.caret,
                     std::string(static_cast<std::size_t>(marks - 1), '~'), style.reset);
}

std::string json_place(const SourceSpan& span) {
  return fmt::format(R"("file":{},"line":{},"column":{},"end_line":{},"end_column":{})",
                     json_quote(span.file), span.line, span.column, span.end_line, span.end_column);
}

std::vector<const Diagnostic*> in_file_order(const std::vector<Diagnostic>& list) {
  std::vector<const Diagnostic*> order;
  order.reserve(list.size());
  for (const auto& d : list) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(), [](const Diagnostic* a, const Diagnostic* b) {
    auto key = [](const SourceSpan& s) { return std::tie(s.file, s.line, s.column); };
    if (a->span.known() != b->span.known()) return a->span.known();
    return key(a->span) < key(b->span);
  });
  return order;
}

}  // namespace

void Diagnostics::add(Diagnostic d) {
  if (d.severity == Severity::error) ++num_errors_;
  if (d.severity == Severity::warning) ++num_warnings_;
  list_.push_back(std::move(d));
}

void Diagnostics::error(std::string id, SourceSpan span, std::string message, std::string help) {
  add({Severity::error, std::move(id), std::move(message), std::move(span), {}, std::move(help)});
}

void Diagnostics::warning(std::string id, SourceSpan span, std::string message, std::string help) {
  add({Severity::warning, std::move(id), std::move(message), std::move(span), {}, std::move(help)});
}

ExitCode Diagnostics::exit_code() const {
  for (const auto& d : list_)
    if (d.severity == Severity::error) return d.code;
  return ExitCode::ok;
}

void Diagnostics::set_source(const std::string& file, std::string text) { sources_[file] = std::move(text); }

const std::string* Diagnostics::source(const std::string& file) const {
  const auto found = sources_.find(file);
  return found == sources_.end() ? nullptr : &found->second;
}

std::string Diagnostics::render(bool color) const {
  LineStarts cache;
  std::string out;
  for (const Diagnostic* d : in_file_order(list_)) {
    const Style style = style_of(d->severity, color);
    out +=
        fmt::format("{}{}{}{}{}: {}{}{}{} [{}]\n", style.bold, place_of(d->span), style.reset, style.severity,
                    name_of(d->severity), style.reset, style.bold, printable(d->message), style.reset, d->id);
    out += quote(*this, cache, d->span, style);
    const Style note_style = style_of(Severity::note, color);
    for (const auto& note : d->notes) {
      out += fmt::format("{}{}note:{} {}\n", place_of(note.span), note_style.severity, note_style.reset,
                         printable(note.message));
      out += quote(*this, cache, note.span, note_style);
    }
    if (!d->help.empty())
      out += fmt::format("{}help:{} {}\n", note_style.severity, note_style.reset, printable(d->help));
  }
  return out;
}

std::string Diagnostics::render_json() const {
  std::string out = "[";
  for (const Diagnostic* d : in_file_order(list_)) {
    if (out.size() > 1) out += ',';
    out += fmt::format("\n{{\"severity\":\"{}\",\"id\":{},\"message\":{},{},\"notes\":[",
                       name_of(d->severity), json_quote(d->id), json_quote(d->message), json_place(d->span));
    for (std::size_t i = 0; i < d->notes.size(); ++i)
      out += fmt::format("{}{{\"message\":{},{}}}", i == 0 ? "" : ",", json_quote(d->notes[i].message),
                         json_place(d->notes[i].span));
    out += fmt::format("],\"help\":{},\"exit_code\":{}}}", json_quote(d->help), static_cast<int>(d->code));
  }
  return out + (list_.empty() ? "]\n" : "\n]\n");
}

}  // namespace lbann::base
