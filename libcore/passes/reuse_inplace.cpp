// reuse_inplace: which values share a buffer.
//
//   views             reshape and the like: the same bytes under another shape
//   new weights       take the buffer of the old weight when every other reader has run before;
//                     where that cannot be, a copy at the end of the step carries them over
//   dying operands    an output takes the buffer of an operand that nobody reads later, if the
//                     kernel allows it
//
// Writes `memory.values[v].{space, offset (boundary id), bytes, storage}`; plan_memory adds offsets.
#include <algorithm>

#include <fmt/format.h>

#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

std::int64_t storage_bytes(const graph::Value& v) {
  return v.layout.storage_elements(v.spec.shape) * tensor::size_bytes(v.spec.type);
}

class Reuse {
public:
  explicit Reuse(Compilation& c) : c_(c), g_(c.graph) {}

  void run() {
    carry_over_with_copies();
    index_uses();
    c_.memory = MemoryPlan{};
    c_.memory.values.resize(g_.values.size());
    // Boundaries first: a value may be written into a weight whose node stands later in the order.
    for (NodeId id : g_.order) place_boundary(g_.node(id));
    for (std::size_t p = 0; p < g_.order.size(); ++p) place_outputs(g_.order[p], static_cast<int>(p));
  }

private:
  struct Storage {
    Space space;
    std::int64_t boundary;
    std::int64_t bytes;
    int last_use;
  };

  void index_uses() {
    last_use_.assign(g_.values.size(), -1);
    for (std::size_t p = 0; p < g_.order.size(); ++p) {
      for (ValueId v : g_.node(g_.order[p]).inputs)
        last_use_[static_cast<std::size_t>(v)] = static_cast<int>(p);
    }
    const int end = static_cast<int>(g_.order.size());
    for (const graph::Output& o : g_.outputs) last_use_[static_cast<std::size_t>(o.value)] = end;
    target_of_.assign(g_.values.size(), graph::none);
    for (const graph::Assignment& a : g_.assignments)
      target_of_[static_cast<std::size_t>(a.value)] = a.target;
  }

  /// Has everything that `reader` hands on of its operand's buffer been read at position `here`?
  bool reads_before(NodeId reader, int here, const std::vector<int>& position,
                    const std::vector<std::vector<NodeId>>& consumers) const {
    if (position[static_cast<std::size_t>(reader)] >= here) return false;
    const Node& n = g_.node(reader);
    if (n.kernel != "view") return true;
    const ValueId v = n.outputs[0];
    const auto is_v = [v](const auto& result) { return result.value == v; };
    if (std::any_of(g_.outputs.begin(), g_.outputs.end(), is_v)) return false;
    if (std::any_of(g_.assignments.begin(), g_.assignments.end(), is_v)) return false;
    const std::vector<NodeId>& next = consumers[static_cast<std::size_t>(v)];
    return std::all_of(next.begin(), next.end(),
                       [&](NodeId id) { return reads_before(id, here, position, consumers); });
  }

