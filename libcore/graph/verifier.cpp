// Structural checks, linear in the graph's size.
#include "graph/verifier.hpp"

#include <set>
#include <string_view>

#include <fmt/format.h>

#include "graph/printer.hpp"

namespace lbann::graph {
namespace {

bool same_spec(const tensor::TensorSpec& a, const tensor::TensorSpec& b) {
  const bool same_place =
      a.placement == b.placement || (a.placement.is_replicated() && b.placement.is_replicated());
  return a.type == b.type && a.shape == b.shape && same_place;
}

class Verifier {
public:
  explicit Verifier(const Graph& g) : g_(g) {}

  void check() {
    if (g_.origins.empty()) complain("no origin");
    check_order();
    for (NodeId id : g_.order) {
      if (g_.node(id).dead) continue;
      check_inputs(id);
      check_outputs(id);
      check_annotations(id);
    }
    check_values();
    check_results();
  }

private:
  [[noreturn]] void complain(const std::string& what) const {
    throw base::Error(base::ExitCode::internal, fmt::format("graph '{}': {}", g_.name, what));
  }
  [[noreturn]] void complain(NodeId id, const std::string& what) const {
    complain(fmt::format("{}: {}", describe_node(g_, id), what));
  }
  bool has_value(ValueId v) const { return v >= 0 && static_cast<std::size_t>(v) < g_.values.size(); }
  bool has_node(NodeId n) const { return n >= 0 && static_cast<std::size_t>(n) < g_.nodes.size(); }

  void check_order() {
    std::vector<bool> seen(g_.nodes.size(), false);
    for (NodeId id : g_.order) {
      if (!has_node(id)) complain(fmt::format("order names node {} of {}", id, g_.nodes.size()));
      if (g_.node(id).dead) continue;
      if (seen[static_cast<std::size_t>(id)]) complain(id, "stands twice in the order");
      seen[static_cast<std::size_t>(id)] = true;
    }
    for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
      if (!g_.nodes[i].dead && !seen[i]) complain(static_cast<NodeId>(i), "is not in the order");
    }
    available_.assign(g_.values.size(), false);
  }

  void check_inputs(NodeId id) {
    const Node& n = g_.node(id);
    if (n.op.empty()) complain(id, "has no primitive");
    if (n.origin < 0 || static_cast<std::size_t>(n.origin) >= g_.origins.size()) {
      complain(id, fmt::format("origin {} of {}", n.origin, g_.origins.size()));
    }
    for (ValueId v : n.inputs) {
      if (!has_value(v)) complain(id, fmt::format("uses value {} of {}", v, g_.values.size()));
      const NodeId producer = g_.value(v).producer;
      if (!has_node(producer)) complain(id, fmt::format("uses %{}, which nothing produces", v));
      if (g_.node(producer).dead) {
        complain(id, fmt::format("uses %{} of the dead node {}", v, describe_node(g_, producer)));
      }
      if (!available_[static_cast<std::size_t>(v)]) {
        complain(id, fmt::format("uses %{} before {} has produced it", v, describe_node(g_, producer)));
      }
    }
  }

  void check_outputs(NodeId id) {
    const Node& n = g_.node(id);
    if (n.outputs.empty()) complain(id, "has no output");
    for (std::size_t i = 0; i < n.outputs.size(); ++i) {
      const ValueId v = n.outputs[i];
      if (!has_value(v)) complain(id, fmt::format("produces value {} of {}", v, g_.values.size()));
      if (available_[static_cast<std::size_t>(v)]) complain(id, fmt::format("produces %{} a second time", v));
      available_[static_cast<std::size_t>(v)] = true;
      const Value& value = g_.value(v);
      if (value.producer != id || value.output != static_cast<int>(i)) {
        complain(id, fmt::format("produces %{}, which names output {} of node {} as its producer", v,
                                 value.output, value.producer));
      }
      for (std::int64_t d : value.spec.shape.dims()) {
        if (d < 0) complain(id, fmt::format("%{} has shape {}", v, value.spec.shape.to_string()));
      }
      for (const tensor::AxisPlacement& p : value.spec.placement.axes) {
        const bool shard = p.kind == tensor::PlacementKind::shard;
        if (shard && (p.dim < 0 || p.dim >= value.spec.shape.rank())) {
          complain(id, fmt::format("%{} of rank {} is sharded on dim {}", v, value.spec.shape.rank(), p.dim));
        }
      }
      if (value.layout.rank() != value.spec.shape.rank()) {
        complain(id, fmt::format("%{} has rank {} and layout '{}'", v, value.spec.shape.rank(),
                                 value.layout.tag()));
      }
    }
  }

  void check_annotations(NodeId id) {
    const Node& n = g_.node(id);
    if (n.scratch_bytes < 0) complain(id, fmt::format("{} bytes of scratch", n.scratch_bytes));
    if (n.may_alias.empty()) return;
    if (n.may_alias.size() != n.outputs.size()) {
      complain(id,
               fmt::format("{} entries of may_alias for {} outputs", n.may_alias.size(), n.outputs.size()));
    }
    for (int input : n.may_alias) {
      if (input < none || input >= static_cast<int>(n.inputs.size())) {
        complain(id, fmt::format("may_alias names operand {} of {}", input, n.inputs.size()));
      }
    }
  }

  // No value may claim a producer that does not know it.
  void check_values() const {
    for (std::size_t i = 0; i < g_.values.size(); ++i) {
      const Value& value = g_.values[i];
      if (value.producer == none) continue;
      if (!has_node(value.producer)) {
        complain(fmt::format("%{} names node {} of {} as its producer", i, value.producer, g_.nodes.size()));
      }
      const Node& n = g_.node(value.producer);
      const bool listed = value.output >= 0 && static_cast<std::size_t>(value.output) < n.outputs.size() &&
                          n.outputs[static_cast<std::size_t>(value.output)] == static_cast<ValueId>(i);
      if (!n.dead && !listed) {
        complain(value.producer, fmt::format("is not the producer of %{}, which names it", i));
      }
    }
  }

  void check_result(ValueId v, const std::string& what) const {
    if (!has_value(v)) complain(fmt::format("{} is value {} of {}", what, v, g_.values.size()));
    if (!available_[static_cast<std::size_t>(v)])
      complain(fmt::format("{}: no live node produces %{}", what, v));
  }

  void check_results() const {
    std::set<std::string_view> names;
    for (const Output& o : g_.outputs) {
      check_result(o.value, fmt::format("output '{}'", o.name));
      if (o.name.empty()) complain(fmt::format("output %{} has no name", o.value));
      if (!names.insert(o.name).second) complain(fmt::format("two outputs are named '{}'", o.name));
    }
    std::set<ValueId> targets;
    for (const Assignment& a : g_.assignments) {
      check_result(a.target, "an assignment's target");
      check_result(a.value, fmt::format("the new value of %{}", a.target));
      const NodeId target = g_.value(a.target).producer;
      if (g_.node(target).op != "weight")
        complain(target, fmt::format("%{} is assigned but is no weight", a.target));
      if (!targets.insert(a.target).second) complain(target, fmt::format("%{} is assigned twice", a.target));
      const tensor::TensorSpec &to = g_.value(a.target).spec, &from = g_.value(a.value).spec;
      if (!same_spec(to, from)) {
        complain(target, fmt::format("%{} of {} is assigned %{} of {}", a.target, to.to_string(), a.value,
                                     from.to_string()));
      }
    }
  }

  const Graph& g_;
  std::vector<bool> available_;  // produced by a live node so far
};

}  // namespace

void check_graph(const Graph& g) { Verifier(g).check(); }

}  // namespace lbann::graph
