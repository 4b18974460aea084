// The memory plan judged by an independent replay: every buffer is filled by its writer and must
// still hold its writer's mark when each reader comes. No arithmetic of the planner is reused.
#include <boost/test/unit_test.hpp>

#include <map>
#include <set>

#include "small_model.hpp"

namespace {

using namespace lbann;
using passes::Space;

/// Replays the order over one byte map of the arena: who wrote each byte last?
void replay(const passes::Compilation& c) {
  const graph::Graph& g = c.graph;
  std::vector<int> owner(static_cast<std::size_t>(c.memory.arena_bytes), -1);
  std::map<graph::ValueId, int> weight_owner;  // boundary -> value last written there
  const auto slot = [&](graph::ValueId v) { return c.memory.values[static_cast<std::size_t>(v)]; };
  const auto holds = [&](graph::ValueId v, graph::ValueId wanted) {
    const passes::Slot s = slot(v);
    for (std::int64_t b = s.offset; b < s.offset + s.bytes; ++b) {
      if (owner[static_cast<std::size_t>(b)] != wanted) return false;
    }
    return true;
  };
  std::map<graph::ValueId, graph::ValueId> written_as;  // views hold what their operand holds
  // Weights hold their old contents when the step begins, wherever their nodes stand.
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op != "weight") continue;
    weight_owner[n.outputs[0]] = n.outputs[0];
    written_as[n.outputs[0]] = n.outputs[0];
  }
  for (graph::NodeId id : g.order) {
    const graph::Node& n = g.node(id);
    if (n.op == "weight" || n.op == "input") continue;
    for (graph::ValueId v : n.inputs) {
      const passes::Slot s = slot(v);
      if (s.space == Space::arena) {
        BOOST_CHECK_MESSAGE(holds(v, written_as.at(v)),
                            n.op << " reads %" << v << " after it was overwritten");
      }
      if (s.space == Space::weight) {
        const int last = weight_owner.at(static_cast<int>(s.offset));
        BOOST_CHECK_MESSAGE(last == written_as.at(v),
                            n.op << " reads weight value %" << v << " after its update");
      }
    }
    if (n.scratch_bytes > 0) {
      const std::int64_t at = c.memory.scratch_offset[static_cast<std::size_t>(id)];
      BOOST_REQUIRE_GE(at, 0);
      BOOST_REQUIRE_LE(at + n.scratch_bytes, c.memory.arena_bytes);
      for (graph::ValueId v : n.inputs) {
        const passes::Slot s = slot(v);
        const bool apart =
            s.space != Space::arena || s.offset + s.bytes <= at || at + n.scratch_bytes <= s.offset;
        BOOST_CHECK_MESSAGE(apart, n.op << ": scratch overlaps an operand");
      }
    }
    for (graph::ValueId v : n.outputs) {
      const passes::Slot s = slot(v);
      BOOST_CHECK_EQUAL(s.offset % passes::buffer_alignment == 0 || s.space != Space::arena, true);
      const bool view = n.kernel == "view" && slot(n.inputs[0]).storage == s.storage;
      written_as[v] = view && written_as.count(n.inputs[0]) > 0 ? written_as.at(n.inputs[0]) : v;
      if (view) continue;
      if (s.space == Space::weight) weight_owner[static_cast<int>(s.offset)] = v;
      if (s.space == Space::arena) {
        BOOST_REQUIRE_LE(s.offset + s.bytes, c.memory.arena_bytes);
        for (std::int64_t b = s.offset; b < s.offset + s.bytes; ++b) owner[static_cast<std::size_t>(b)] = v;
      }
    }
  }
  for (const graph::Output& o : g.outputs) {
    if (slot(o.value).space == Space::arena) {
      BOOST_CHECK_MESSAGE(holds(o.value, written_as.at(o.value)), "output " << o.name << " is overwritten");
    }
  }
  for (const graph::Assignment& a : g.assignments) {
    BOOST_CHECK_MESSAGE(weight_owner.at(a.target) == a.value, "an assignment does not reach its weight");
  }
}

passes::Compilation compiled(passes::Commit commit, std::set<std::string> disabled) {
  static const auto catalogue = passes::make_reference_catalogue();
  passes::Compilation c = small_model::make(tensor::DataType::f32, 5);
  c.catalogue = catalogue.get();
  c.commit = commit;
  c.disabled = std::move(disabled);
  passes::compile(c);
  return c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_reader_finds_what_its_writer_left) {
  for (const passes::Commit commit : {passes::Commit::eager, passes::Commit::committed}) {
    replay(compiled(commit, {}));
    for (const passes::Pass& p : passes::all_passes()) {
      if (!p.required) replay(compiled(commit, {p.name}));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_arena_is_smaller_than_the_sum_of_its_values) {
  const passes::Compilation c = compiled(passes::Commit::eager, {});
  BOOST_CHECK_LT(c.memory.arena_bytes, c.memory.sum_of_values_bytes);
  BOOST_CHECK(c.memory.exact);
  // w1, w2, scale, bias in float with padding to 64 bytes; velocities of all four and the running mean.
  BOOST_CHECK_EQUAL(c.memory.weight_bytes, 192 + 128 + 64 + 64);
  BOOST_CHECK_EQUAL(c.memory.state_bytes, 192 + 128 + 64 + 64 + 64);
}

BOOST_AUTO_TEST_CASE(a_value_that_two_weights_become_is_copied) {
  static const auto catalogue = passes::make_reference_catalogue();
  passes::Compilation c = small_model::make(tensor::DataType::f32, 3);
  ops::Builder b(c.graph);
  const graph::ValueId twin = b.weight("twin", {tensor::DataType::f32, tensor::Shape{8}, {}}, "state");
  c.graph.assignments.push_back({twin, c.graph.assignments.front().value});
  c.catalogue = catalogue.get();
  passes::compile(c);
  replay(c);
}
