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
// Measured times of other shapes are in kernel_table.txt.
//
// Winograd (numerics fast) takes the weights as the direct forward kernel does, in all three roles: no
// reorder of the weights is left.
//
// So: blocked where channels fill the blocks; channels last where they do not (20 -> 50: the blocked
// form computes twice as much); a first layer goes from row-major x to blocked y.
#include <algorithm>

#include "kernels/cpu/conv_costs.hpp"

namespace lbann::kernels::cpu {

using tensor::Layout;
using tensor::Shape;

namespace {

// Adds the direct kernel in these layouts; returns whether it is offered.
bool add_direct(std::vector<KernelCandidate>& list, const SelectContext& ctx, std::vector<Layout> inputs,
                std::vector<Layout> outputs, const ConvChoices& choices) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const std::optional<DirectConvOffer> offer = try_direct_conv(ctx.g, n, inputs, outputs);
  if (!offer) return false;
  KernelCandidate c;
  c.estimated_ms =
      choices.rates.overhead_ms + ConvCosts(ctx.g, choices).direct_ms(n, inputs, outputs, *offer);
  c.kernel = "direct." + n.op;
  c.inputs = std::move(inputs);
  c.outputs = std::move(outputs);
  c.scratch_bytes = offer->scratch_bytes;
  c.may_alias.assign(c.outputs.size(), -1);
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
               const ConvChoices& choices) {
  const graph::Node& n = g.node(id);
  const Problem p = make_problem(g, n);
  const ConvCosts costs(g, choices);
  const bool is_data = p.role == Role::data;
  if (is_data) {
    if (const auto direct = try_direct_conv(g, n, {y, w}, {x}))
      return costs.direct_ms(n, {y, w}, {x}, *direct);
  }
  OpRequest request{g, n, is_data ? std::vector<Layout>{y, {}} : std::vector<Layout>{x, y},
                    std::vector<Layout>(n.outputs.size())};
  if (is_data) request.outputs[0] = x;
  const graph::ValueId weights = is_data ? n.inputs[1] : n.outputs[0];
  double best = -1;
  for (const std::string& kernel : conv_kernels(g, n, choices.numerics)) {
    const std::optional<DnnlOp> op = try_dnnl_op(kernel, request);
    if (!op) continue;
    double ms = costs.kernel_ms(n, kernel, *op);
    if (!same_storage(g.shape(weights), is_data ? op->inputs[1] : op->outputs[0], w))
      ms += costs.reorder_ms(weights);
    if (best < 0 || ms < best) best = ms;
  }
  if (best >= 0) return best;
  // Will have to convert the activations.
  return costs.arithmetic_ms(p, x, y, "jit:avx512") + costs.reorder_ms(n.inputs[0]) +
         costs.reorder_ms(is_data ? n.outputs[0] : n.inputs[1]);
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

std::vector<KernelCandidate> offer_conv(const SelectContext& ctx, const ConvChoices& choices) {
  const ConvCosts costs(ctx.g, choices);
  const graph::Node& n = ctx.g.node(ctx.node);
  const Problem p = make_problem(ctx.g, n);
  const std::vector<std::string> kernels = conv_kernels(ctx.g, n, choices.numerics);
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
      for (const std::string& kernel : kernels) {
        const std::optional<DnnlOp> op = add_offer(list, kernel, request);
        if (!op) continue;
        KernelCandidate& c = list.back();
        c.estimated_ms = choices.rates.overhead_ms + costs.kernel_ms(n, kernel, *op) +
                         (op->relu_after ? 2 : 0) * costs.walk_ms(n.outputs[0], c.outputs[0]);
      }
    }
  }
  for (KernelCandidate& c : list) {
    const Layout &x = c.inputs[0], &y = c.outputs[0];
    // What follows (norm or pooling, and their gradients) walks y a few times.
    c.estimated_ms += 4 * costs.walk_ms(n.outputs[0], y);
    for (const graph::NodeId twin : {twins.data, twins.weights}) {
      if (twin != graph::none) c.estimated_ms += twin_ms(ctx.g, twin, x, y, c.inputs[1], choices);
    }
  }
  return list;
}

std::vector<KernelCandidate> offer_conv_bwd_data(const SelectContext& ctx, const ConvChoices& choices) {
  const ConvCosts costs(ctx.g, choices);
  const graph::Node& n = ctx.g.node(ctx.node);
  const Problem p = make_problem(ctx.g, n);
  const std::vector<std::string> kernels = conv_kernels(ctx.g, n, choices.numerics);
  const Layout x_forward = layout_of_forward_input(ctx.g, n);
  std::vector<KernelCandidate> list;
  for (const Pair& pair : activation_pairs(p.x.rank(), {}, ctx.inputs[0])) {
    for (const Layout& w : {ctx.inputs[1], Layout{}}) {
      for (const std::string& kernel : kernels) {
        const std::optional<DnnlOp> op = add_offer(list, kernel, OpRequest{ctx.g, n, {pair.y, w}, {pair.x}});
        if (!op) continue;
        KernelCandidate& c = list.back();
        c.estimated_ms = choices.rates.overhead_ms + costs.kernel_ms(n, kernel, *op);
        if (x_forward.rank() > 0 && !same_storage(p.x, x_forward, c.outputs[0])) {
          c.estimated_ms += costs.reorder_ms(n.outputs[0]);
        }
      }
    }
  }
  if (p.x.rank() == 4 && same_storage(p.w, ctx.inputs[1], direct_weight_layout())) {
    const Layout last = Layout::channels_last(4);
    const Layout x = x_forward.rank() > 0 && same_storage(p.x, x_forward, last) ? x_forward : last;
    const auto add = [&](const Layout& y) {
      if (add_direct(list, ctx, {y, ctx.inputs[1]}, {x}, choices) && x_forward.rank() > 0 &&
          !(x == x_forward)) {
        list.back().estimated_ms += costs.reorder_ms(n.outputs[0]);
      }
    };
    add(ctx.inputs[0]);
    if (!same_storage(p.y, ctx.inputs[0], last)) add(last);
  }
  return list;
}

std::vector<KernelCandidate> offer_conv_bwd_weights(const SelectContext& ctx, const ConvChoices& choices) {
  const ConvCosts costs(ctx.g, choices);
  const graph::Node& n = ctx.g.node(ctx.node);
  const Problem p = make_problem(ctx.g, n);
  const std::vector<std::string> kernels = conv_kernels(ctx.g, n, choices.numerics);
  std::vector<KernelCandidate> list;
  std::vector<Pair> pairs = activation_pairs(p.x.rank(), ctx.inputs[0], ctx.inputs[1]);
  pairs.push_back({ctx.inputs[0], Layout::blocked_channels(p.x.rank(), 16)});
  pairs.push_back({ctx.inputs[0], Layout::channels_last(p.x.rank())});
  for (const Pair& pair : pairs) {
    for (const Layout& w : {ctx.wanted_outputs[0], Layout{}}) {
      OpRequest request{ctx.g, n, {pair.x, pair.y}, {w}};
      if (n.outputs.size() > 1) request.outputs.push_back(Layout::plain(1));
      for (const std::string& kernel : kernels) {
        const std::optional<DnnlOp> op = add_offer(list, kernel, request);
        if (op) list.back().estimated_ms = choices.rates.overhead_ms + costs.kernel_ms(n, kernel, *op);
      }
    }
  }
  return list;
}

}  // namespace lbann::kernels::cpu
