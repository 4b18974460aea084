// project: from the global program to what one rank does.
//
// Shapes become those of the rank's pieces and placements disappear; collectives learn their group, this
// rank's place in it and everybody's lengths. What a placement rule promised is kept here:
//
//   mean over a sharded dim       local sum over the count of all ranks
//   max, min over a sharded dim   local, then a collective maximum
//   all_finite of shards          local, then a collective minimum
//   norm_stats of a shard         mean = sum_r n_r/N mean_r;  var = sum_r n_r/N (var_r + (mean_r - mean)^2)
//   local_slice of fill, expand, random    only the piece is made
//
// Pieces may be empty (fewer samples than ranks): a node without elements to write is not run, and one that
// sums over no elements gives zeros. Every message of the global program keeps its number ("sequence"), also
// on ranks that have nothing to say, so that all ranks issue them in one order.
#include <algorithm>
#include <limits>

#include "ops/builder.hpp"
#include "passes/passes.hpp"
#include "tensor/partition.hpp"

namespace lbann::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using tensor::AxisPlacement;
using tensor::PlacementKind;
using tensor::Shape;
using tensor::TensorSpec;

class Projection {
public:
  explicit Projection(Compilation& c) : c_(c), g_(c.graph), b_(g_) {}

  void run() {
    for (graph::Value& v : g_.values) {
      global_.push_back(v.spec);
      v.spec = {v.spec.type, tensor::local_shape(v.spec.shape, v.spec.placement, c_.mesh, c_.rank), {}};
    }
    const std::vector<NodeId> order = g_.order;
    for (std::size_t p = 0; p < order.size(); ++p) {
      sequence_ = static_cast<std::int64_t>(p) * 8;
      const Node n = g_.node(order[p]);
      if (n.op == "input" || n.op == "weight") continue;
      b_.set_origin(n.origin);
      b_.set_phase(n.phase);
      project(order[p], n);
    }
    g_.sort();
    g_.remove_unused();
    g_.sort();
    g_.compact();
  }

private:
  const Shape& local(ValueId v) const { return g_.shape(v); }
  const TensorSpec& global(ValueId v) const { return global_[static_cast<std::size_t>(v)]; }
  bool is_empty(ValueId v) const { return local(v).num_elements() == 0; }
  /// Empty on this rank only: the whole tensor is not.
  bool has_no_piece(ValueId v) const { return is_empty(v) && global(v).shape.num_elements() > 0; }
  AxisPlacement on_axis(ValueId v, std::size_t axis) const {
    const auto& axes = global(v).placement.axes;
    return axis < axes.size() ? axes[axis] : AxisPlacement{};
  }

  void replace(NodeId id, const std::vector<ValueId>& results) {
    const Node n = g_.node(id);
    g_.node(id).dead = true;
    for (std::size_t v = global_.size(); v < g_.values.size(); ++v) global_.push_back(g_.values[v].spec);
    for (std::size_t o = 0; o < n.outputs.size(); ++o) {
      global_[static_cast<std::size_t>(results[o])] = global_[static_cast<std::size_t>(n.outputs[o])];
    }
    for (std::size_t o = 0; o < n.outputs.size(); ++o) g_.replace_uses(n.outputs[o], results[o]);
  }

  ValueId constant(double value, ValueId like) { return b_.fill(value, g_.value(like).spec); }

  void project(NodeId id, const Node& n) {
    if (n.op == "local_slice") return project_slice(id, n);
    if (ops::is_collective(n.op)) return project_collective(id, n);
    if (n.op == "reduce" && project_reduce(id, n)) return;
    if (n.op == "all_finite" && project_all_finite(id, n)) return;
    if (n.op == "norm_stats" && project_norm_stats(id, n)) return;
    if (project_empty(id, n)) return;
    for (const char* name : {"dims", "input_dims", "kernel_dims"}) {
      if (n.attrs.has(name)) g_.node(id).attrs.set(name, local(n.outputs[0]).dims());
    }
  }

  // --- collectives

  void set_group(graph::Attrs& attrs, int axis) {
    attrs.set("group", c_.mesh.group(c_.rank, axis));
    attrs.set("member", std::int64_t{c_.mesh.coordinate(c_.rank, axis)});
    attrs.set("sequence", sequence_++);
  }