  /// May `producer` write its output straight into the buffer of the weight `target`?
  bool can_write_into(const graph::Assignment& a, const std::vector<int>& position,
                      const std::vector<std::vector<NodeId>>& consumers) const {
    const NodeId p = g_.value(a.value).producer;
    const Node& n = g_.node(p);
    if (n.op == "weight" || n.op == "input" || n.kernel == "view") return false;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] == a.target && !may_alias(n, g_.value(a.value).output, i)) return false;
    }
    const int here = position[static_cast<std::size_t>(p)];
    for (NodeId reader : consumers[static_cast<std::size_t>(a.target)]) {
      if (reader != p && !reads_before(reader, here, position, consumers)) return false;
    }
    int uses_as_assignment = 0;
    for (const graph::Assignment& other : g_.assignments)
      uses_as_assignment += other.value == a.value ? 1 : 0;
    return uses_as_assignment == 1;
  }

  void carry_over_with_copies() {
    std::vector<int> position(g_.nodes.size(), 0);
    for (std::size_t p = 0; p < g_.order.size(); ++p) {
      position[static_cast<std::size_t>(g_.order[p])] = static_cast<int>(p);
    }
    const auto consumers = g_.consumers();
    for (graph::Assignment& a : g_.assignments) {
      if (can_write_into(a, position, consumers)) continue;
      const Node producer = g_.producer(a.value);
      const tensor::TensorSpec spec = g_.value(a.value).spec;
      const NodeId copy =
          g_.add_node("reorder", {a.value}, {spec}, {}, producer.origin, graph::Phase::update);
      g_.node(copy).kernel = "view";
      g_.node(copy).may_alias = {-1};
      const ValueId v = g_.node(copy).outputs[0];
      g_.value(v).layout = g_.value(a.value).layout;
      a.value = v;
    }
  }

  static bool is_elementwise(const Node& n) { return n.op == "ewise" || n.op == "fused_ewise"; }

  /// Kernel and shapes allow output `o` to overwrite input `i`.
  bool may_alias(const Node& n, int o, std::size_t i) const {
    const graph::Value& in = g_.value(n.inputs[i]);
    const graph::Value& out = g_.value(n.outputs[static_cast<std::size_t>(o)]);
    if (in.spec.type != out.spec.type || !(in.spec.shape == out.spec.shape) || !(in.layout == out.layout)) {
      return false;
    }
    if (is_elementwise(n) && n.kernel.rfind("cpu.", 0) == 0) return true;
    return static_cast<std::size_t>(o) < n.may_alias.size() &&
           n.may_alias[static_cast<std::size_t>(o)] == static_cast<int>(i);
  }

  int new_storage(Space space, std::int64_t boundary, std::int64_t bytes, int last_use) {
    storages_.push_back({space, boundary, bytes, last_use});
    return static_cast<int>(storages_.size()) - 1;
  }

  void assign(ValueId v, int storage) {
    Storage& s = storages_[static_cast<std::size_t>(storage)];
    s.last_use = std::max(s.last_use, last_use_[static_cast<std::size_t>(v)]);
    c_.memory.values[static_cast<std::size_t>(v)] = {s.space, s.boundary, storage_bytes(g_.value(v)),
                                                     storage};
  }

  const Slot& slot(ValueId v) const { return c_.memory.values[static_cast<std::size_t>(v)]; }

  int find_dying_operand(const Node& n, int o, int position) const {
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (!may_alias(n, o, i)) continue;
      const Storage& s = storages_[static_cast<std::size_t>(slot(n.inputs[i]).storage)];
      if (s.space != Space::arena || s.last_use != position) continue;
      if (s.bytes != storage_bytes(g_.value(n.outputs[static_cast<std::size_t>(o)]))) continue;
      const auto sharers = std::count_if(n.inputs.begin(), n.inputs.end(), [&](ValueId v) {
        return slot(v).storage == slot(n.inputs[i]).storage;
      });
      const bool taken = std::any_of(n.outputs.begin(), n.outputs.begin() + o,
                                     [&](ValueId v) { return slot(v).storage == slot(n.inputs[i]).storage; });
      if (sharers == 1 && !taken) return slot(n.inputs[i]).storage;
    }
    return -1;
  }

  void place_boundary(const Node& n) {
    if (n.op != "weight" && n.op != "input") return;
    const Space space = n.op == "weight" ? Space::weight : Space::input;
    const ValueId v = n.outputs[0];
    assign(v, new_storage(space, v, storage_bytes(g_.value(v)), static_cast<int>(g_.order.size())));
  }

  void place_outputs(NodeId id, int position) {
    const Node& n = g_.node(id);
    if (n.op == "weight" || n.op == "input") return;
    for (std::size_t o = 0; o < n.outputs.size(); ++o) {
      const ValueId v = n.outputs[o];
      const std::int64_t bytes = storage_bytes(g_.value(v));
      const ValueId target = target_of_[static_cast<std::size_t>(v)];
      if (target != graph::none) {
        assign(v, slot(target).storage);
        continue;
      }
      const bool shares_operand = n.kernel == "view";
      if (shares_operand) {
        assign(v, slot(n.inputs[0]).storage);
        continue;
      }
      const int dying = find_dying_operand(n, static_cast<int>(o), position);
      assign(v, dying >= 0 ? dying : new_storage(Space::arena, 0, bytes, position));
    }
  }

  Compilation& c_;
  Graph& g_;
  std::vector<int> last_use_;       // position of the last reader
  std::vector<ValueId> target_of_;  // weight that a value becomes
  std::vector<Storage> storages_;
};

}  // namespace

void reuse_inplace(Compilation& c) { Reuse(c).run(); }

}  // namespace lbann::passes
