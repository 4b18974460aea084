// Offers for convolutions.
//
// Which layouts suit a convolution is a question about three kernels at once: forward, gradient of
// the data and of the weights share the activations' layouts, and the weights have one. So a
// forward candidate is charged with what its backward twins will cost in those layouts, including
// the weights' reorders they will need. With oneDNN 2.6 forward and bwd_weights agree on the
// weights (16b16a, first layers 16a); bwd_data wants them transposed (16a16b) in every blocked
// case, and pinned to the forward layout it has only a reference implementation: a reorder of the
// weights per step.
//
// Measured with bench/conv_layouts.cpp (one thread, Sapphire Rapids, oneDNN 2.6.3, microseconds
// forward / bwd_data / bwd_weights; "-": reference only):
//
//   x, w                              blocked by 16         channels last         row-major (gemm)
//   [16,64,14,14]   [64,64,3,3]       1183 / 1184 / 1214    1294 / 1219 / 1198    30793 / 3138 / 2548
//   [16,128,14,14]  [256,128,1,1]      293 /  319 /  292     299 /  314 /  292      528 /  578 /  454
//   [64,20,12,12]   [50,20,5,5]       2475 / 2600 / 2941    1596 / 2144 / 1812    (4 times more)
//   [64,6,12,12]    [16,6,5,5]         114 /  305 /    -     150 /  294 /  124      567 /  625 /  655
//   [64,1,28,28]    [6,1,5,5]          183 /    - /  187     289 /  992 /  218      555 /  702 /  934
//   [256,1,28,28]   [64,1,5,5]/2      1375 /    - / 1187    2164 /    - / 2541    28506 / ..
//   [16,3,64,64]    [64,3,7,7]/2      1810 /    - / 2274    1782 /    - / 2437    41040 / ..
//
// So: blocked where channels fill the blocks; channels last where they do not (20 -> 50: the blocked
// form computes twice as much); a first layer goes from row-major x to blocked y.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/catalogue_offers.hpp"
#include "kernels/cpu/direct_conv.hpp"