  std::vector<std::int64_t> lengths(const Shape& whole, const graph::Attrs& attrs, const char* dim,
                                    const char* unit, int axis) const {
    return tensor::cut_lengths(whole[static_cast<int>(attrs.get_int(dim))], attrs.get_int(unit, 1),
                               c_.mesh.axes[static_cast<std::size_t>(axis)].size);
  }

  void project_collective(NodeId id, const Node& n) {
    const int axis = static_cast<int>(n.attrs.get_int("mesh_axis"));
    graph::Attrs& attrs = g_.node(id).attrs;
    set_group(attrs, axis);
    const Shape &x = local(n.inputs[0]), &y = local(n.outputs[0]);
    if (n.op == "reduce_scatter") attrs.set("extents", lengths(x, n.attrs, "dim", "unit", axis));
    if (n.op == "all_gather") attrs.set("extents", lengths(y, n.attrs, "dim", "unit", axis));
    if (n.op == "all_to_all") {
      attrs.set("from_extents", lengths(y, n.attrs, "from", "from_unit", axis));
      attrs.set("to_extents", lengths(x, n.attrs, "to", "to_unit", axis));
    }
    for (const char* name : {"mesh_axis", "unit", "from_unit", "to_unit", "gradient"}) attrs.erase(name);
  }

  /// Sums (or takes the maximum, minimum) over the ranks along every axis where the node's operands are cut.
  ValueId combine(ValueId v, const char* fn, const std::vector<int>& axes) {
    for (int axis : axes) {
      graph::Attrs attrs{{"fn", std::string(fn)}};
      set_group(attrs, axis);
      v = b_.add("all_reduce", {v}, std::move(attrs));
    }
    return v;
  }

  void project_slice(NodeId id, const Node& n) {
    const auto axis = static_cast<std::size_t>(n.attrs.get_int("mesh_axis"));
    const int dim = static_cast<int>(n.attrs.get_int("dim"));
    const ValueId x = n.inputs[0];
    const tensor::Range piece =
        tensor::cut(local(x)[dim], n.attrs.get_int("unit", 1), c_.mesh.axes[axis].size,
                    c_.mesh.coordinate(c_.rank, static_cast<int>(axis)));
    const Node source = g_.producer(x);
    const Shape shape = local(n.outputs[0]);
    if (is_empty(n.outputs[0])) return replace(id, {constant(0, n.outputs[0])});
    if (source.op == "fill" || (source.op == "expand" && local(source.inputs[0])[dim] == 1)) {
      graph::Attrs attrs = source.attrs;
      attrs.set("dims", shape.dims());
      return replace(id, {b_.add(source.op, source.inputs, std::move(attrs))});
    }
    std::int64_t before = 1, behind = 1;
    for (int d = 0; d < shape.rank(); ++d) {
      if (d < dim) before *= shape[d];
      if (d > dim) behind *= shape[d];
    }
    if (source.op == "random" && before == 1) {
      graph::Attrs attrs = source.attrs;
      attrs.set("dims", shape.dims());
      attrs.set("first", source.attrs.get_int("first", 0) + piece.begin * behind);
      return replace(id, {b_.add("random", source.inputs, std::move(attrs))});
    }
    replace(id, {b_.add("slice", {x},
                        {{"axis", std::int64_t{dim}}, {"start", piece.begin}, {"stop", piece.end}})});
  }

  // --- what rules promised

  /// Mesh axes that cut one of the dims named in this operand.
  std::vector<int> cut_axes(ValueId v, const std::vector<std::int64_t>& dims) const {
    std::vector<int> result;
    for (std::size_t a = 0; a < c_.mesh.axes.size(); ++a) {
      const AxisPlacement p = on_axis(v, a);
      const bool cut =
          p.kind == PlacementKind::shard && std::find(dims.begin(), dims.end(), p.dim) != dims.end();
      if (cut && c_.mesh.axes[a].size > 1) result.push_back(static_cast<int>(a));
    }
    return result;
  }

