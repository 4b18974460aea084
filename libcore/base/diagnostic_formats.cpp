// SARIF, JUnit, GitHub: see diagnostic_formats.hpp.
#include "base/diagnostic_formats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace lbann::base {

namespace {

const char* level_of(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

std::string rule_of(const Diagnostic& d) { return d.id.empty() ? "other" : d.id; }

std::string full_message(const Diagnostic& d) {
  std::string text = d.message;
  for (const Note& n : d.notes) text += "\nnote: " + n.message;
  if (!d.help.empty()) text += "\nhelp: " + d.help;
  return text;
}

// A path as a relative reference of RFC 3986.
std::string uri_of(const std::string& path) {
  std::string uri;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/._~-").find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  // `a:b` would be a scheme; `%3A` is not, and an absolute path gets one.
  return !path.empty() && path[0] == '/' ? "file://" + uri : uri;
}

std::string location_json(const SourceSpan& span) {
  std::string region;
  if (span.known()) {
    region =
        fmt::format(",\"region\":{{\"startLine\":{},\"startColumn\":{}", span.line, std::max(1, span.column));
    if (span.end_line > span.line || (span.end_line == span.line && span.end_column > span.column))
      region += fmt::format(",\"endLine\":{},\"endColumn\":{}", span.end_line, std::max(1, span.end_column));
    region += "}";
  }
  return fmt::format("\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":{}}}{}}}",
                     json_quote(uri_of(span.file)), region);
}

std::string result_json(const Diagnostic& d, std::size_t rule) {
  std::string message = d.message;
  for (const Note& n : d.notes)
    if (!n.span.known()) message += "\n" + n.message;
  if (!d.help.empty()) message += "\n" + d.help;
  std::string text =
      fmt::format("{{\"ruleId\":{},\"ruleIndex\":{},\"level\":\"{}\",\"message\":{{\"text\":{}}}",
                  json_quote(rule_of(d)), rule, level_of(d.severity), json_quote(message));
  if (!d.span.file.empty()) text += ",\"locations\":[{" + location_json(d.span) + "}]";
  std::string related;
  for (const Note& n : d.notes)
    if (n.span.known())
      related += fmt::format("{}{{{},\"message\":{{\"text\":{}}}}}", related.empty() ? "" : ",",
                             location_json(n.span), json_quote(n.message));
  if (!related.empty()) text += ",\"relatedLocations\":[" + related + "]";
  return text + "}";
}

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "&#10;";
      continue;
    }
    out += c == '<'   ? "&lt;"
           : c == '>' ? "&gt;"
           : c == '&' ? "&amp;"
           : c == '"' ? "&quot;"
                      : std::string(1, c);
  }
  return out;
}

// printable() would take the line breaks; they are ours.
std::string xml_lines(const std::string& text) {
  std::string out;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += (begin > 0 ? "\n" : "") + printable(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return xml(out);
}

std::string place_text(const SourceSpan& span) {
  return span.known() ? fmt::format("{}:{}:{}", span.file, span.line, span.column) : span.file;
}

std::string escape_github(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '%':
        out += "%25";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      case ':':
        out += property ? "%3A" : ":";
        break;
      case ',':
        out += property ? "%2C" : ",";
        break;
      default:
        out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
    }
  }
  return out;
}

}  // namespace

std::string render_sarif(const Diagnostics& diagnostics, const ReportedTool& tool) {
  std::vector<std::string> rules;
  std::string results;
  for (const Diagnostic& d : diagnostics.all()) {
    auto at = std::find(rules.begin(), rules.end(), rule_of(d));
    if (at == rules.end()) at = rules.insert(rules.end(), rule_of(d));
    results +=
        (results.empty() ? "\n" : ",\n") + result_json(d, static_cast<std::size_t>(at - rules.begin()));
  }
  std::string rule_list;
  for (const std::string& rule : rules)
    rule_list += fmt::format("{}{{\"id\":{}}}", rule_list.empty() ? "" : ",", json_quote(rule));
  std::string artifacts;
  for (const std::string& file : tool.files)
    artifacts += fmt::format("{}{{\"location\":{{\"uri\":{}}}}}", artifacts.empty() ? "" : ",",
                             json_quote(uri_of(file)));
  return fmt::format(
      "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{"
      "\"tool\":{{\"driver\":{{\"name\":{},\"version\":{},\"rules\":[{}]}}}},\"columnKind\":"
      "\"unicodeCodePoints\","
      "\"artifacts\":[{}],\"results\":[{}]}}]}}\n",
      json_quote(tool.name), json_quote(tool.version), rule_list, artifacts, results);
}

std::string render_junit(const Diagnostics& diagnostics, const ReportedTool& tool) {
  std::string cases;
  std::size_t num_cases = 0;
  std::size_t num_failures = 0;
  for (const std::string& file : tool.files) {
    const auto concerns = [&](const Diagnostic& d) { return d.span.file == file; };
    if (std::any_of(diagnostics.all().begin(), diagnostics.all().end(), concerns)) continue;
    if (diagnostics.has_errors())
      continue;  // something without a place is wrong: nothing is known to be good
    cases += fmt::format("    <testcase classname=\"{0}\" name=\"{0}\"/>\n", xml(printable(file)));
    ++num_cases;
  }
  for (const Diagnostic& d : diagnostics.all()) {
    const bool failed = d.severity == Severity::error || (tool.strict && d.severity == Severity::warning);
    ++num_cases;
    num_failures += failed;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{} [{}]\">\n",
                         xml(printable(d.span.file.empty() ? tool.name : d.span.file)),
                         xml(printable(place_text(d.span))), xml(printable(rule_of(d))));
    if (failed)
      cases += fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n", level_of(d.severity),
                           xml(printable(d.message)), xml_lines(full_message(d)));
    else
      cases += fmt::format("      <system-out>{}: {}</system-out>\n", level_of(d.severity),
                           xml_lines(full_message(d)));
    cases += "    </testcase>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{0}\" failures=\"{1}\">\n"
      "  <testsuite name=\"{2}\" tests=\"{0}\" failures=\"{1}\" errors=\"0\">\n{3}  "
      "</testsuite>\n</testsuites>\n",
      num_cases, num_failures, xml(tool.name), cases);
}

std::string render_github(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics.all()) {
    std::string properties;
    const auto add = [&properties](const char* name, const std::string& value) {
      properties += (properties.empty() ? " " : ",") + std::string(name) + "=" + escape_github(value, true);
    };
    if (!d.span.file.empty()) add("file", d.span.file);
    if (d.span.known()) {
      add("line", std::to_string(d.span.line));
      add("col", std::to_string(std::max(1, d.span.column)));
      // The end is the last column there, not the one behind it.
      if (d.span.end_line >= d.span.line && d.span.end_column > 1) {
        add("endLine", std::to_string(d.span.end_line));
        add("endColumn", std::to_string(d.span.end_column - 1));
      }
    }
    add("title", rule_of(d));
    const char* command = d.severity == Severity::note ? "notice" : level_of(d.severity);
    text += fmt::format("::{}{}::{}\n", command, properties, escape_github(full_message(d), false));
  }
  return text;
}

}  // namespace lbann::base
