// The table of all primitives, built once by explicit calls and never changed.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/diagnostic.hpp"
#include "ops/op_list.hpp"
#include "ops/operand_placement.hpp"
#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

const std::vector<OpDef>& table() {
  static const std::vector<OpDef> ops = {
      make_input_op(),          make_weight_op(),
      make_ewise_op(),          make_fused_ewise_op(),
      make_cast_op(),           make_fill_op(),
      make_reshape_op(),        make_permute_op(),
      make_slice_op(),          make_pad_op(),
      make_concat_op(),         make_expand_op(),
      make_reduce_op(),         make_arg_reduce_op(),
      make_softmax_op(),        make_softmax_bwd_op(),
      make_matmul_op(),         make_conv_op(),
      make_conv_bwd_data_op(),  make_conv_bwd_weights_op(),
      make_pool_op(),           make_pool_bwd_op(),
      make_norm_stats_op(),     make_norm_apply_op(),
      make_norm_bwd_stats_op(), make_norm_bwd_apply_op(),
      make_all_finite_op(),     make_update_op(),
      make_stop_gradient_op(),  make_reorder_op(),
      make_redistribute_op(),   make_gather_op(),
      make_scatter_add_op(),    make_update_rows_op(),
      make_random_op(),         make_lrn_op(),
      make_lrn_bwd_op(),        make_layer_norm_op(),
      make_layer_norm_bwd_op(), make_sort_op(),
      make_all_reduce_op(),     make_reduce_scatter_op(),
      make_all_gather_op(),     make_local_slice_op(),
      make_all_to_all_op(),     make_fetch_box_op(),
      make_scatter_box_op(),
  };
  return ops;
}

const std::map<std::string_view, const OpDef*>& index() {
  static const std::map<std::string_view, const OpDef*> names = [] {
    std::map<std::string_view, const OpDef*> m;
    for (const OpDef& def : table()) m.emplace(def.name, &def);
    return m;
  }();
  return names;
}

}  // namespace

std::span<const OpDef> all_ops() { return table(); }

const OpDef* try_op(std::string_view name) {
  const auto it = index().find(name);
  return it == index().end() ? nullptr : it->second;
}

const OpDef& op(std::string_view name) {
  const OpDef* def = try_op(name);
  if (def == nullptr) fail(fmt::format("no primitive '{}'", name));
  return *def;
}

Specs infer_outputs(const graph::Graph& g, const graph::Node& n) {
  const OpDef& def = op(n.op);
  const int arity = static_cast<int>(n.inputs.size());
  if (arity < def.min_inputs || (def.max_inputs >= 0 && arity > def.max_inputs)) {
    fail(fmt::format("{}: {} operands, expected {}", n.op, arity,
                     def.max_inputs == def.min_inputs ? fmt::format("{}", def.min_inputs)
                     : def.max_inputs < 0             ? fmt::format("at least {}", def.min_inputs)
                                          : fmt::format("{} to {}", def.min_inputs, def.max_inputs)));
  }
  if (!def.infer) fail(fmt::format("{}: the spec of a boundary is declared, not inferred", n.op));
  Specs in;
  std::size_t num_axes = 0;
  for (graph::ValueId v : n.inputs) {
    in.push_back(g.value(v).spec);
    num_axes = std::max(num_axes, in.back().placement.axes.size());
  }
  Specs out = def.infer(n.attrs, in);
  for (const tensor::TensorSpec& spec : out) {
    check_dims(n.op, spec.shape.dims());
    constexpr int max_rank = 12;  // of the libraries below
    if (spec.shape.rank() > max_rank) {
      refuse("rank-too-large", fmt::format("{}: a tensor of rank {}, at most {} are possible", n.op,
                                           spec.shape.rank(), max_rank));
    }
  }
  if (def.places_itself) {
    for (tensor::TensorSpec& spec : out) spec.placement = normalised(std::move(spec.placement));
    return out;
  }
  for (std::size_t axis = 0; axis < num_axes; ++axis) {
    AxisPlacements placed;
    for (const tensor::TensorSpec& spec : in) {
      placed.push_back(axis < spec.placement.axes.size() ? spec.placement.axes[axis] : replicate);
    }
    AxisPlacements results(out.size(), replicate);
    if (!all_replicated(placed) && !(def.place && def.place(g, n, placed, results))) {
      std::string text;
      for (const tensor::AxisPlacement& p : placed)
        text += fmt::format(" {}", tensor::Placement{{p}}.to_string());
      fail(fmt::format("{}: operands placed{} on mesh axis {} are not legal", n.op, text, axis));
    }
    for (std::size_t i = 0; i < out.size(); ++i) out[i].placement.axes.push_back(results[i]);
  }
  for (tensor::TensorSpec& spec : out) spec.placement = normalised(std::move(spec.placement));
  return out;
}

Cost cost_of(const graph::Graph& g, const graph::Node& n) {
  const OpDef& def = op(n.op);
  Cost cost;
  if (def.flops) cost.flops = def.flops(g, n);
  if (def.bytes) {
    cost.bytes = def.bytes(g, n);
  } else {
    for (graph::ValueId v : n.inputs) cost.bytes += spec_bytes(g, v);
    for (graph::ValueId v : n.outputs) cost.bytes += spec_bytes(g, v);
  }
  return cost;
}

}  // namespace lbann::ops
