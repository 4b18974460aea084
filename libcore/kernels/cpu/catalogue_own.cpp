// Offers of our own kernels: which layouts each would take. Every offer is tried on a copy of the
// node before it is made, so that the list never names a kernel that make_cpu_kernel refuses.
//
//   elementwise, update, all_finite   any layout, as long as all full-size operands share it
//   norm_*, pool*, lrn*               row-major, channels last, blocked by 16 or 8
//   random                            row-major, or as the wanted output lies
//   everything else                   row-major
#include <algorithm>

#include "base/diagnostic.hpp"
#include "kernels/cpu/catalogue_offers.hpp"
#include "kernels/cpu/cpu_kernels.hpp"

namespace lbann::kernels::cpu {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using tensor::DataType;
using tensor::Layout;
using tensor::Shape;

namespace {

// The node alone, its values in the candidate's layouts, the saved output added.
bool is_made(const SelectContext& ctx, const KernelCandidate& c) {
  Graph g;
  Node n = ctx.g.node(ctx.node);
  const auto copy = [&](ValueId& id, const Layout& layout) {
    graph::Value value = ctx.g.value(id);
    value.layout = layout;
    value.producer = graph::none;
    id = static_cast<ValueId>(g.values.size());
    g.values.push_back(std::move(value));
  };
  for (std::size_t i = 0; i < n.inputs.size(); ++i) copy(n.inputs[i], c.inputs[i]);
  for (std::size_t i = 0; i < n.outputs.size(); ++i) copy(n.outputs[i], c.outputs[i]);
  if (c.saved_bytes > 0) {
    n.attrs.set("saved", c.saved_bytes);
    n.outputs.push_back(static_cast<ValueId>(g.values.size()));
    graph::Value saved;
    saved.spec = {DataType::u8, Shape{c.saved_bytes}, {}};
    saved.layout = Layout::plain(1);
    g.values.push_back(std::move(saved));
  }
  n.origin = 0;
  n.kernel = c.kernel;
  n.scratch_bytes = c.scratch_bytes;
  g.nodes.push_back(std::move(n));
  g.order.push_back(0);
  try {
    return make_cpu_kernel(g, 0) != nullptr;
  } catch (const base::Error&) {
    return false;
  }
}

const std::vector<std::string>& elementwise_ops() {
  static const std::vector<std::string> list{"ewise", "fused_ewise", "cast", "update", "all_finite"};
  return list;
}
const std::vector<std::string>& channel_ops() {
  static const std::vector<std::string> list{
      "norm_stats", "norm_apply", "norm_bwd_stats", "norm_bwd_apply", "pool", "pool_bwd", "lrn", "lrn_bwd"};
  return list;
}
bool contains(const std::vector<std::string>& list, const std::string& op) {
  return std::find(list.begin(), list.end(), op) != list.end();
}

class Offers {
public:
  Offers(const SelectContext& ctx, const Rates& rates)
    : ctx_(ctx), g_(ctx.g), n_(g_.node(ctx.node)), rates_(rates) {}

  std::vector<KernelCandidate> make() {
    for (ValueId v : n_.inputs) {
      const bool takes_scalars = n_.op == "update" || n_.op == "update_rows" || n_.op == "random";
      if (g_.value(v).spec.type == DataType::f64 && !takes_scalars) return {};
    }
    if (n_.op == "input" || n_.op == "weight" || n_.op == "reshape" || n_.op == "stop_gradient") return {};
    const Shape full = full_shape();
    const std::vector<Layout> choices = layouts(full);
    for (const Layout& layout : choices) {
      add(layout, full);
      // Elementwise operands that agree already are never worth converting.
      if (contains(elementwise_ops(), n_.op) && choices.size() == 2 && !list_.empty()) break;
    }
    return std::move(list_);
  }

private:
  // The shape whose layout is the question: of the largest operand.
  Shape full_shape() const {
    Shape full;
    std::int64_t most = -1;
    for (const auto* ids : {&n_.outputs, &n_.inputs}) {
      for (ValueId v : *ids) {
        const Shape& s = g_.shape(v);
        if (s.num_elements() > most && (n_.op != "update" || v == n_.inputs[0])) {
          most = s.num_elements();
          full = s;
        }
      }
    }
    return full;
  }

  std::vector<Layout> layouts(const Shape& full) const {
    std::vector<Layout> result;
    const auto add_layout = [&](const Layout& l) {
      if (l.rank() == full.rank() && std::find(result.begin(), result.end(), l) == result.end()) {
        result.push_back(l);
      }
    };
    const int rank = full.rank();
    if (n_.op == "random") {
      add_layout(ctx_.wanted_outputs[0]);
    } else if (contains(elementwise_ops(), n_.op)) {
      for (std::size_t i = 0; i < n_.inputs.size(); ++i) {
        if (g_.shape(n_.inputs[i]) == full) add_layout(ctx_.inputs[i]);
      }
      for (std::size_t o = 0; o < n_.outputs.size(); ++o) {
        if (g_.shape(n_.outputs[o]) == full) add_layout(ctx_.wanted_outputs[o]);
      }
    } else if (contains(channel_ops(), n_.op)) {
      if (n_.op == "pool_bwd" && n_.inputs.size() == 2 && g_.value(n_.inputs[1]).spec.type == DataType::u8) {
        // The saved places are numbered as the forward kernel's output lies.
        const ValueId saved = n_.inputs[1];
        add_layout(g_.value(g_.producer(saved).outputs[0]).layout);
        return result;
      }
      for (const Layout& l : ctx_.inputs) add_layout(l);
      if (rank > 2) {
        add_layout(Layout::blocked_channels(rank, 16));
        add_layout(Layout::channels_last(rank));
      }
    }
    add_layout(Layout::plain(rank));
    return result;
  }

