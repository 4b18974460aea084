// recompute: activations that the backward pass reads are made again there instead of being kept.
//
//   kept:     x -> norm_apply -> y ........................ y -> conv_bwd_weights
//   again:    x -> norm_apply -> y (dies),   x -> norm_apply' -> y' -> conv_bwd_weights      x is kept anyway
//
// Runs behind select_kernels: a copy of a node has its kernel and layouts, so it makes the same bits; random
// numbers are functions of their position and come out again as they were. Which values:
//
//   layers the user marks   everything they make (but vectors): activation checkpointing
//   automatic               cheap values (pointwise, normalisations) whose operands are there anyway, the
//   best
//                           bargains first, until they cost `time_share` of the step; only if the step needs
//                           noticeably less memory
//   all                     every cheap value
//
// Costs are traffic and operations on a nominal machine; what matters are ratios.
#include <algorithm>
#include <map>
#include <set>

#include "ops/op_def.hpp"
#include "passes/passes.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

constexpr double flops_per_byte = 12;  // of the nominal machine
constexpr double time_share = 0.03;    // that automatic recomputation may cost
constexpr double memory_share = 0.02;  // less than this is not worth it
constexpr std::int64_t worth_bytes = 64 << 10;

double nominal_cost(const Graph& g, const Node& n) {
  const ops::Cost cost = ops::cost_of(g, n);
  return std::max(cost.flops / flops_per_byte, cost.bytes);
}

/// What cannot be made again: boundaries, and messages, in which other ranks take part.
bool is_boundary(const Node& n) { return n.op == "weight" || n.op == "input" || n.attrs.has("sequence"); }

bool is_free(const Node& n) {
  return n.kernel == "view" || n.op == "reorder" || n.op == "random" || n.op == "fill" || n.op == "expand";
}

bool is_cheap(const Node& n) {
  return is_free(n) || n.op == "ewise" || n.op == "norm_apply" || n.op == "layer_norm" || n.op == "cast";
}

std::int64_t storage_bytes(const graph::Value& v) {
  return v.layout.storage_elements(v.spec.shape) * tensor::size_bytes(v.spec.type);
}

/// Bytes alive at the step that has most, every value taking room of its own from its producer to its last
/// reader. In-place execution makes it less, before and after alike.
std::int64_t estimate_peak(const Graph& g) {
  std::vector<int> last(g.values.size(), -1), first(g.values.size(), -1);
  for (std::size_t p = 0; p < g.order.size(); ++p) {
    const Node& n = g.node(g.order[p]);
    if (is_boundary(n)) continue;
    for (ValueId v : n.outputs) first[static_cast<std::size_t>(v)] = static_cast<int>(p);
    for (ValueId v : n.inputs) last[static_cast<std::size_t>(v)] = static_cast<int>(p);
  }
  std::vector<std::int64_t> change(g.order.size() + 1, 0);
  for (std::size_t v = 0; v < g.values.size(); ++v) {
    if (first[v] < 0 || last[v] < first[v] || g.producer(static_cast<ValueId>(v)).kernel == "view") continue;
    const std::int64_t bytes = storage_bytes(g.values[v]);
    change[static_cast<std::size_t>(first[v])] += bytes;
    change[static_cast<std::size_t>(last[v]) + 1] -= bytes;
  }
  std::int64_t alive = 0, peak = 0;
  for (std::int64_t c : change) peak = std::max(peak, alive += c);
  return peak;
}

class Recomputer {
public:
  explicit Recomputer(Compilation& c) : c_(c), g_(c.graph), consumers_(g_.consumers()) {
    position_.assign(g_.nodes.size(), 0);
    for (std::size_t p = 0; p < g_.order.size(); ++p)
      position_[static_cast<std::size_t>(g_.order[p])] = static_cast<int>(p);
    last_read_.assign(g_.values.size(), -1);
    for (auto id = g_.order.rbegin(); id != g_.order.rend(); ++id) {
      for (ValueId v : g_.node(*id).outputs) last_read_[static_cast<std::size_t>(v)] = find_last_read(v);
    }
  }

