// schedule: the execution order.
//
// Forward and backward nodes keep their topological order. Nodes of the update phase run as soon as
// what they need is there: the gradient is final and every other reader of the weight's old value
// has run. That order exists unless a reader of the old value needs the new one; such an assignment
// gets a copy at the end (see reuse_inplace). Messages between ranks stand in the order of their numbers.
#include <algorithm>

#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

/// Every rank issues its messages in the order of their numbers. Nodes keep their order, but a message waits
/// for those before it, which are pulled forward with what they need.
class MessageOrder {
public:
  explicit MessageOrder(graph::Graph& g) : g_(g), done_(g.nodes.size(), false) {}

  void run() {
    std::int64_t last = -1;
    bool sorted = true;
    for (graph::NodeId id : g_.order) {
      const std::int64_t number = number_of(id);
      if (number < 0) continue;
      messages_.push_back(id);
      sorted = sorted && number > last;
      last = number;
    }
    if (sorted) return;
    std::sort(messages_.begin(), messages_.end(),
              [&](graph::NodeId a, graph::NodeId b) { return number_of(a) < number_of(b); });
    for (graph::NodeId id : g_.order) emit(id);
    g_.order = std::move(result_);
  }

private:
  std::int64_t number_of(graph::NodeId id) const { return g_.node(id).attrs.get_int("sequence", -1); }

  void emit(graph::NodeId root) {
    std::vector<graph::NodeId> stack{root};
    while (!stack.empty()) {
      const graph::NodeId id = stack.back();
      if (done_[static_cast<std::size_t>(id)]) {
        stack.pop_back();
        continue;
      }
      const std::size_t height = stack.size();
      const std::int64_t number = number_of(id);
      if (number >= 0 && next_ < messages_.size() && messages_[next_] != id)
        stack.push_back(messages_[next_]);
      for (graph::ValueId v : g_.node(id).inputs) {
        const graph::NodeId p = g_.value(v).producer;
        if (!done_[static_cast<std::size_t>(p)]) stack.push_back(p);
      }
      if (stack.size() > height) continue;
      stack.pop_back();
      done_[static_cast<std::size_t>(id)] = true;
      result_.push_back(id);
      if (number >= 0) ++next_;
    }
  }

  graph::Graph& g_;
  std::vector<bool> done_;
  std::vector<graph::NodeId> messages_, result_;
  std::size_t next_ = 0;
};

}  // namespace

void schedule(Compilation& c) {
  graph::Graph& g = c.graph;
  g.sort();
  const auto consumers = g.consumers();

  // Everything that only feeds the update phase counts as update: it need not run earlier.
  std::vector<graph::NodeId> main_order;
  std::vector<graph::NodeId> updates;
  for (graph::NodeId id : g.order) {
    (g.node(id).phase == graph::Phase::update ? updates : main_order).push_back(id);
  }

  std::vector<bool> done(g.nodes.size(), false);
  std::vector<graph::NodeId> result;
  const auto is_ready = [&](graph::NodeId id) {
    const graph::Node& n = g.node(id);
    for (graph::ValueId v : n.inputs) {
      const graph::NodeId p = g.value(v).producer;
      if (!done[static_cast<std::size_t>(p)]) return false;
      // An update overwrites its weight: all other readers first.
      if ((n.op != "update" && n.op != "update_rows") || g.node(p).op != "weight") continue;
      for (graph::NodeId reader : consumers[static_cast<std::size_t>(v)]) {
        const bool other_update = g.node(reader).phase == graph::Phase::update;
        if (reader != id && !other_update && !done[static_cast<std::size_t>(reader)]) return false;
      }
    }
    return true;
  };
  const auto run_ready_updates = [&] {
    bool progress = true;
    while (progress) {
      progress = false;
      for (graph::NodeId& id : updates) {
        if (id == graph::none || !is_ready(id)) continue;
        done[static_cast<std::size_t>(id)] = true;
        result.push_back(id);
        id = graph::none;
        progress = true;
      }
      updates.erase(std::remove(updates.begin(), updates.end(), graph::none), updates.end());
    }
  };
  for (graph::NodeId id : main_order) {
    // Weights and inputs cost nothing and wake nothing by themselves.
    done[static_cast<std::size_t>(id)] = true;
    result.push_back(id);
    if (!updates.empty() && g.node(id).phase == graph::Phase::backward) run_ready_updates();
  }
  run_ready_updates();
  for (graph::NodeId id : updates) result.push_back(id);
  g.order = std::move(result);
  MessageOrder(g).run();
}

}  // namespace lbann::passes
