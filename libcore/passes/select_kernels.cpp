// select_kernels: one kernel per node and the layout of every value, together.
//
// Nodes are visited in order, forward first. For each the catalogue offers candidates; the cheapest
// counts its own estimated time plus the reorders its operands would need (a copy that already
// exists in the wanted layout is free). A weight takes the layout of the first kernel that reads it
// (the forward one; the catalogue offers first what suits the backward kernels too) unless another
// plan owns the layout. Gradients are asked to come out as their weight lies, so that the update
// runs on kernel layouts and nothing is converted back and forth.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "ops/builder.hpp"
#include "passes/comm_candidate.hpp"
#include "passes/passes.hpp"
#include "tensor/layout_walk.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using tensor::Layout;

/// Time of a layout conversion, for comparing candidates: bytes read and written, padding included, at
/// the rate measured for blocked <-> plain within the cache.
double conversion_ms(const graph::Value& v, const Layout& from, const Layout& to) {
  constexpr double bytes_per_ms = 3.0e7;
  const double elements =
      static_cast<double>(from.storage_elements(v.spec.shape) + to.storage_elements(v.spec.shape));
  return 0.003 + elements * tensor::size_bytes(v.spec.type) / bytes_per_ms;
}

class Selector {
public:
  explicit Selector(Compilation& c) : c_(c), g_(c.graph), consumers_(g_.consumers()) {
    chosen_.assign(g_.values.size(), true);
  }

  void run() {
    prepare_boundaries();
    const std::vector<NodeId> order = g_.order;
    for (NodeId id : order) {
      if (g_.node(id).op == "input" || g_.node(id).op == "weight") continue;
      select(id);
    }
    match_assignments();
    g_.sort();
  }

private:
  void prepare_boundaries() {
    for (NodeId id : g_.order) {
      const Node& n = g_.node(id);
      if (n.op != "weight") continue;
      const ValueId v = n.outputs[0];
      const auto given = c_.weight_layouts.find(n.attrs.get_text("name"));
      if (given != c_.weight_layouts.end()) {
        g_.value(v).layout = given->second;
      } else {
        chosen_[static_cast<std::size_t>(v)] = false;
        if (n.attrs.has("of")) states_of_[n.attrs.get_text("of")].push_back(v);
      }
    }
  }

  bool is_chosen(ValueId v) const {
    return static_cast<std::size_t>(v) >= chosen_.size() || chosen_[static_cast<std::size_t>(v)];
  }

  /// The layout an update wants for its gradient, followed through same-shape elementwise nodes.
  Layout wanted_layout(ValueId v, int depth = 0) const {
    if (depth > 4 || static_cast<std::size_t>(v) >= consumers_.size()) return {};
    for (NodeId user : consumers_[static_cast<std::size_t>(v)]) {
      const Node& n = g_.node(user);
      if (n.op == "update" && n.inputs[1] == v && is_chosen(n.inputs[0])) return g_.value(n.inputs[0]).layout;
      if (n.op == "all_reduce") {
        const auto i = std::find(n.inputs.begin(), n.inputs.end(), v) - n.inputs.begin();
        const Layout layout = wanted_layout(n.outputs[static_cast<std::size_t>(i)], depth + 1);
        if (layout.rank() > 0) return layout;
      }
      if (n.op == "ewise" && g_.shape(n.outputs[0]) == g_.shape(v)) {
        const Layout layout = wanted_layout(n.outputs[0], depth + 1);
        if (layout.rank() > 0) return layout;
      }
    }
    return {};
  }

  /// What random numbers are combined with; their own layout is free.
  Layout partner_layout(const Node& random) const {
    const ValueId y = random.outputs[0];
    for (NodeId user : consumers_[static_cast<std::size_t>(y)]) {
      for (ValueId v : g_.node(user).inputs) {
        if (v != y && g_.node(user).op == "ewise" && g_.shape(v) == g_.shape(y) && is_chosen(v))
          return g_.value(v).layout;
      }
    }
    return {};
  }

  /// The backward twin that can use what a pooling saves: same input and attributes.
  NodeId find_pool_twin(const Node& n) const {
    if (n.op != "pool" || n.attrs.get_text("mode") != "max") return graph::none;
    NodeId twin = graph::none;
    for (NodeId user : consumers_[static_cast<std::size_t>(n.inputs[0])]) {
      const Node& u = g_.node(user);
      if (u.op != "pool_bwd" || u.inputs.size() != 2 || u.inputs[1] != n.inputs[0]) continue;
      bool same = true;
      for (const char* name : {"window", "strides", "pads"}) {
        same &= u.attrs.get_ints(name) == n.attrs.get_ints(name);
      }
      if (same) twin = user;
    }
    return twin;
  }

  bool lies_like(ValueId v, const Layout& layout) const {
    return tensor::same_storage(g_.shape(v), g_.value(v).layout, layout);
  }

  double reorder_ms(ValueId v, const Layout& to) const {
    if (!is_chosen(v) || lies_like(v, to) || copies_.count({v, to.tag()}) > 0) return 0;
    return conversion_ms(g_.value(v), g_.value(v).layout, to);
  }

