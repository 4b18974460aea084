// Writer of Graphviz text.
#include "graph/dot.hpp"

#include <string_view>

#include <fmt/format.h>

#include "graph/printer.hpp"

namespace lbann::graph {
namespace {

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + '"';
}

std::string_view color(const Node& n) {
  if (n.op == "input" || n.op == "weight") return "lightgrey";
  switch (n.phase) {
    case Phase::forward:
      return "lightblue";
    case Phase::backward:
      return "lightsalmon";
    case Phase::update:
      return "lightgreen";
  }
  return "white";
}

std::string label(const Graph& g, const Node& n) {
  std::string text = n.op;
  for (const char* name : {"fn", "mode", "rule", "name"}) {
    if (!n.attrs.has(name)) continue;
    const AttrValue& value = n.attrs.all().find(name)->second;
    if (const auto* word = std::get_if<std::string>(&value)) text += ' ' + *word;
  }
  text += " | " + g.origins[static_cast<std::size_t>(n.origin)].layer;
  if (!n.kernel.empty()) text += " | " + n.kernel;
  return text;
}

}  // namespace

std::string print_dot(const Graph& g) {
  std::string text = fmt::format("digraph {} {{\n  node [shape=box, style=filled, fontname=\"sans\"];\n",
                                 quote(g.name.empty() ? "graph" : g.name));
  for (NodeId id : g.order) {
    const Node& n = g.node(id);
    if (n.dead) continue;
    text += fmt::format("  n{} [label={}, fillcolor={}];\n", id, quote(label(g, n)), color(n));
    for (ValueId v : n.inputs) {
      text += fmt::format("  n{} -> n{} [label={}];\n", g.value(v).producer, id,
                          quote(g.value(v).spec.to_string()));
    }
  }
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    const Output& o = g.outputs[i];
    text +=
        fmt::format("  out{} [label={}, shape=ellipse, fillcolor=gold];\n  n{} -> out{} [label={}];\n", i,
                    quote(o.name), g.value(o.value).producer, i, quote(g.value(o.value).spec.to_string()));
  }
  for (const Assignment& a : g.assignments) {
    text += fmt::format("  n{} -> n{} [style=dashed, constraint=false];\n", g.value(a.value).producer,
                        g.value(a.target).producer);
  }
  return text + "}\n";
}

}  // namespace lbann::graph
