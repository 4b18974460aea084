// Printer of graph dumps.
#include "graph/printer.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

namespace lbann::graph {
namespace {

// Bytes outside printable ASCII as \xHH, so that any name survives.
std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

bool is_word(std::string_view text) {
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("_.<>/:+-").find(c) != std::string_view::npos;
    if (!good) return false;
  }
  return !text.empty();
}

std::string word_or_quote(std::string_view text) { return is_word(text) ? std::string(text) : quote(text); }

std::string real_text(double v) {
  if (std::isnan(v)) {
    const auto bits = std::bit_cast<std::uint64_t>(v);
    if (bits == std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN())) return "nan";
    return fmt::format("nan:{:016x}", bits);
  }
  std::string text = fmt::format("{}", v);  // the shortest decimal that reads back
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string print_value(const Graph& g, ValueId id) {
  if (id < 0 || static_cast<std::size_t>(id) >= g.values.size()) return fmt::format("%{}", id);
  const Value& v = g.value(id);
  const std::string tag = v.layout.tag();
  std::string text = fmt::format("%{}:{}:{}", id, v.spec.to_string(), tag.empty() ? "-" : tag);
  if (!v.name.empty()) text += ':' + quote(v.name);
  return text;
}

// How nodes name their origins: by name where that is one, else by index.
std::vector<std::string> origin_labels(const Graph& g) {
  std::map<std::string_view, int> count;
  for (const Origin& o : g.origins) ++count[o.layer];
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < g.origins.size(); ++i) {
    const std::string& name = g.origins[i].layer;
    labels.push_back(count[name] == 1 ? word_or_quote(name) : fmt::format("#{}", i));
  }
  return labels;
}

std::string print_line(const Graph& g, const Node& n, const std::vector<std::string>& labels) {
  std::string text;
  for (ValueId v : n.outputs) text += (text.empty() ? "" : ", ") + print_value(g, v);
  text += fmt::format("{}= {}", text.empty() ? "" : " ", n.op);
  for (std::size_t i = 0; i < n.inputs.size(); ++i)
    text += fmt::format("{} %{}", i == 0 ? "" : ",", n.inputs[i]);
  if (!n.attrs.empty()) {
    text += " {";
    std::string_view separator;
    for (const auto& [name, value] : n.attrs.all()) {
      text += fmt::format("{}{}={}", separator, name, to_string(value));
      separator = ", ";
    }
    text += '}';
  }
  const bool known = n.origin >= 0 && static_cast<std::size_t>(n.origin) < labels.size();
  text += fmt::format(" phase={} origin={}", to_string(n.phase),
                      known ? labels[static_cast<std::size_t>(n.origin)] : fmt::format("#{}", n.origin));
  if (!n.kernel.empty()) text += " kernel=" + word_or_quote(n.kernel);
  if (n.scratch_bytes != 0 || !n.scratch_exact) {
    text += fmt::format(" scratch{}{}", n.scratch_exact ? "=" : "<=", n.scratch_bytes);
  }
  if (!n.may_alias.empty()) text += fmt::format(" alias=[{}]", fmt::join(n.may_alias, ","));
  return text;
}

std::string print_origin(std::size_t index, const Origin& o) {
  std::string text = fmt::format("origin {} {} kind={}", index, quote(o.layer), quote(o.kind));
  if (o.span.known() || !o.span.file.empty()) {
    text += fmt::format(" at={}:{}:{}-{}:{}", quote(o.span.file), o.span.line, o.span.column, o.span.end_line,
                        o.span.end_column);
  }
  return text;
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::forward:
      return "forward";
    case Phase::backward:
      return "backward";
    case Phase::update:
      return "update";
  }
  return "?";
}

std::string to_string(const AttrValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *i);
  if (const auto* r = std::get_if<double>(&value)) return real_text(*r);
  if (const auto* t = std::get_if<std::string>(&value)) return quote(*t);
  return fmt::format("[{}]", fmt::join(std::get<std::vector<std::int64_t>>(value), ","));
}

std::string print_node(const Graph& g, NodeId id) {
  if (id < 0 || static_cast<std::size_t>(id) >= g.nodes.size()) return fmt::format("<node {}>", id);
  return print_line(g, g.node(id), origin_labels(g));
}

std::string describe_node(const Graph& g, NodeId id) {
  if (id < 0 || static_cast<std::size_t>(id) >= g.nodes.size()) return fmt::format("node {}", id);
  const Node& n = g.node(id);
  const bool known = n.origin >= 0 && static_cast<std::size_t>(n.origin) < g.origins.size();
  return fmt::format("{} (layer '{}', node {})", n.op,
                     known ? g.origins[static_cast<std::size_t>(n.origin)].layer : "?", id);
}

std::string print_graph(const Graph& g) {
  std::string text = fmt::format("graph {}\n", quote(g.name));
  const std::vector<std::string> labels = origin_labels(g);
  // Every graph has origin 0; it is printed where it differs from a fresh graph's.
  const Origin fresh = Graph{}.origins.front();
  for (std::size_t i = 0; i < g.origins.size(); ++i) {
    const std::string line = print_origin(i, g.origins[i]);
    if (i > 0 || line != print_origin(0, fresh)) text += line + '\n';
  }
  for (NodeId id : g.order) {
    const bool valid = id >= 0 && static_cast<std::size_t>(id) < g.nodes.size();
    if (valid && !g.node(id).dead) text += print_line(g, g.node(id), labels) + '\n';
  }
  for (const Output& o : g.outputs) text += fmt::format("output {} %{}\n", quote(o.name), o.value);
  for (const Assignment& a : g.assignments) text += fmt::format("assign %{} <- %{}\n", a.target, a.value);
  return text;
}

}  // namespace lbann::graph