  /// What the user marks.
  void run_marked() {
    mark_layers();
    replace_reads();
  }
  void run_cheap() {
    choose_cheap();
    replace_reads();
  }

private:
  void replace_reads() {
    if (again_.empty()) return;
    for (NodeId id : std::vector<NodeId>(g_.order)) {
      if (g_.node(id).phase == graph::Phase::forward) continue;
      for (std::size_t i = 0; i < g_.node(id).inputs.size(); ++i) {
        const ValueId v = g_.node(id).inputs[i];
        if (again_.count(v) == 0) continue;
        const ValueId copy = make_again(v);
        g_.node(id).inputs[i] = copy;
      }
    }
    for (ValueId v : again_) c_.recomputed.bytes += storage_bytes(g_.value(v));
    c_.recomputed.values += static_cast<int>(again_.size());
    g_.sort();
  }

  /// Position of the last reader outside the forward pass, -1 without: as far as the value is kept for it.
  int find_last_read(ValueId v) const {
    int last = -1;
    for (NodeId user : consumers_[static_cast<std::size_t>(v)]) {
      const Node& n = g_.node(user);
      if (n.kernel == "view") last = std::max(last, last_read_[static_cast<std::size_t>(n.outputs[0])]);
      if (n.phase != graph::Phase::forward) last = std::max(last, position_[static_cast<std::size_t>(user)]);
    }
    return last;
  }

  int last_read(ValueId v) const { return last_read_[static_cast<std::size_t>(v)]; }
  bool is_read_backward(ValueId v) const {
    const auto& users = consumers_[static_cast<std::size_t>(v)];
    return std::any_of(users.begin(), users.end(),
                       [&](NodeId user) { return g_.node(user).phase != graph::Phase::forward; });
  }
  bool is_vector(ValueId v) const { return g_.shape(v).rank() <= 1; }

  void mark_layers() {
    if (c_.recompute_layers.empty()) return;
    for (NodeId id : g_.order) {
      const Node& n = g_.node(id);
      if (n.phase != graph::Phase::forward || is_boundary(n)) continue;
      const std::string& layer = g_.origins[static_cast<std::size_t>(n.origin)].layer;
      // Other shapes and layouts of a marked value go with it, whoever wants them.
      const bool follows =
          (n.kernel == "view" || n.op == "reorder") && marked_.count(g_.value(n.inputs[0]).producer) > 0;
      if (c_.recompute_layers.count(layer) == 0 && !follows) continue;
      for (ValueId v : n.outputs) {
        if (is_read_backward(v) && !is_vector(v)) again_.insert(v);
      }
      marked_.insert(id);
    }
  }

  /// Is `v` there in the backward pass until `until`, kept for others or made again from what is? Adds the
  /// nodes to run again.
  bool is_available(ValueId v, int until, std::set<NodeId>& copies, int depth) const {
    const NodeId id = g_.value(v).producer;
    const Node& n = g_.node(id);
    if (is_boundary(n) || storage_bytes(g_.value(v)) < worth_bytes) return true;
    if (last_read(v) >= until && again_.count(v) == 0) return true;
    return depth > 0 && can_run_again(v, until, copies, depth - 1);
  }

  bool can_run_again(ValueId v, int until, std::set<NodeId>& copies, int depth) const {
    const NodeId id = g_.value(v).producer;
    const Node& n = g_.node(id);
    if (n.phase != graph::Phase::forward || !(is_cheap(n) || marked_.count(id) > 0)) return false;
    for (ValueId in : n.inputs) {
      if (!is_available(in, until, copies, depth)) return false;
    }
    copies.insert(id);
    return true;
  }

  struct Bargain {
    ValueId value;
    double saved, cost;
  };

