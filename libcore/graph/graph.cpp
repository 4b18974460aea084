// Editing primitives of the op graph. All linear in the graph's size.
#include "graph/graph.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lbann::graph {

NodeId Graph::add_node(std::string op, std::vector<ValueId> inputs,
                       const std::vector<tensor::TensorSpec>& output_specs, Attrs attrs, int origin,
                       Phase phase) {
  const NodeId id = static_cast<NodeId>(nodes.size());
  Node n;
  n.op = std::move(op);
  n.attrs = std::move(attrs);
  n.inputs = std::move(inputs);
  n.origin = origin;
  n.phase = phase;
  for (std::size_t i = 0; i < output_specs.size(); ++i) {
    n.outputs.push_back(static_cast<ValueId>(values.size()));
    Value v;
    v.spec = output_specs[i];
    v.layout = tensor::Layout::plain(v.spec.shape.rank());
    v.producer = id;
    v.output = static_cast<int>(i);
    values.push_back(std::move(v));
  }
  nodes.push_back(std::move(n));
  order.push_back(id);
  return id;
}

int Graph::add_origin(Origin origin) {
  origins.push_back(std::move(origin));
  return static_cast<int>(origins.size()) - 1;
}

std::vector<std::vector<NodeId>> Graph::consumers() const {
  std::vector<std::vector<NodeId>> result(values.size());
  for (NodeId id : order) {
    if (node(id).dead) continue;
    for (ValueId v : node(id).inputs) {
      std::vector<NodeId>& list = result[static_cast<std::size_t>(v)];
      if (list.empty() || list.back() != id) list.push_back(id);
    }
  }
  return result;
}

std::vector<int> Graph::num_uses() const {
  std::vector<int> uses(values.size(), 0);
  for (const Node& n : nodes) {
    if (n.dead) continue;
    for (ValueId v : n.inputs) ++uses[static_cast<std::size_t>(v)];
  }
  for (const Output& o : outputs) ++uses[static_cast<std::size_t>(o.value)];
  for (const Assignment& a : assignments) ++uses[static_cast<std::size_t>(a.value)];
  return uses;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& n : nodes) {
    if (n.dead) continue;
    std::replace(n.inputs.begin(), n.inputs.end(), from, to);
  }
  for (Output& o : outputs) {
    if (o.value == from) o.value = to;
  }
  for (Assignment& a : assignments) {
    if (a.value == from) a.value = to;
  }
}

int Graph::remove_unused() {
  std::vector<int> uses = num_uses();
  int removed = 0;
  // `order` is topological, so one sweep from the back sees every consumer before its producers.
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node& n = node(*it);
    if (n.dead || n.op == "input" || n.op == "weight") continue;
    if (n.attrs.has("sequence")) continue;  // other ranks take part in this message
    const bool needed = std::any_of(n.outputs.begin(), n.outputs.end(),
                                    [&](ValueId v) { return uses[static_cast<std::size_t>(v)] > 0; });
    if (needed) continue;
    n.dead = true;
    ++removed;
    for (ValueId v : n.inputs) --uses[static_cast<std::size_t>(v)];
  }
  return removed;
}

void Graph::sort() {
  // Depth first over the present order, producers before users: what is in order stays, what a pass
  // appended comes right before its first user. An explicit stack: graphs are deep.
  enum class Mark : std::uint8_t { untouched, open, done };
  std::vector<Mark> mark(nodes.size(), Mark::untouched);
  std::vector<NodeId> sorted;
  std::vector<NodeId> stack;
  for (NodeId root : order) {
    if (node(root).dead || mark[static_cast<std::size_t>(root)] == Mark::done) continue;
    stack.push_back(root);
    while (!stack.empty()) {
      const NodeId id = stack.back();
      Mark& m = mark[static_cast<std::size_t>(id)];
      if (m == Mark::done) {
        stack.pop_back();
        continue;
      }
      bool waits = false;
      for (auto v = node(id).inputs.rbegin(); v != node(id).inputs.rend(); ++v) {
        const NodeId producer = value(*v).producer;
        const Mark p = mark[static_cast<std::size_t>(producer)];
        if (p == Mark::done) continue;
        if (p == Mark::open) {
          throw base::Error(base::ExitCode::internal, fmt::format("graph '{}' has a cycle", name));
        }
        stack.push_back(producer);
        waits = true;
      }
      m = Mark::open;
      if (waits) continue;
      m = Mark::done;
      sorted.push_back(id);
      stack.pop_back();
    }
  }
  order = std::move(sorted);
}

void Graph::compact() {
  std::vector<int> new_node(nodes.size(), none);
  std::vector<int> new_value(values.size(), none);
  std::vector<Node> kept_nodes;
  std::vector<Value> kept_values;
  for (NodeId id : order) {
    Node& n = node(id);
    if (n.dead) continue;
    new_node[static_cast<std::size_t>(id)] = static_cast<int>(kept_nodes.size());
    for (ValueId& v : n.outputs) {
      new_value[static_cast<std::size_t>(v)] = static_cast<int>(kept_values.size());
      kept_values.push_back(std::move(value(v)));
      kept_values.back().producer = static_cast<int>(kept_nodes.size());
      v = static_cast<int>(kept_values.size()) - 1;
    }
    kept_nodes.push_back(std::move(n));
  }
  for (Node& n : kept_nodes) {
    for (ValueId& v : n.inputs) v = new_value[static_cast<std::size_t>(v)];
  }
  for (Output& o : outputs) o.value = new_value[static_cast<std::size_t>(o.value)];
  for (Assignment& a : assignments) {
    a.value = new_value[static_cast<std::size_t>(a.value)];
    a.target = new_value[static_cast<std::size_t>(a.target)];
  }
  nodes = std::move(kept_nodes);
  values = std::move(kept_values);
  order.resize(nodes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<NodeId>(i);
}

}  // namespace lbann::graph
