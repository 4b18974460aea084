// Replays a step with a look at every result before its buffer is reused.
#include "train/bad_value.hpp"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace lbann::train {
namespace {

template <typename T>
bool has_bad(const void* data, std::int64_t count) {
  const T* x = static_cast<const T*>(data);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(x[i])) return true;
  }
  return false;
}

bool is_bad(const runtime::Runner& runner, graph::ValueId v) {
  const graph::Value& value = runner.plan().graph().value(v);
  const std::int64_t count = value.layout.storage_elements(value.spec.shape);
  if (value.spec.type == tensor::DataType::f32) return has_bad<float>(runner.address(v), count);
  if (value.spec.type == tensor::DataType::f64) return has_bad<double>(runner.address(v), count);
  return false;
}

std::string_view phase_name(graph::Phase phase) {
  return phase == graph::Phase::forward ? "forward" : phase == graph::Phase::backward ? "backward" : "update";
}

}  // namespace

std::string find_first_bad_value(runtime::Runner& runner) {
  const graph::Graph& g = runner.plan().graph();
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op != "weight" && n.op != "input") continue;
    if (runner.address(n.outputs[0]) != nullptr && is_bad(runner, n.outputs[0])) {
      return fmt::format("{} '{}' holds it already", n.op == "weight" ? "weights" : "data field",
                         n.attrs.get_text("name"));
    }
  }
  std::string found;
  runner.set_observer([&](graph::NodeId id) {
    if (!found.empty()) return;
    const graph::Node& n = g.node(id);
    for (graph::ValueId v : n.outputs) {
      if (!is_bad(runner, v)) continue;
      const graph::Origin& origin = g.origins[static_cast<std::size_t>(n.origin)];
      found =
          fmt::format("first seen in layer '{}' ({}), {}", origin.layer, origin.kind, phase_name(n.phase));
      return;
    }
  });
  runner.run();
  runner.set_observer({});
  return found.empty() ? "no single tensor of the step shows it" : found;
}

}  // namespace lbann::train