  void choose_cheap() {
    double step = 0;
    for (NodeId id : g_.order) {
      if (!is_boundary(g_.node(id))) step += nominal_cost(g_, g_.node(id));
    }
    std::vector<Bargain> bargains;
    for (NodeId id : g_.order) {
      const Node& n = g_.node(id);
      if (n.phase != graph::Phase::forward || is_boundary(n) || n.kernel == "view" || n.outputs.empty())
        continue;
      const ValueId v = n.outputs[0];
      const auto bytes = static_cast<double>(storage_bytes(g_.value(v)));
      if (!is_read_backward(v) || bytes < static_cast<double>(worth_bytes) || again_.count(v) > 0) continue;
      // A view keeps the bytes all the same.
      const auto& users = consumers_[static_cast<std::size_t>(v)];
      if (std::any_of(users.begin(), users.end(), [&](NodeId u) { return g_.node(u).kernel == "view"; }))
        continue;
      std::set<NodeId> copies;
      if (!can_run_again(v, last_read(v), copies, 3)) continue;
      double cost = 0;
      for (NodeId copy : copies) cost += nominal_cost(g_, g_.node(copy));
      bargains.push_back({v, bytes, cost});
    }
    std::stable_sort(bargains.begin(), bargains.end(),
                     [](const Bargain& a, const Bargain& b) { return a.saved * b.cost > b.saved * a.cost; });
    const double budget = c_.recompute == Recompute::all ? step : time_share * step;
    double spent = 0;
    for (const Bargain& b : bargains) {
      // What was chosen before may have been what this one counted on.
      std::set<NodeId> copies;
      if (spent + b.cost > budget || !can_run_again(b.value, last_read(b.value), copies, 3)) continue;
      again_.insert(b.value);
      spent += b.cost;
    }
  }

  /// The copy of a value for the backward pass; of what it is made from only what is not kept.
  ValueId make_again(ValueId v) {
    const auto made = copies_.find(v);
    if (made != copies_.end()) return made->second;
    const NodeId id = g_.value(v).producer;
    std::vector<ValueId> inputs = g_.node(id).inputs;
    for (ValueId& in : inputs) {
      const NodeId maker = g_.value(in).producer;
      const Node& m = g_.node(maker);
      const bool kept = is_boundary(m) || (again_.count(in) == 0 && (is_vector(in) || last_read(in) >= 0));
      const bool runs_again = again_.count(in) > 0 || marked_.count(maker) > 0 || is_cheap(m);
      if (!kept && runs_again && m.phase == graph::Phase::forward) in = make_again(in);
    }
    const Node node = g_.node(id);
    std::vector<tensor::TensorSpec> specs;
    for (ValueId out : node.outputs) specs.push_back(g_.value(out).spec);
    const NodeId copy = g_.add_node(node.op, inputs, specs, node.attrs, node.origin, graph::Phase::backward);
    Node& twin = g_.node(copy);
    twin.kernel = node.kernel;
    twin.scratch_bytes = node.scratch_bytes;
    twin.scratch_exact = node.scratch_exact;
    twin.may_alias = node.may_alias;
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      g_.value(twin.outputs[o]).layout = g_.value(node.outputs[o]).layout;
      copies_.emplace(node.outputs[o], twin.outputs[o]);
    }
    const ops::Cost cost = ops::cost_of(g_, g_.node(copy));
    c_.recomputed.flops += cost.flops;
    if (node.kernel != "view") c_.recomputed.traffic += cost.bytes;
    return copies_.at(v);
  }

  Compilation& c_;
  Graph& g_;
  std::vector<std::vector<NodeId>> consumers_;
  std::vector<int> position_;
  std::vector<int> last_read_;
  std::set<ValueId> again_;  // values that are not kept
  std::set<NodeId> marked_;  // nodes of the layers that the user marks
  std::map<ValueId, ValueId> copies_;
};

}  // namespace

void recompute(Compilation& c) {
  c.recomputed = {};
  if (!c.training) return;
  if (!c.recompute_layers.empty()) Recomputer(c).run_marked();
  if (c.recompute == Recompute::none) return;
  const Graph before = c.graph;
  const RecomputeReport marked = c.recomputed;
  Recomputer(c).run_cheap();
  if (c.recompute == Recompute::all || c.recomputed.values == marked.values) return;
  // Kept values that are not there when memory is scarcest cost nothing.
  const auto peak = static_cast<double>(estimate_peak(before));
  if (peak - static_cast<double>(estimate_peak(c.graph)) >= memory_share * peak) return;
  c.graph = before;
  c.recomputed = marked;
}

}  // namespace lbann::passes
