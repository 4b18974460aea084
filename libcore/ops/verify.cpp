// Semantic checks, by inferring every node again.
#include "ops/verify.hpp"

#include <fmt/format.h>

#include "graph/printer.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

void check_boundary(const graph::Graph& g, const graph::Node& n) {
  if (!n.inputs.empty() || n.outputs.size() != 1) {
    fail(fmt::format("{} operands and {} outputs, expected 0 and 1", n.inputs.size(), n.outputs.size()));
  }
  if (n.attrs.get_text("name").empty()) fail("no name");
  if (n.op == "weight") {
    const std::string& role = n.attrs.get_text("role");
    if (role != "weight" && role != "state") fail(fmt::format("unknown role '{}'", role));
  }
  check_dims(n.op, g.shape(n.outputs[0]).dims());
}

bool same_placement(const tensor::Placement& a, const tensor::Placement& b) {
  return a == b || (a.is_replicated() && b.is_replicated());
}

void check_node(const graph::Graph& g, const graph::Node& n) {
  if (!op(n.op).infer) return check_boundary(g, n);
  const Specs expected = infer_outputs(g, n);
  if (expected.size() != n.outputs.size()) {
    fail(fmt::format("{} outputs, expected {}", n.outputs.size(), expected.size()));
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const tensor::TensorSpec& found = g.value(n.outputs[i]).spec;
    if (found.type != expected[i].type || found.shape != expected[i].shape ||
        !same_placement(found.placement, expected[i].placement)) {
      fail(fmt::format("%{} is {}, expected {}", n.outputs[i], found.to_string(), expected[i].to_string()));
    }
  }
}

}  // namespace

void check_ops(const graph::Graph& g) {
  for (graph::NodeId id : g.order) {
    if (g.node(id).dead) continue;
    std::string reason;
    try {
      check_node(g, g.node(id));
      continue;
    } catch (const base::Error& e) {
      reason = e.what();
    } catch (const InferError& e) {
      reason = fmt::format("{} [{}]", e.message, e.id);
    }
    fail(fmt::format("graph '{}': {}: {}", g.name, graph::describe_node(g, id), reason));
  }
}

}  // namespace lbann::ops