namespace lbann::kernels::cpu {

using tensor::Layout;
using tensor::Shape;

namespace {

enum class Role { forward, data, weights };

// The convolution behind a node of any of the three kinds.
struct Problem {
  Role role;
  Shape x, w, y;
  double groups;
};

Problem make_problem(const graph::Graph& g, const graph::Node& n) {
  const double groups = static_cast<double>(n.attrs.get_int("groups", 1));
  const Shape &a = g.shape(n.inputs[0]), &b = g.shape(n.inputs[1]), &out = g.shape(n.outputs[0]);
  if (n.op == "conv") return {Role::forward, a, b, out, groups};
  if (n.op == "conv_bwd_data") return {Role::data, out, b, a, groups};
  return {Role::weights, a, out, b, groups};
}

double rounded(double value, double block) { return std::ceil(value / block) * block; }

// Milliseconds of arithmetic. Vector lanes run over output channels (bwd_data: input channels); a
// blocked tensor is computed with its padding.
double arithmetic_ms(const Problem& p, const Layout& x, const Layout& y, const std::string& implementation,
                     const Rates& rates) {
  double c = static_cast<double>(p.w[1]), k = static_cast<double>(p.w[0]) / p.groups;
  double taps = 1, positions = static_cast<double>(p.y[0]);
  for (int d = 2; d < p.w.rank(); ++d) taps *= static_cast<double>(p.w[d]);
  for (int d = 2; d < p.y.rank(); ++d) positions *= static_cast<double>(p.y[d]);
  const bool gemm = is_gemm(implementation);
  const bool channels_last = !x.is_blocked() && !y.is_blocked() && !gemm;
  double share = efficiency(implementation);
  if (c == 1 && k == 1) {
    share *= 0.15;  // depthwise: no reuse
  } else if (gemm) {
    share *= std::min(1.0, (k + 8) / 64);  // narrow products: 73 GFLOP/s at k = 64, 34 at 16, 20 at 6
  } else {
    if (x.is_blocked() || p.role == Role::data) c = rounded(c, 16);
    if (y.is_blocked() || p.role != Role::data) k = rounded(k, 16);
    if (p.w[1] * static_cast<std::int64_t>(taps) <= 64 && p.role != Role::data) {
      share *= channels_last ? 0.6 : 0.85;  // too few products per output to hide the loads
    } else if (channels_last) {
      share *= 0.95;
    }
    // Volumes with few channels: blocked bwd_weights takes 5 times as long as channels last.
    if (p.role == Role::weights && p.w.rank() == 5 && p.w[1] <= 4 && y.is_blocked()) share *= 0.2;
  }
  return 2 * positions * c * k * taps * p.groups / (rates.flops_per_ms * share);
}

double reorder_ms(const graph::Graph& g, graph::ValueId v, const Rates& rates) {
  return rates.overhead_ms + 2 * static_cast<double>(g.value(v).spec.num_bytes()) / rates.bytes_per_ms;
}

// Our own kernel for few channels keeps half of the peak busy.
double direct_ms(const DirectConvOffer& offer, const Rates& rates) {
  return offer.lane_flops / (rates.flops_per_ms * 0.5);
}

// Adds the direct kernel in these layouts; returns whether it is offered.
bool add_direct(std::vector<KernelCandidate>& list, const SelectContext& ctx, std::vector<Layout> inputs,
                std::vector<Layout> outputs, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const std::optional<DirectConvOffer> offer = try_direct_conv(ctx.g, n, inputs, outputs);
  if (!offer) return false;
  KernelCandidate c;
  c.kernel = "direct." + n.op;
  c.inputs = std::move(inputs);
  c.outputs = std::move(outputs);
  c.scratch_bytes = offer->scratch_bytes;
  c.may_alias.assign(c.outputs.size(), -1);
  c.estimated_ms = rates.overhead_ms + direct_ms(*offer, rates);
  list.push_back(std::move(c));
  return true;
}

Layout direct_weight_layout() { return Layout::from_tag("Acdb16a"); }

struct Pair {
  Layout x, y;
};

// Layouts of the two activations worth asking for, given what they are now (rank 0: unknown).
std::vector<Pair> activation_pairs(int rank, const Layout& x, const Layout& y) {
  const Layout any, plain = Layout::plain(rank), last = Layout::channels_last(rank),
                    blocked = Layout::blocked_channels(rank, 16);
  std::vector<Pair> pairs{{x, y},           {any, any},    {last, last},  {blocked, blocked},
                          {plain, blocked}, {plain, last}, {plain, plain}};
  if (x.rank() > 0 && y.rank() == 0) {
    pairs.push_back({x, blocked});
    pairs.push_back({x, last});
  }
  if (x.rank() == 0 && y.rank() > 0) {
    pairs.push_back({blocked, y});
    pairs.push_back({last, y});
  }
  return pairs;
}

struct Twins {
  graph::NodeId data = graph::none;
  graph::NodeId weights = graph::none;
};

Twins find_twins(const graph::Graph& g, const graph::Node& conv) {
  Twins twins;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const graph::Node& n = g.nodes[i];
    if (n.dead || n.inputs.size() < 2) continue;
    const auto same = [&](const char* name) { return n.attrs.get_ints(name) == conv.attrs.get_ints(name); };
    if (n.op == "conv_bwd_data" && n.inputs[1] == conv.inputs[1]) twins.data = static_cast<int>(i);
    if (n.op == "conv_bwd_weights" && n.inputs[0] == conv.inputs[0] &&
        g.shape(n.outputs[0]) == g.shape(conv.inputs[1]) && same("strides") && same("pads")) {
      twins.weights = static_cast<int>(i);
    }
  }
  return twins;
}

// What a twin will cost with these activation layouts and these weights.
double twin_ms(const graph::Graph& g, graph::NodeId id, const Layout& x, const Layout& y, const Layout& w,
               const Rates& rates) {
  const graph::Node& n = g.node(id);
  const Problem p = make_problem(g, n);
  const bool is_data = p.role == Role::data;
  OpRequest request{g, n, is_data ? std::vector<Layout>{y, {}} : std::vector<Layout>{x, y},
                    std::vector<Layout>(n.outputs.size())};
  if (is_data) request.outputs[0] = x;
  if (is_data) {
    if (const auto direct = try_direct_conv(g, n, {y, w}, {x})) return direct_ms(*direct, rates);
  }
  const std::optional<DnnlOp> op = try_dnnl_op("dnnl." + n.op, request);
  if (!op) {  // will have to convert the activations
    return arithmetic_ms(p, x, y, "jit:avx512", rates) + reorder_ms(g, n.inputs[0], rates) +
           reorder_ms(g, is_data ? n.outputs[0] : n.inputs[1], rates);
  }
  const graph::ValueId weights = is_data ? n.inputs[1] : n.outputs[0];
  const Layout& wanted = is_data ? op->inputs[1] : op->outputs[0];
  double ms = arithmetic_ms(p, x, y, op->implementation, rates);
  if (!same_storage(g.shape(weights), wanted, w)) ms += reorder_ms(g, weights, rates);
  return ms;
}

// A forward layout nobody else knows: where the data's gradient should come out.
Layout layout_of_forward_input(const graph::Graph& g, const graph::Node& bwd_data) {
  for (const graph::Node& n : g.nodes) {
    if (n.dead || n.op != "conv" || n.inputs[1] != bwd_data.inputs[1]) continue;
    const graph::Value& x = g.value(n.inputs[0]);
    const bool copied = x.producer != graph::none && g.node(x.producer).op == "reorder";
    return copied ? g.value(g.node(x.producer).inputs[0]).layout : x.layout;
  }
  return {};
}

}  // namespace

namespace {

// One pass over a tensor: 1e8 bytes per ms in a last-level cache, memory's rate beyond.
double walk_ms(const graph::Graph& g, graph::ValueId v, const Layout& layout, const Rates& rates) {
  const double bytes = storage_bytes(g, v, layout);
  return bytes / (bytes < 3.2e7 ? 1e8 : rates.bytes_per_ms);
}

}  // namespace