  // Operands of the question's rank share its layout unless they broadcast; the others are row-major.
  Layout layout_for(ValueId v, const Layout& layout, const Shape& full) const {
    const Shape& s = g_.shape(v);
    if (n_.op == "random") return v == n_.outputs[0] ? layout : Layout::plain(s.rank());
    const bool shares = contains(channel_ops(), n_.op) ? s.rank() == full.rank() && s.rank() > 1 : s == full;
    return shares ? layout : Layout::plain(s.rank());
  }

  void add(const Layout& layout, const Shape& full) {
    KernelCandidate c;
    c.kernel = "cpu." + n_.op;
    double bytes = 0;
    for (ValueId v : n_.inputs) {
      c.inputs.push_back(layout_for(v, layout, full));
      bytes += storage_bytes(g_, v, c.inputs.back());
    }
    for (ValueId v : n_.outputs) {
      c.outputs.push_back(layout_for(v, layout, full));
      bytes += storage_bytes(g_, v, c.outputs.back());
    }
    const bool plain_image = contains(channel_ops(), n_.op) && layout.is_plain() && full.rank() > 2;
    c.estimated_ms = rates_.overhead_ms + (plain_image ? 1.5 : 1.0) * bytes / rates_.own_bytes_per_ms;
    c.may_alias = aliases(c);
    if (n_.op == "pool" && ctx_.wants_saved) {
      KernelCandidate saving = c;
      // One byte per output element, padding included.
      saving.saved_bytes = c.outputs[0].storage_elements(g_.shape(n_.outputs[0]));
      saving.estimated_ms *= 0.9;  // spares the backward twin the search
      if (is_made(ctx_, saving)) list_.push_back(std::move(saving));
    }
    if (is_made(ctx_, c)) list_.push_back(std::move(c));
  }

  std::vector<int> aliases(const KernelCandidate& c) const {
    std::vector<int> result(n_.outputs.size(), -1);
    if (n_.op == "update") {
      // w, g, states.. -> w', states'..
      for (std::size_t o = 0; o < result.size(); ++o) result[o] = o == 0 ? 0 : static_cast<int>(o) + 1;
    } else if (n_.op == "update_rows") {
      for (std::size_t o = 0; o < result.size(); ++o) result[o] = o == 0 ? 0 : static_cast<int>(o) + 2;
    } else if (n_.op == "ewise" || n_.op == "fused_ewise") {
      const std::vector<int> uses = g_.num_uses();
      std::vector<bool> taken(n_.inputs.size(), false);
      for (std::size_t o = 0; o < result.size(); ++o) {
        // Rather an operand that dies here.
        for (const bool dying : {true, false}) {
          for (std::size_t i = 0; i < n_.inputs.size() && result[o] < 0; ++i) {
            const ValueId v = n_.inputs[i];
            if (taken[i] || !is_twin(v, c.inputs[i], n_.outputs[o], c.outputs[o])) continue;
            if (dying && (uses[static_cast<std::size_t>(v)] > 1 || is_boundary(v))) continue;
            result[o] = static_cast<int>(i);
            taken[i] = true;
          }
        }
      }
    } else if (n_.op == "norm_apply" || n_.op == "norm_bwd_apply" || n_.op == "softmax" ||
               n_.op == "softmax_bwd" || n_.op == "layer_norm" || n_.op == "layer_norm_bwd") {
      if (is_twin(n_.inputs[0], c.inputs[0], n_.outputs[0], c.outputs[0])) result[0] = 0;
    }
    return result;
  }

  bool is_twin(ValueId a, const Layout& la, ValueId b, const Layout& lb) const {
    const tensor::TensorSpec &sa = g_.value(a).spec, &sb = g_.value(b).spec;
    return sa.type == sb.type && sa.shape == sb.shape && la == lb;
  }
  bool is_boundary(ValueId v) const {
    const NodeId p = g_.value(v).producer;
    return p == graph::none || g_.node(p).op == "weight" || g_.node(p).op == "input";
  }

  const SelectContext& ctx_;
  const Graph& g_;
  const Node& n_;
  const Rates& rates_;
  std::vector<KernelCandidate> list_;
};

}  // namespace

std::vector<KernelCandidate> offer_own(const SelectContext& ctx, const Rates& rates) {
  return Offers(ctx, rates).make();
}

}  // namespace lbann::kernels::cpu