  ValueId reordered(ValueId v, const Layout& to, const Node& user) {
    if (!is_chosen(v)) {
      choose_weight(v, to);
      return v;
    }
    if (g_.value(v).layout == to) return v;
    const auto existing = copies_.find({v, to.tag()});
    if (existing != copies_.end()) return existing->second;
    const tensor::TensorSpec spec = g_.value(v).spec;
    const NodeId id = g_.add_node("reorder", {v}, {spec}, {}, user.origin, user.phase);
    const ValueId copy = g_.node(id).outputs[0];
    g_.value(copy).layout = to;
    copies_[{v, to.tag()}] = copy;
    if (lies_like(v, to)) {  // another name for the same bytes
      g_.node(id).kernel = "view";
      g_.node(id).may_alias = {0};
      return copy;
    }
    const SelectContext context{g_, id, {g_.value(v).layout}, {to}};
    apply_kernel(id, pick_for_layouts(context));
    return copy;
  }

  /// The first candidate that takes exactly the layouts given (a reorder has no choice).
  KernelCandidate pick_for_layouts(const SelectContext& context) const {
    for (KernelCandidate& k : c_.catalogue->candidates(context)) {
      if (k.inputs[0] == context.inputs[0] && k.outputs[0] == context.wanted_outputs[0]) return k;
    }
    throw base::Error(base::ExitCode::internal,
                      fmt::format("no kernel reorders {} from {} to {}",
                                  g_.value(g_.node(context.node).inputs[0]).spec.to_string(),
                                  context.inputs[0].tag(), context.wanted_outputs[0].tag()));
  }

  void choose_weight(ValueId v, const Layout& layout) {
    g_.value(v).layout = layout;
    chosen_[static_cast<std::size_t>(v)] = true;
    const auto states = states_of_.find(g_.producer(v).attrs.get_text("name"));
    if (states == states_of_.end()) return;
    for (ValueId s : states->second) {
      g_.value(s).layout = layout;
      chosen_[static_cast<std::size_t>(s)] = true;
    }
  }

  void apply_kernel(NodeId id, const KernelCandidate& k) {
    Node& n = g_.node(id);
    n.kernel = k.kernel;
    n.scratch_bytes = k.scratch_bytes;
    n.scratch_exact = k.scratch_exact;
    n.may_alias = k.may_alias;
    for (std::size_t o = 0; o < n.outputs.size() && o < k.outputs.size(); ++o) {
      g_.value(n.outputs[o]).layout = k.outputs[o];
    }
  }

  void save_for_twin(NodeId id, NodeId twin, std::int64_t bytes) {
    Node& n = g_.node(id);
    n.attrs.set("saved", bytes);
    Node& t = g_.node(twin);
    t.attrs.set("saved", bytes);
    const ValueId saved = static_cast<ValueId>(g_.values.size());
    graph::Value value;
    value.spec = {tensor::DataType::u8, tensor::Shape{bytes}, {}};
    value.layout = Layout::plain(1);
    value.producer = id;
    value.output = 1;
    g_.values.push_back(std::move(value));
    n.outputs.push_back(saved);
    n.may_alias.resize(n.outputs.size(), -1);
    t.inputs = {t.inputs[0], saved};
  }

  void select(NodeId id) {
    const Node n = g_.node(id);
    SelectContext context{g_, id, {}, {}};
    for (ValueId v : n.inputs) context.inputs.push_back(is_chosen(v) ? g_.value(v).layout : Layout{});
    for (ValueId v : n.outputs) {
      context.wanted_outputs.push_back(n.op == "random" ? partner_layout(n) : wanted_layout(v));
    }
    const NodeId twin = c_.training ? find_pool_twin(n) : graph::none;
    context.wants_saved = twin != graph::none;

    const std::vector<KernelCandidate> offers = ops::is_collective(n.op)
                                                    ? std::vector{make_comm_candidate(context)}
                                                    : c_.catalogue->candidates(context);
    const KernelCandidate* best = nullptr;
    double best_ms = 0;
    for (const KernelCandidate& k : offers) {
      double ms = k.estimated_ms;
      for (std::size_t i = 0; i < n.inputs.size(); ++i) ms += reorder_ms(n.inputs[i], k.inputs[i]);
      for (std::size_t o = 0; o < n.outputs.size(); ++o) {
        const Layout& wanted = context.wanted_outputs[o];
        if (wanted.rank() > 0 && !tensor::same_storage(g_.shape(n.outputs[o]), wanted, k.outputs[o])) {
          ms += conversion_ms(g_.value(n.outputs[o]), k.outputs[o], wanted);
        }
      }
      if (best == nullptr || ms < best_ms) {
        best = &k;
        best_ms = ms;
      }
    }
    if (best == nullptr) {
      throw base::Error(base::ExitCode::internal, fmt::format("no kernel offered for '{}'", n.op));
    }
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      const ValueId v = reordered(n.inputs[i], best->inputs[i], n);
      g_.node(id).inputs[i] = v;
    }
    apply_kernel(id, *best);
    if (twin != graph::none && best->saved_bytes > 0) save_for_twin(id, twin, best->saved_bytes);
  }

  /// New contents must lie as their target; nobody chose a weight that only the host reads.
  void match_assignments() {
    for (std::size_t v = 0; v < chosen_.size(); ++v) chosen_[v] = true;
    for (graph::Assignment& a : g_.assignments) {
      const Node producer = g_.producer(a.value);
      a.value = reordered(a.value, g_.value(a.target).layout, producer);
    }
  }

  Compilation& c_;
  Graph& g_;
  std::vector<std::vector<NodeId>> consumers_;
  std::vector<bool> chosen_;  // false: a weight whose layout is still free
  std::map<std::string, std::vector<ValueId>> states_of_;
  std::map<std::pair<ValueId, std::string>, ValueId> copies_;
};

}  // namespace

void select_kernels(Compilation& c) {
  if (c.catalogue == nullptr) throw base::Error(base::ExitCode::internal, "no kernel catalogue");
  Selector(c).run();
}

}  // namespace lbann::passes