std::vector<KernelCandidate> offer_conv(const SelectContext& ctx, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const Problem p = make_problem(ctx.g, n);
  const bool free_weight = ctx.inputs[1].rank() == 0;
  const Twins twins = find_twins(ctx.g, n);
  std::vector<KernelCandidate> list;
  std::vector<Layout> weight_layouts{ctx.inputs[1]};
  if (free_weight) {  // what bwd_weights likes, so that the three can agree
    weight_layouts.push_back(Layout(Layout::plain(p.w.rank()).order(), {{1, 16}, {0, 16}}));
  } else {
    weight_layouts.emplace_back();
  }
  for (const Pair& pair : activation_pairs(p.x.rank(), ctx.inputs[0], {})) {
    for (const Layout& w : weight_layouts) {
      OpRequest request{ctx.g, n, {pair.x, w}, {pair.y}};
      request.inputs.resize(n.inputs.size());
      for (std::size_t i = 2; i < n.inputs.size(); ++i) request.inputs[i] = Layout::plain(1);
      const std::optional<DnnlOp> op = add_offer(list, "dnnl.conv", request);
      if (!op) continue;
      KernelCandidate& c = list.back();
      c.estimated_ms = rates.overhead_ms +
                       arithmetic_ms(p, c.inputs[0], c.outputs[0], op->implementation, rates) +
                       (op->relu_after ? 2 : 0) * walk_ms(ctx.g, n.outputs[0], c.outputs[0], rates);
    }
  }
  for (KernelCandidate& c : list) {
    const Layout &x = c.inputs[0], &y = c.outputs[0];
    // What follows (norm or pooling, and their gradients) walks y a few times.
    c.estimated_ms += 4 * walk_ms(ctx.g, n.outputs[0], y, rates);
    if (twins.data != graph::none) c.estimated_ms += twin_ms(ctx.g, twins.data, x, y, c.inputs[1], rates);
    if (twins.weights != graph::none) {
      c.estimated_ms += twin_ms(ctx.g, twins.weights, x, y, c.inputs[1], rates);
    }
  }
  return list;
}

std::vector<KernelCandidate> offer_conv_bwd_data(const SelectContext& ctx, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const Problem p = make_problem(ctx.g, n);
  const Layout x_forward = layout_of_forward_input(ctx.g, n);
  std::vector<KernelCandidate> list;
  for (const Pair& pair : activation_pairs(p.x.rank(), {}, ctx.inputs[0])) {
    for (const Layout& w : {ctx.inputs[1], Layout{}}) {
      const std::optional<DnnlOp> op =
          add_offer(list, "dnnl.conv_bwd_data", OpRequest{ctx.g, n, {pair.y, w}, {pair.x}});
      if (!op) continue;
      KernelCandidate& c = list.back();
      c.estimated_ms =
          rates.overhead_ms + arithmetic_ms(p, c.outputs[0], c.inputs[0], op->implementation, rates);
      if (x_forward.rank() > 0 && !same_storage(p.x, x_forward, c.outputs[0])) {
        c.estimated_ms += reorder_ms(ctx.g, n.outputs[0], rates);
      }
    }
  }
  if (p.x.rank() == 4 && same_storage(p.w, ctx.inputs[1], direct_weight_layout())) {
    const Layout last = Layout::channels_last(4);
    const Layout x = x_forward.rank() > 0 && same_storage(p.x, x_forward, last) ? x_forward : last;
    const auto add = [&](const Layout& y) {
      if (add_direct(list, ctx, {y, ctx.inputs[1]}, {x}, rates) && x_forward.rank() > 0 &&
          !(x == x_forward)) {
        list.back().estimated_ms += reorder_ms(ctx.g, n.outputs[0], rates);
      }
    };
    add(ctx.inputs[0]);
    if (!same_storage(p.y, ctx.inputs[0], last)) add(last);
  }
  return list;
}

std::vector<KernelCandidate> offer_conv_bwd_weights(const SelectContext& ctx, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const Problem p = make_problem(ctx.g, n);
  std::vector<KernelCandidate> list;
  std::vector<Pair> pairs = activation_pairs(p.x.rank(), ctx.inputs[0], ctx.inputs[1]);
  pairs.push_back({ctx.inputs[0], Layout::blocked_channels(p.x.rank(), 16)});
  pairs.push_back({ctx.inputs[0], Layout::channels_last(p.x.rank())});
  for (const Pair& pair : pairs) {
    for (const Layout& w : {ctx.wanted_outputs[0], Layout{}}) {
      OpRequest request{ctx.g, n, {pair.x, pair.y}, {w}};
      if (n.outputs.size() > 1) request.outputs.push_back(Layout::plain(1));
      const std::optional<DnnlOp> op = add_offer(list, "dnnl.conv_bwd_weights", request);
      if (!op) continue;
      KernelCandidate& c = list.back();
      c.estimated_ms =
          rates.overhead_ms + arithmetic_ms(p, c.inputs[0], c.inputs[1], op->implementation, rates);
    }
  }
  return list;
}

}  // namespace lbann::kernels::cpu
