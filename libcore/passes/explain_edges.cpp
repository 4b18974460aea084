// See explain_edges.hpp.
#include "passes/explain_edges.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

bool is_pointwise(const Node& n) { return n.op == "ewise" || n.op == "fused_ewise"; }
bool has_epilogue(const Node& n) { return n.op == "conv" || n.op == "matmul" || n.op == "norm_apply"; }
bool is_boundary(const Node& n) { return n.op == "weight" || n.op == "input"; }

std::size_t num_instructions(const Node& n) {
  if (n.op != "fused_ewise") return 1;
  const std::string& program = n.attrs.get_text("program");
  return static_cast<std::size_t>(std::count(program.begin(), program.end(), ';')) + 1;
}

std::string function_of(const Node& n) {
  return n.op == "fused_ewise" ? n.attrs.get_text("program") : n.attrs.get_text("fn");
}

class Explainer {
public:
  explicit Explainer(const Compilation& c) : c_(c), g_(c.graph), uses_(g_.num_uses()) {}

  std::vector<EdgeNote> run() {
    for (NodeId id : g_.order) {
      const Node& n = g_.node(id);
      if (is_boundary(n) || n.kernel == "view") continue;
      if (n.op == "reorder") {
        add(n.inputs[0], id, true, why_reordered(id));
        continue;
      }
      std::vector<ValueId> seen;
      for (ValueId v : n.inputs) {
        if (is_boundary(g_.producer(v)) || g_.shape(v).num_elements() < 64) continue;
        if (std::find(seen.begin(), seen.end(), v) != seen.end()) continue;
        seen.push_back(v);
        add(v, id, false, why_not_fused(v, id));
      }
    }
    return std::move(notes_);
  }

private:
  std::string name(NodeId id) const {
    const Node& n = g_.node(id);
    return fmt::format("{} of {}", n.op, g_.origins[static_cast<std::size_t>(n.origin)].layer);
  }

  void add(ValueId v, NodeId reader, bool reorder, std::string reason) {
    const graph::Value& value = g_.value(v);
    const auto elements = value.layout.rank() == value.spec.shape.rank()
                              ? value.layout.storage_elements(value.spec.shape)
                              : value.spec.shape.num_elements();
    notes_.push_back({v, name(value.producer), name(reader),
                      fmt::format("{}:{}", value.spec.to_string(), value.layout.tag()),
                      static_cast<double>(elements * tensor::size_bytes(value.spec.type)), reorder,
                      std::move(reason)});
  }

  std::string why_not_fused(ValueId v, NodeId reader) const {
    const Node& from = g_.producer(v);
    const Node& to = g_.node(reader);
    if (from.op == "reorder" || from.kernel == "view") return "comes from a change of layout or shape";
    if (is_pointwise(from) && is_pointwise(to)) return why_not_pointwise(v, reader);
    const bool keeps = from.phase == graph::Phase::forward && to.phase == graph::Phase::backward;
    if (keeps) return "kept from the forward for the backward pass";
    if (has_epilogue(from) && is_pointwise(to)) return why_no_epilogue(v, reader);
    if (to.op == "norm_stats" || to.op == "norm_bwd_stats")
      return "statistics of the mini-batch need all of it before anything can be normalised";
    if (from.op == "norm_stats" || from.op == "norm_bwd_stats" || from.op == "reduce")
      return "a sum is complete only at the end of its kernel";
    if (to.op == "update" || to.op == "update_rows") return "an update begins when its gradient is final";
    return fmt::format("no kernel does both {} and {}", from.op, to.op);
  }

  std::string why_not_pointwise(ValueId v, NodeId reader) const {
    const std::vector<ValueId>& in = g_.node(reader).inputs;
    const auto inside = static_cast<int>(std::count(in.begin(), in.end(), v));
    std::string why = why_not_in_loop(g_, v, reader, inside, uses_[static_cast<std::size_t>(v)]);
    if (!why.empty()) return why;
    const std::size_t instructions = num_instructions(g_.producer(v)) + num_instructions(g_.node(reader));
    const std::size_t operands = g_.producer(v).inputs.size() + in.size() - 1;
    if (instructions > max_loop_instructions || operands > max_loop_operands)
      return fmt::format("one loop would have {} operations and {} operands, at most {} and {} fit",
                         instructions, operands, max_loop_instructions, max_loop_operands);
    if (c_.disabled.count("fuse_elementwise") > 0) return "pass fuse_elementwise is disabled";
    return fmt::format("kernel {} or {} takes no part in fused loops", g_.producer(v).kernel,
                       g_.node(reader).kernel);
  }

