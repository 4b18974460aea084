// insert_comm: `redistribute` becomes collectives, one mesh axis at a time; on one rank it is the identity.
//
//   P -> R  all_reduce         P -> S  reduce_scatter     S -> R   all_gather
//   R -> S  local_slice        S -> S' all_to_all, or all_gather and local_slice
//
// Sums first. Where several axes cut one dim, the inner axis' pieces lie within the outer one's: gathers go
// from the inner axis outwards, slices inwards. Equal redistributions are made once. Sums of gradients travel
// in buckets of up to `bucket_bytes`, each as soon as its last gradient is there. The result is still the
// global program, the same on every rank: its text is kept for comparison before the first step.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "graph/printer.hpp"
#include "ops/builder.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using tensor::AxisPlacement;
using tensor::Placement;
using tensor::PlacementKind;

bool is_shard(const AxisPlacement& p) { return p.kind == PlacementKind::shard; }
bool is_partial(const AxisPlacement& p) { return p.kind == PlacementKind::partial; }

void drop_redistributions(Graph& g) {
  for (NodeId id : g.order) {
    Node& n = g.node(id);
    if (n.op != "redistribute") continue;
    n.dead = true;
    g.replace_uses(n.outputs[0], n.inputs[0]);
  }
}

void merge_equal(Graph& g) {
  std::map<std::pair<ValueId, std::string>, ValueId> made;
  for (NodeId id : g.order) {
    Node& n = g.node(id);
    if (n.op != "redistribute") continue;
    const ValueId y = n.outputs[0];
    const auto [found, is_new] = made.try_emplace({n.inputs[0], g.value(y).spec.placement.to_string()}, y);
    if (is_new) continue;
    const NodeId first = g.value(found->second).producer;
    if (n.attrs.has("gradient")) g.node(first).attrs.set("gradient", std::int64_t{1});
    n.dead = true;
    g.replace_uses(y, found->second);
  }
}

/// The moves of one redistribution, appended to the graph.
class Moves {
public:
  Moves(Graph& g, const Node& n, std::size_t num_axes)
    : b_(g),
      x_(n.inputs[0]),
      now_(axes_of(g, n.inputs[0], num_axes)),
      to_(axes_of(g, n.outputs[0], num_axes)) {
    b_.set_origin(n.origin);
    b_.set_phase(n.phase);
  }

  ValueId run() {
    for (std::size_t a = 0; a < now_.size(); ++a) {
      if (!is_partial(now_[a]) || is_partial(to_[a])) continue;
      // An inner axis that cuts the same dim would have to be gathered first.
      const bool scatters = is_shard(to_[a]) && !cut_by_others(to_[a].dim, a);
      move(a, scatters ? "reduce_scatter" : "all_reduce", scatters ? to_[a] : AxisPlacement{});
    }
    for (std::size_t a = now_.size(); a-- > 0;) {
      if (is_shard(now_[a]) && leaves(a)) gather_or_exchange(a);
    }
    for (std::size_t a = 0; a < now_.size(); ++a) {
      if (is_shard(to_[a]) && !(now_[a] == to_[a])) move(a, "local_slice", to_[a]);
    }
    return x_;
  }

private:
  static std::vector<AxisPlacement> axes_of(const Graph& g, ValueId v, std::size_t num_axes) {
    std::vector<AxisPlacement> axes = g.value(v).spec.placement.axes;
    axes.resize(num_axes);
    return axes;
  }

  bool cut_by_others(int dim, std::size_t axis) const {
    for (std::size_t a = 0; a < now_.size(); ++a) {
      if (a != axis &&
          ((is_shard(now_[a]) && now_[a].dim == dim) || (is_shard(to_[a]) && to_[a].dim == dim))) {
        return true;
      }
    }
    return false;
  }

  /// Must the pieces along this axis be put together: they move, or an outer axis of the same dim does?
  bool leaves(std::size_t axis) const {
    if (!(now_[axis] == to_[axis])) return true;
    for (std::size_t outer = 0; outer < axis; ++outer) {
      const bool concerned = (is_shard(now_[outer]) && now_[outer].dim == now_[axis].dim) ||
                             (is_shard(to_[outer]) && to_[outer].dim == now_[axis].dim);
      if (concerned && !(now_[outer] == to_[outer])) return true;
    }
    return false;
  }

  void gather_or_exchange(std::size_t a) {
    const AxisPlacement from = now_[a], to = to_[a];
    const bool exchanges =
        is_shard(to) && from.dim != to.dim && !cut_by_others(from.dim, a) && !cut_by_others(to.dim, a);
    if (!exchanges) return move(a, "all_gather", {}, from);
    x_ = b_.add("all_to_all", {x_},
                {{"mesh_axis", static_cast<std::int64_t>(a)},
                 {"from", std::int64_t{from.dim}},
                 {"from_unit", from.unit},
                 {"to", std::int64_t{to.dim}},
                 {"to_unit", to.unit}});
    now_[a] = to;
  }

