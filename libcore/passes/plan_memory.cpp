// plan_memory: offsets of all buffers in one arena.
//
// A buffer lives from the position of its first writer to that of its last reader; a kernel's
// scratch lives at its own position. Largest first, each takes the lowest offset at which it
// overlaps no buffer that is alive at the same time (offline, so no fragmentation by history).
#include <algorithm>

#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

struct Interval {
  int first;
  int last;
  std::int64_t bytes;
  std::int64_t offset = 0;
  int storage = -1;  // or
  graph::NodeId scratch_of = graph::none;
};

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
}

std::vector<Interval> find_lifetimes(const Compilation& c) {
  const graph::Graph& g = c.graph;
  std::vector<Interval> of_storage;
  const auto touch = [&](graph::ValueId v, int position) {
    const Slot& s = c.memory.values[static_cast<std::size_t>(v)];
    if (s.space != Space::arena) return;
    if (static_cast<std::size_t>(s.storage) >= of_storage.size()) {
      of_storage.resize(static_cast<std::size_t>(s.storage) + 1, Interval{0, -1, 0});
    }
    Interval& i = of_storage[static_cast<std::size_t>(s.storage)];
    if (i.storage < 0) i = {position, position, 0, 0, s.storage, graph::none};
    i.first = std::min(i.first, position);
    i.last = std::max(i.last, position);
    i.bytes = std::max(i.bytes, aligned(s.bytes));
  };
  std::vector<Interval> scratch;
  for (std::size_t p = 0; p < g.order.size(); ++p) {
    const graph::Node& n = g.node(g.order[p]);
    for (graph::ValueId v : n.inputs) touch(v, static_cast<int>(p));
    for (graph::ValueId v : n.outputs) touch(v, static_cast<int>(p));
    if (n.scratch_bytes > 0) {
      const int here = static_cast<int>(p);
      scratch.push_back({here, here, aligned(n.scratch_bytes), 0, -1, g.order[p]});
    }
  }
  for (const graph::Output& o : g.outputs) touch(o.value, static_cast<int>(g.order.size()));
  std::vector<Interval> all;
  for (const Interval& i : of_storage) {
    if (i.storage >= 0) all.push_back(i);
  }
  all.insert(all.end(), scratch.begin(), scratch.end());
  return all;
}

/// Sets offsets; returns the arena's size.
std::int64_t place(std::vector<Interval>& intervals) {
  std::stable_sort(intervals.begin(), intervals.end(),
                   [](const Interval& a, const Interval& b) { return a.bytes > b.bytes; });
  std::int64_t total = 0;
  std::vector<const Interval*> placed;  // by offset
  for (Interval& i : intervals) {
    std::int64_t offset = 0;
    for (const Interval* other : placed) {
      const bool alive_together = other->first <= i.last && i.first <= other->last;
      if (!alive_together) continue;
      if (offset + i.bytes <= other->offset) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    i.offset = offset;
    total = std::max(total, offset + i.bytes);
    const auto at =
        std::upper_bound(placed.begin(), placed.end(), &i,
                         [](const Interval* a, const Interval* b) { return a->offset < b->offset; });
    placed.insert(at, &i);
  }
  return total;
}

}  // namespace

void plan_memory(Compilation& c) {
  MemoryPlan& m = c.memory;
  std::vector<Interval> intervals = find_lifetimes(c);
  m.arena_bytes = place(intervals);
  m.scratch_offset.assign(c.graph.nodes.size(), -1);
  std::vector<std::int64_t> offset_of;
  for (const Interval& i : intervals) {
    if (i.scratch_of != graph::none) {
      m.scratch_offset[static_cast<std::size_t>(i.scratch_of)] = i.offset;
      continue;
    }
    if (static_cast<std::size_t>(i.storage) >= offset_of.size()) {
      offset_of.resize(static_cast<std::size_t>(i.storage) + 1, 0);
    }
    offset_of[static_cast<std::size_t>(i.storage)] = i.offset;
  }
  m.weight_bytes = m.state_bytes = m.input_bytes = m.sum_of_values_bytes = 0;
  m.exact = true;
  for (graph::NodeId id : c.graph.order) {
    const graph::Node& n = c.graph.node(id);
    m.exact &= n.scratch_bytes == 0 || n.scratch_exact;
    m.sum_of_values_bytes += aligned(n.scratch_bytes);
    for (graph::ValueId v : n.outputs) {
      Slot& s = m.values[static_cast<std::size_t>(v)];
      if (s.space == Space::arena) {
        s.offset = offset_of[static_cast<std::size_t>(s.storage)];
        m.sum_of_values_bytes += aligned(s.bytes);
      }
      if (n.op == "input") m.input_bytes += aligned(s.bytes);
      if (n.op == "weight") {
        (n.attrs.get_text("role") == "state" ? m.state_bytes : m.weight_bytes) += aligned(s.bytes);
      }
    }
  }
}

}  // namespace lbann::passes
