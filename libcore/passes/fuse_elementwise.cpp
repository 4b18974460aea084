// fuse_elementwise: connected elementwise nodes of one shape and layout become one `fused_ewise`
// node, run block-wise in cache. Fused and unfused give the same bits: the same scalar functions on
// the same floats, only the intermediate stores are gone.
//
// A group grows from a node backwards through producers that are elementwise, lie alike, belong to
// the same phase, and are used only inside the group. Operands that broadcast stay operands.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "passes/explain_edges.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

bool is_fusable(const Node& n) { return !n.dead && n.op == "ewise" && n.kernel == "cpu.ewise"; }

std::string instruction(const Node& n, const std::string& target, const std::vector<std::string>& args) {
  const double a = n.attrs.get_real("a", 0);
  const double b = n.attrs.get_real("b", 0);
  std::string text = fmt::format("{}={}({}", target, n.attrs.get_text("fn"), fmt::join(args, ","));
  if (a != 0 || b != 0) text += fmt::format("|{},{}", a, b);
  return text + ")";
}

struct Group {
  std::vector<NodeId> nodes;  // in execution order, the root last
  std::vector<ValueId> operands;
};

/// Operands of the group if `node` joined it.
std::vector<ValueId> operands_of(const Graph& g, const std::set<NodeId>& members,
                                 const std::vector<NodeId>& ordered) {
  std::vector<ValueId> result;
  for (NodeId id : ordered) {
    for (ValueId v : g.node(id).inputs) {
      if (members.count(g.value(v).producer) > 0) continue;
      if (std::find(result.begin(), result.end(), v) == result.end()) result.push_back(v);
    }
  }
  return result;
}

Group grow(const Graph& g, NodeId root, const std::vector<int>& uses, const std::vector<int>& position) {
  std::set<NodeId> members{root};
  std::vector<NodeId> ordered{root};
  bool grown = true;
  while (grown) {
    grown = false;
    for (NodeId id : std::vector<NodeId>(ordered)) {
      for (ValueId v : g.node(id).inputs) {
        const NodeId p = g.value(v).producer;
        const Node& n = g.node(p);
        if (members.count(p) > 0 || !is_fusable(n)) continue;
        int inside = 0;
        for (NodeId m : ordered) {
          const std::vector<ValueId>& in = g.node(m).inputs;
          inside += static_cast<int>(std::count(in.begin(), in.end(), v));
        }
        if (!why_not_in_loop(g, v, root, inside, uses[static_cast<std::size_t>(v)]).empty()) continue;
        std::set<NodeId> with = members;
        with.insert(p);
        std::vector<NodeId> order_with = ordered;
        order_with.push_back(p);
        if (order_with.size() > max_loop_instructions ||
            operands_of(g, with, order_with).size() > max_loop_operands) {
          continue;
        }
        members = std::move(with);
        ordered = std::move(order_with);
        grown = true;
      }
    }
  }
  std::sort(ordered.begin(), ordered.end(), [&](NodeId a, NodeId b) {
    return position[static_cast<std::size_t>(a)] < position[static_cast<std::size_t>(b)];
  });
  return {ordered, operands_of(g, members, ordered)};
}

void fuse(Graph& g, const Group& group) {
  std::map<ValueId, std::string> names;
  for (std::size_t i = 0; i < group.operands.size(); ++i) names[group.operands[i]] = fmt::format("i{}", i);
  std::string program;
  for (std::size_t k = 0; k < group.nodes.size(); ++k) {
    const Node& n = g.node(group.nodes[k]);
    const bool last = k + 1 == group.nodes.size();
    std::vector<std::string> args;
    for (ValueId v : n.inputs) args.push_back(names.at(v));
    const std::string target = last ? "o0" : fmt::format("t{}", k);
    if (!program.empty()) program += ';';
    program += instruction(n, target, args);
    names[n.outputs[0]] = target;
  }
  Node& root = g.node(group.nodes.back());
  for (std::size_t k = 0; k + 1 < group.nodes.size(); ++k) g.node(group.nodes[k]).dead = true;
  root.op = "fused_ewise";
  root.kernel = "cpu.fused_ewise";
  root.attrs = graph::Attrs{{"program", program}};
  root.inputs = group.operands;
  // The result may overwrite the first operand that lies exactly like it.
  root.may_alias = {-1};
  for (std::size_t i = 0; i < root.inputs.size(); ++i) {
    const graph::Value& in = g.value(root.inputs[i]);
    const graph::Value& out = g.value(root.outputs[0]);
    if (in.spec == out.spec && in.layout == out.layout) {
      root.may_alias[0] = static_cast<int>(i);
      break;
    }
  }
}

}  // namespace

void fuse_elementwise(Compilation& c) {
  Graph& g = c.graph;
  std::vector<int> position(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.order.size(); ++i)
    position[static_cast<std::size_t>(g.order[i])] = static_cast<int>(i);
  const std::vector<int> uses = g.num_uses();
  // Consumers first: the largest group is found from its last node.
  for (auto it = g.order.rbegin(); it != g.order.rend(); ++it) {
    if (!is_fusable(g.node(*it))) continue;
    const Group group = grow(g, *it, uses, position);
    if (group.nodes.size() > 1) fuse(g, group);
  }
  g.sort();
  g.compact();
}

}  // namespace lbann::passes
