// See operand_placement.hpp. One mesh axis at a time. Up to three operands every combination of "as it lies",
// R and all shards is tried; beyond that a few sensible ones: partial operands summed, everything adopting
// one shard, everything replicated.
#include "ops/operand_placement.hpp"

#include <algorithm>

#include "ops/rules.hpp"

namespace lbann::ops {
namespace {

using graph::Graph;
using graph::Node;
using tensor::AxisPlacement;
using tensor::Placement;

AxisPlacement on_axis(const Placement& p, std::size_t axis) {
  return axis < p.axes.size() ? p.axes[axis] : AxisPlacement{};
}

std::size_t count_axes(const std::vector<Placement>& operands) {
  std::size_t n = 0;
  for (const Placement& p : operands) n = std::max(n, p.axes.size());
  return n;
}

bool accepts(const Graph& g, const Node& n, const AxisPlacements& in, AxisPlacements& out) {
  std::fill(out.begin(), out.end(), replicate);
  if (all_replicated(in)) return true;
  const OpDef& def = op(n.op);
  return def.place && def.place(g, n, in, out);
}

/// Bytes that a rank moves, in units of the whole tensor.
double cost(const AxisPlacement& from, const AxisPlacement& to) {
  if (from == to) return 0;
  if (is_replicated(from)) return 1e-3;
  if (is_partial(from)) return is_shard(to) ? 1 : 2;
  return is_replicated(to) ? 1 : 0.5;
}

class Search {
public:
  Search(const Graph& g, const Node& n, AxisPlacements now)
    : g_(g), n_(n), now_(std::move(now)), outputs_(n.outputs.size()) {}

  AxisPlacements run() {
    consider(now_);
    if (found_) return best_;
    if (now_.size() <= 3) {
      AxisPlacements combination(now_.size());
      combine(combination, 0);
    } else {
      consider_common();
    }
    consider(AxisPlacements(now_.size(), replicate));
    return best_;
  }

private:
  const tensor::Shape& shape(std::size_t i) const { return g_.shape(n_.inputs[i]); }

  void consider(const AxisPlacements& in) {
    double total = 0;
    for (std::size_t i = 0; i < in.size(); ++i) total += cost(now_[i], in[i]) * spec_bytes(g_, n_.inputs[i]);
    if (found_ && total >= best_cost_) return;
    if (!accepts(g_, n_, in, outputs_)) return;
    found_ = true;
    best_ = in;
    best_cost_ = total;
  }

  /// Cuts that some operand has now; units of merged dims are kept.
  std::vector<std::int64_t> units() const {
    std::vector<std::int64_t> result;
    for (const AxisPlacement& p : now_) {
      if (is_shard(p) && std::find(result.begin(), result.end(), p.unit) == result.end())
        result.push_back(p.unit);
    }
    return result;
  }

  void combine(AxisPlacements& combination, std::size_t i) {
    if (i == combination.size()) return consider(combination);
    combination[i] = now_[i];
    combine(combination, i + 1);
    if (is_replicated(now_[i]) == false) {
      combination[i] = replicate;
      combine(combination, i + 1);
    }
    for (int d = 0; d < shape(i).rank(); ++d) {
      for (std::int64_t unit : units()) {
        if (shape(i)[d] == 1 || shape(i)[d] % unit != 0 || now_[i] == shard(d, unit)) continue;
        combination[i] = shard(d, unit);
        combine(combination, i + 1);
      }
    }
  }

  void consider_common() {
    AxisPlacements summed = now_;
    for (AxisPlacement& p : summed) {
      if (is_partial(p)) p = replicate;
    }
    consider(summed);
    for (const AxisPlacement& common : now_) {
      if (!is_shard(common)) continue;
      for (const bool small_too : {false, true}) {
        AxisPlacements in = now_;
        for (std::size_t i = 0; i < in.size(); ++i) {
          const bool fits = shape(i) == shape(0) && common.dim < shape(i).rank();
          if (fits && shape(i)[common.dim] % common.unit == 0) {
            in[i] = common;
          } else if (!is_replicated(in[i]) && (is_partial(in[i]) || small_too)) {
            in[i] = replicate;
          }
        }
        consider(in);
      }
    }
  }

  const Graph& g_;
  const Node& n_;
  AxisPlacements now_;
  AxisPlacements outputs_;
  bool found_ = false;
  AxisPlacements best_;
  double best_cost_ = 0;
};

}  // namespace

Placement normalised(Placement p) {
  while (!p.axes.empty() && is_replicated(p.axes.back())) p.axes.pop_back();
  return p;
}

std::optional<std::vector<Placement>> try_place(const Graph& g, const Node& n,
                                                const std::vector<Placement>& operands) {
  std::vector<Placement> result(n.outputs.size());
  for (std::size_t axis = 0; axis < count_axes(operands); ++axis) {
    AxisPlacements in, out(n.outputs.size(), replicate);
    for (const Placement& p : operands) in.push_back(on_axis(p, axis));
    if (!accepts(g, n, in, out)) return std::nullopt;
    for (std::size_t o = 0; o < out.size(); ++o) result[o].axes.push_back(out[o]);
  }
  for (Placement& p : result) p = normalised(std::move(p));
  return result;
}

std::vector<Placement> choose_operand_placements(const Graph& g, const Node& n) {
  std::vector<Placement> now;
  for (graph::ValueId v : n.inputs) now.push_back(g.value(v).spec.placement);
  std::vector<Placement> result(now.size());
  for (std::size_t axis = 0; axis < count_axes(now); ++axis) {
    AxisPlacements in;
    for (const Placement& p : now) in.push_back(on_axis(p, axis));
    const AxisPlacements chosen = Search(g, n, std::move(in)).run();
    for (std::size_t i = 0; i < chosen.size(); ++i) result[i].axes.push_back(chosen[i]);
  }
  for (Placement& p : result) p = normalised(std::move(p));
  return result;
}

}  // namespace lbann::ops