  std::string why_no_epilogue(ValueId v, NodeId reader) const {
    const int uses = uses_[static_cast<std::size_t>(v)];
    const std::string function = function_of(g_.node(reader));
    if (uses > 1 && function == "relu") return fmt::format("the value itself is read {} times", uses);
    if (!g_.producer(v).attrs.get_text("act", "").empty()) return "its epilogue has an activation already";
    if (function == "relu") return "pass group_epilogues is disabled";
    return fmt::format("{} has an epilogue for relu, not for {}", g_.producer(v).op, function);
  }

  /// Asks the catalogue again what the reader would have taken.
  std::string why_reordered(NodeId id) const {
    const Node& n = g_.node(id);
    const ValueId from = n.inputs[0], to = n.outputs[0];
    const std::string tags = fmt::format("{} to {}", g_.value(from).layout.tag(), g_.value(to).layout.tag());
    for (NodeId user : g_.order) {
      const Node& u = g_.node(user);
      const auto at = std::find(u.inputs.begin(), u.inputs.end(), to);
      if (at == u.inputs.end() || u.op == "fused_ewise") continue;
      const auto operand = static_cast<std::size_t>(at - u.inputs.begin());
      return fmt::format("{}: {} of {} {}", tags, u.kernel,
                         g_.origins[static_cast<std::size_t>(u.origin)].layer,
                         offer_for(user, operand, g_.value(from).layout));
    }
    for (const graph::Assignment& a : g_.assignments) {
      if (a.value == to) return fmt::format("{}: the weight it becomes lies so", tags);
    }
    return fmt::format("{}: its reader wants it so", tags);
  }

  std::string offer_for(NodeId user, std::size_t operand, const tensor::Layout& layout) const {
    if (c_.catalogue == nullptr) return "wants it so";
    const Node& u = g_.node(user);
    SelectContext context{g_, user, {}, {}};
    for (ValueId v : u.inputs) context.inputs.push_back(g_.value(v).layout);
    context.inputs[operand] = layout;
    for (ValueId v : u.outputs) context.wanted_outputs.push_back(g_.value(v).layout);
    double chosen = -1, other = -1;
    std::string other_kernel;
    for (const KernelCandidate& k : c_.catalogue->candidates(context)) {
      if (operand >= k.inputs.size()) continue;
      const bool as_it_lies = k.inputs[operand] == layout;
      if (as_it_lies && k.kernel.rfind("ref.", 0) != 0 && (other < 0 || k.estimated_ms < other)) {
        other = k.estimated_ms;
        other_kernel = k.kernel;
      }
      if (!as_it_lies && k.kernel == u.kernel && (chosen < 0 || k.estimated_ms < chosen))
        chosen = k.estimated_ms;
    }
    if (other < 0) return "has no kernel that reads it as it lies";
    return fmt::format("reads it so, expected {:.3f} ms, against {:.3f} ms of {} as it lies", chosen, other,
                       other_kernel);
  }

  const Compilation& c_;
  const Graph& g_;
  std::vector<int> uses_;
  std::vector<EdgeNote> notes_;
};

}  // namespace

std::string why_not_in_loop(const Graph& g, ValueId v, NodeId reader, int inside, int uses) {
  const Node& from = g.producer(v);
  const Node& to = g.node(reader);
  const graph::Value& value = g.value(v);
  const graph::Value& result = g.value(to.outputs[0]);
  if (from.phase != to.phase) return "kept from one pass direction for another";
  if (!(value.spec.shape == result.spec.shape))
    return fmt::format("the loop runs over {}, not {}", result.spec.shape.to_string(),
                       value.spec.shape.to_string());
  if (!(value.layout == result.layout))
    return fmt::format("lies as {}, the loop runs over {}", value.layout.tag(), result.layout.tag());
  if (value.spec.type != result.spec.type)
    return fmt::format("is {}, the loop computes {}", tensor::to_string(value.spec.type),
                       tensor::to_string(result.spec.type));
  if (inside != uses) return fmt::format("has {} more readers outside the loop", uses - inside);
  return {};
}

std::vector<EdgeNote> explain_edges(const Compilation& c) { return Explainer(c).run(); }

}  // namespace lbann::passes