  bool project_reduce(NodeId id, const Node& n) {
    const std::string& fn = n.attrs.get_text("fn");
    const std::vector<int> axes = cut_axes(n.inputs[0], n.attrs.get_ints("axes"));
    if (axes.empty() || fn == "sum") return false;
    const ValueId x = n.inputs[0], y = n.outputs[0];
    if (is_empty(y)) return false;
    if (fn == "mean") {
      const double count = static_cast<double>(global(x).shape.num_elements()) /
                           static_cast<double>(global(y).shape.num_elements());
      const ValueId sum = is_empty(x) ? constant(0, y) : b_.reduce("sum", x, n.attrs.get_ints("axes"));
      replace(id, {b_.scale(sum, 1 / count)});
      return true;
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const ValueId own = is_empty(x) ? constant(fn == "max" ? -infinity : infinity, y)
                                    : b_.reduce(fn, x, n.attrs.get_ints("axes"));
    replace(id, {combine(own, fn.c_str(), axes)});
    return true;
  }

  bool project_all_finite(NodeId id, const Node& n) {
    std::vector<int> axes;
    std::vector<ValueId> pieces;
    for (std::size_t a = 0; a < c_.mesh.axes.size(); ++a) {
      const bool cut = std::any_of(n.inputs.begin(), n.inputs.end(),
                                   [&](ValueId v) { return on_axis(v, a).kind == PlacementKind::shard; });
      if (cut) axes.push_back(static_cast<int>(a));
    }
    if (axes.empty()) return false;
    for (ValueId v : n.inputs) {
      if (!is_empty(v)) pieces.push_back(v);
    }
    const ValueId own = pieces.empty() ? constant(1, n.outputs[0]) : b_.add("all_finite", pieces);
    replace(id, {combine(own, "min", axes)});
    return true;
  }

  bool project_norm_stats(NodeId id, const Node& n) {
    const ValueId x = n.inputs[0];
    std::vector<std::int64_t> summed;
    for (int d = 0; d < local(x).rank(); ++d) {
      if (d != 1) summed.push_back(d);
    }
    const std::vector<int> axes = cut_axes(x, summed);
    if (axes.empty()) return false;
    double own_count = 1, count = 1;
    for (std::int64_t d : summed) {
      own_count *= static_cast<double>(local(x)[static_cast<int>(d)]);
      count *= static_cast<double>(global(x).shape[static_cast<int>(d)]);
    }
    std::vector<ValueId> own;
    if (own_count > 0 && !is_empty(n.outputs[0])) {
      own = b_.add_n("norm_stats", {x});
    } else {
      own = {constant(0, n.outputs[0]), constant(0, n.outputs[1])};
    }
    const double share = own_count / count;
    const ValueId mean = combine(b_.scale(own[0], share), "sum", axes);
    const ValueId shift = b_.ewise("sub", {own[0], mean});
    const ValueId spread = b_.add2(own[1], b_.ewise("mul", {shift, shift}));
    replace(id, {mean, combine(b_.scale(spread, share), "sum", axes)});
    return true;
  }

  // --- empty pieces

  bool project_empty(NodeId id, const Node& n) {
    const bool writes_nothing =
        std::all_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return is_empty(v); }) &&
        std::any_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return has_no_piece(v); });
    const bool reads_nothing =
        std::any_of(n.inputs.begin(), n.inputs.end(), [&](ValueId v) { return has_no_piece(v); });
    if (!writes_nothing && !reads_nothing) return false;
    std::vector<ValueId> zeros;
    for (ValueId v : n.outputs) zeros.push_back(constant(0, v));
    replace(id, zeros);
    return true;
  }

  Compilation& c_;
  Graph& g_;
  ops::Builder b_;
  std::vector<TensorSpec> global_;
  std::int64_t sequence_ = 0;
};

}  // namespace

void project(Compilation& c) {
  if (c.mesh.num_ranks() == 1) return;
  if (c.rank < 0 || c.rank >= c.mesh.num_ranks()) {
    throw base::Error(base::ExitCode::internal, "project: no such rank: " + std::to_string(c.rank) + " of " +
                                                    std::to_string(c.mesh.num_ranks()));
  }
  Projection(c).run();
}

}  // namespace lbann::passes
