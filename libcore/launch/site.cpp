// Reading and recognising site files: see site.hpp.
#include "launch/site.hpp"

#include <fmt/format.h>

#include <cctype>

#include "base/files.hpp"

namespace lbann::launch {

namespace {

constexpr int deepest_include = 8;

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

void read_lines(const std::string& path, int depth, Site& site, base::Diagnostics& d) {
  const std::string text = base::read_file(path, 1 << 20);
  d.set_source(path, text);
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    const std::string content = trimmed(line);
    if (content.empty() || content[0] == '#') continue;
    const int column = static_cast<int>(line.find_first_not_of(" \t")) + 1;
    const base::SourceSpan span{path, number, column, number, column + 1};
    const std::size_t equals = content.find('=');
    const std::string key = trimmed(content.substr(0, equals));
    const std::string value = equals == std::string::npos ? "" : trimmed(content.substr(equals + 1));
    if (key.empty() || value.empty()) {
      d.error("site-syntax", span, fmt::format("'{}' is no line of the form key = value", content));
    } else if (key == "host") {
      site.hosts.push_back(value);
    } else if (key == "variable") {
      site.variables.push_back(value);
    } else if (key == "include") {
      const std::string file = value[0] == '/' ? value : base::folder_of(path) + "/" + value;
      if (depth == deepest_include)
        d.error("site-include", span, fmt::format("files include each other {} deep", depth));
      else
        read_lines(file, depth + 1, site, d);
    } else {
      site.entries.push_back({key, value, span});
    }
  }
}

}  // namespace

Site load_site(const std::string& path, base::Diagnostics& d) {
  Site site;
  site.file = path;
  const std::string base = path.substr(path.rfind('/') + 1);
  site.name = base.substr(0, base.rfind(".site"));
  read_lines(path, 0, site, d);
  return site;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return glob_match(pattern.substr(1), text) || (!text.empty() && glob_match(pattern, text.substr(1)));
  if (text.empty()) return false;
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return (pattern[0] == '?' || lower(pattern[0]) == lower(text[0])) &&
         glob_match(pattern.substr(1), text.substr(1));
}

bool matches(const Site& site, const std::string& host, const Environment& environment) {
  for (const std::string& pattern : site.hosts)
    if (glob_match(pattern, host)) return true;
  for (const std::string& rule : site.variables) {
    const std::size_t equals = rule.find('=');
    const char* value = environment(rule.substr(0, equals).c_str());
    if (value && (equals == std::string::npos || rule.substr(equals + 1) == value)) return true;
  }
  return false;
}

}  // namespace lbann::launch