  void move(std::size_t a, const char* op, AxisPlacement result, AxisPlacement cut = {}) {
    graph::Attrs attrs{{"mesh_axis", static_cast<std::int64_t>(a)}};
    if (!is_shard(cut)) cut = result;
    if (is_shard(cut)) {
      attrs.set("dim", std::int64_t{cut.dim});
      attrs.set("unit", cut.unit);
    }
    if (std::string_view(op) == "all_reduce") attrs.set("fn", std::string("sum"));
    x_ = b_.add(op, {x_}, std::move(attrs));
    now_[a] = result;
  }

  ops::Builder b_;
  ValueId x_;
  std::vector<AxisPlacement> now_, to_;
};

/// Puts what was appended to `order` right behind its last operand.
void move_up(Graph& g, std::size_t num_old) {
  std::vector<NodeId> order(g.order.begin(), g.order.begin() + static_cast<std::ptrdiff_t>(num_old));
  const std::vector<NodeId> appended(g.order.begin() + static_cast<std::ptrdiff_t>(num_old), g.order.end());
  std::map<NodeId, std::vector<NodeId>> behind;
  std::vector<std::size_t> position(g.nodes.size(), 0);
  for (std::size_t p = 0; p < order.size(); ++p) position[static_cast<std::size_t>(order[p])] = p;
  for (NodeId id : appended) {
    NodeId last = g.value(g.node(id).inputs[0]).producer;
    for (ValueId v : g.node(id).inputs) {
      const NodeId producer = g.value(v).producer;
      if (position[static_cast<std::size_t>(producer)] >= position[static_cast<std::size_t>(last)])
        last = producer;
    }
    behind[last].push_back(id);
    position[static_cast<std::size_t>(id)] = position[static_cast<std::size_t>(last)];
  }
  g.order.clear();
  const auto put = [&](const auto& self, NodeId id) -> void {
    g.order.push_back(id);
    const auto next = behind.find(id);
    if (next == behind.end()) return;
    for (NodeId follower : next->second) self(self, follower);
  };
  for (NodeId id : order) put(put, id);
}

void lower_redistributions(Compilation& c) {
  Graph& g = c.graph;
  const std::vector<NodeId> order = g.order;
  for (NodeId id : order) {
    const Node n = g.node(id);
    if (n.op != "redistribute" || n.dead) continue;
    const std::size_t before = g.nodes.size();
    const ValueId y = Moves(g, n, c.mesh.axes.size()).run();
    if (n.attrs.has("gradient")) {
      for (std::size_t i = before; i < g.nodes.size(); ++i) {
        if (g.nodes[i].op == "all_reduce") g.nodes[i].attrs.set("gradient", std::int64_t{1});
      }
    }
    g.node(id).dead = true;
    g.replace_uses(n.outputs[0], y);
  }
  move_up(g, order.size());
}

std::int64_t bytes_of(const Graph& g, ValueId v) { return g.value(v).spec.num_bytes(); }

/// One all_reduce for a run of gradients on one axis and of one type.
void merge_bucket(Graph& g, std::vector<NodeId>& bucket) {
  if (bucket.size() > 1) {
    std::vector<ValueId> operands;
    for (NodeId id : bucket) operands.push_back(g.node(id).inputs[0]);
    const Node last = g.node(bucket.back());
    ops::Builder b(g);
    b.set_origin(last.origin);
    b.set_phase(last.phase);
    const std::vector<ValueId> sums = b.add_n("all_reduce", operands, last.attrs);
    for (std::size_t i = 0; i < bucket.size(); ++i) {
      g.node(bucket[i]).dead = true;
      g.replace_uses(g.node(bucket[i]).outputs[0], sums[i]);
    }
  }
  bucket.clear();
}

void fill_buckets(Compilation& c) {
  Graph& g = c.graph;
  const std::vector<NodeId> order = g.order;
  std::vector<NodeId> bucket;
  std::int64_t bytes = 0;
  for (NodeId id : order) {
    const Node& n = g.node(id);
    if (n.dead || n.op != "all_reduce" || !n.attrs.has("gradient")) continue;
    const std::int64_t more = bytes_of(g, n.inputs[0]);
    if (!bucket.empty()) {
      const Node& first = g.node(bucket.front());
      const bool together =
          first.attrs == n.attrs && g.value(first.inputs[0]).spec.type == g.value(n.inputs[0]).spec.type;
      if (!together || bytes + more > c.bucket_bytes) {
        merge_bucket(g, bucket);
        bytes = 0;
      }
    }
    bucket.push_back(id);
    bytes += more;
  }
  merge_bucket(g, bucket);
  move_up(g, order.size());
}

}  // namespace

void insert_comm(Compilation& c) {
  Graph& g = c.graph;
  if (c.mesh.num_ranks() == 1) {
    drop_redistributions(g);
    g.sort();
    g.compact();
    return;
  }
  merge_equal(g);
  lower_redistributions(c);
  g.sort();
  g.remove_unused();
  g.sort();
  fill_buckets(c);
  g.sort();
  g.remove_unused();
  g.sort();
  g.compact();
  c.program = graph::print_graph(g);
}

}  // namespace lbann::passes
