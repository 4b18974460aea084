// Offers for matrix products, reorders and average pooling.
//
// A dense layer y = x W (W [in,out]) can pack W as the weights of "in -> out" (inner_product) or as
// those of the transposed layer "out -> in" (forward through inner_product_bwd_data). Measured, one
// thread, Sapphire Rapids, oneDNN 2.6.3, microseconds y / dx / dW:
//
//   x, W                     W for in -> out       W for out -> in       W row-major
//   [128,784]  [784,1024]    1248 / 1320 / 1276    1330 / 1251 / 1301    1312 / 1358 / 1159
//   [128,1024] [1024,1024]   1645 / 1684 / 1615    1992 / 1650 / 1676    1714 / 1746 / 1541
//   [128,1000] [1000,500]     774 /  826 /  917     832 /  740 /  887     812 /  808 /  844
//   [64,256]   [256,120]       24 /   26 /   29      28 /   23 /   26      26 /   26 /   28
//   [128,1024] [1024,10]       27 /   23 /   46      31 /   20 /   25      35 /   21 /   40
//   [256,3136] [3136,10]      167 /  152 /  607     178 /  126 /  161     176 /  144 /  263
//
// So few outputs (up to 128, and fewer than inputs) pack W the second way; the gradients then find
// the matching kernel because W's layout is given. A thin dW is worth the second form even when it
// has to be reordered.
#include <algorithm>

#include "kernels/cpu/catalogue_offers.hpp"
#include "kernels/cpu/weight_gradient.hpp"

namespace lbann::kernels::cpu {

using tensor::Layout;
using tensor::Shape;

namespace {

double matmul_ms(const graph::Graph& g, const graph::Node& n, const std::string& implementation,
                 const Rates& rates) {
  const Shape &a = g.shape(n.inputs[0]), &y = g.shape(n.outputs[0]);
  const int rank = y.rank();
  const double k = static_cast<double>(a[n.attrs.get_int("ta", 0) != 0 ? rank - 2 : rank - 1]);
  double bytes = storage_bytes(g, n.outputs[0], {});
  for (graph::ValueId v : n.inputs) bytes += storage_bytes(g, v, {});
  const double flops = 2 * k * static_cast<double>(y.num_elements());
  // The library's gemm is within a few per cent of the packed kernels on these shapes.
  const bool gemm = is_gemm(implementation);
  const double share = gemm ? 0.78 : efficiency(implementation);
  return rates.overhead_ms + flops / (rates.flops_per_ms * share) + bytes / (rates.bytes_per_ms * 5);
}

/// Many products of a few rows or columns (word vectors): our own loops.
bool is_small_batched(const SelectContext& ctx) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const Shape &a = ctx.g.shape(n.inputs[0]), &y = ctx.g.shape(n.outputs[0]);
  const int rank = y.rank();
  if (rank < 3) return false;
  const std::int64_t rows = y[rank - 2], columns = y[rank - 1];
  const std::int64_t k = a[n.attrs.get_int("ta", 0) != 0 ? rank - 2 : rank - 1];
  return std::min({rows, columns, k}) <= 8 && rows * columns * k <= 32768;
}

/// A weight gradient that only its update reads, which fuse_updates can take along: our own kernel, on
/// processors for which its tile is made.
std::optional<KernelCandidate> try_weight_gradient(const SelectContext& ctx) {
  const graph::Node& n = ctx.g.node(ctx.node);
  const Layout& wanted = ctx.wanted_outputs[0];
  if (detect_isa() != Isa::avx512 || !WeightGradient::takes(wanted) || n.inputs.size() != 2)
    return std::nullopt;
  if (n.attrs.get_int("ta", 0) == 0 || n.attrs.get_int("tb", 0) != 0) return std::nullopt;
  const graph::ValueId y = n.outputs[0];
  if (ctx.g.num_uses()[static_cast<std::size_t>(y)] != 1) return std::nullopt;
  const bool only_updated = std::any_of(ctx.g.order.begin(), ctx.g.order.end(), [&](graph::NodeId id) {
    const graph::Node& u = ctx.g.node(id);
    return u.op == "update" && u.inputs[1] == y && u.attrs.get_int("commit", 0) == 0;
  });
  if (!only_updated || ctx.g.value(y).spec.type != tensor::DataType::f32) return std::nullopt;
  KernelCandidate c;
  c.kernel = "cpu.matmul";
  c.inputs = {Layout::plain(2), Layout::plain(2)};
  c.outputs = {wanted};
  c.may_alias = {-1};
  c.scratch_bytes = WeightGradient::scratch_bytes(ctx.g.shape(y), wanted, ctx.g.shape(n.inputs[0])[0]);
  return c;
}

}  // namespace

std::vector<KernelCandidate> offer_matmul(const SelectContext& ctx, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  std::vector<KernelCandidate> list;
  const Shape &b = ctx.g.shape(n.inputs[1]), &y = ctx.g.shape(n.outputs[0]);
  const int rank = y.rank();
  const Layout plain = Layout::plain(rank);
  const bool free_weight = ctx.inputs[1].rank() == 0;
  const std::int64_t in = n.attrs.get_int("tb", 0) != 0 ? b[rank - 1] : b[rank - 2], out = y[rank - 1];
  const bool few_outputs = out <= 128 && out < in;
  const bool thin_gradient = rank == 2 && ctx.wanted_outputs[0].rank() > 0 && out <= 32 && y[0] > out;

  const auto add = [&](const char* kernel, const Layout& lb, const Layout& ly, double factor) {
    OpRequest request{ctx.g, n, {plain, lb}, {ly}};
    if (n.inputs.size() > 2) request.inputs.push_back(Layout::plain(1));
    const std::optional<DnnlOp> op = add_offer(list, kernel, request);
    if (op) list.back().estimated_ms = factor * matmul_ms(ctx.g, n, op->implementation, rates);
  };
  if (rank == 2) {
    if (free_weight) {
      add("dnnl.inner_product", {}, plain, few_outputs ? 1.2 : 1.0);
      add("dnnl.inner_product_bwd_data", {}, plain, few_outputs ? 1.0 : 1.2);
    }
    const Layout now = free_weight ? plain : ctx.inputs[1];
    const Layout& wanted = ctx.wanted_outputs[0];
    add("dnnl.inner_product", now, plain, 1.0);
    add("dnnl.inner_product_bwd_data", now, plain, 1.0);
    if (std::optional<KernelCandidate> own = try_weight_gradient(ctx)) {
      own->estimated_ms =
          0.8 * matmul_ms(ctx.g, n, "brgemm:avx512_core", rates);  // it spares the update most of its traffic
      list.push_back(std::move(*own));
    }
    if (wanted.rank() > 0) {
      add("dnnl.inner_product_bwd_weights", plain, wanted, thin_gradient ? 2.0 : 1.0);
      add("dnnl.inner_product_bwd_weights_t", plain, wanted, 1.0);
      // Worth a reorder of the small result.
      if (thin_gradient) add("dnnl.inner_product_bwd_weights_t", plain, {}, 1.0);
    }
  }
  add("dnnl.matmul", plain, plain, thin_gradient ? 1.6 : 1.02);
  if (is_small_batched(ctx)) {
    for (KernelCandidate& c : offer_own(ctx, rates)) {
      c.estimated_ms = rates.overhead_ms / 2;  // the library spends more than that on every matrix
      list.push_back(std::move(c));
    }
  }
  if (rank == 2) {
    add("dnnl.inner_product", plain, plain, 1.0);
    add("dnnl.inner_product_bwd_weights", plain, plain, thin_gradient ? 1.5 : 1.0);
  }
  return list;
}

std::vector<KernelCandidate> offer_reorder(const SelectContext& ctx, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  std::vector<KernelCandidate> list;
  const Layout &from = ctx.inputs[0], &to = ctx.wanted_outputs[0];
  if (add_offer(list, "dnnl.reorder", OpRequest{ctx.g, n, {from}, {to}})) {
    list.back().estimated_ms = rates.overhead_ms + (storage_bytes(ctx.g, n.inputs[0], from) +
                                                    storage_bytes(ctx.g, n.outputs[0], to)) /
                                                       rates.bytes_per_ms;
  }
  KernelCandidate naive;  // takes any pair of layouts and any type
  naive.kernel = "ref.reorder";
  naive.inputs = {from};
  naive.outputs = {to};
  naive.may_alias = {-1};
  naive.estimated_ms = 1e3;
  if (from.rank() > 0 && to.rank() > 0) list.push_back(std::move(naive));
  return list;
}

std::vector<KernelCandidate> offer_pool(const SelectContext& ctx, const Rates& rates) {
  const graph::Node& n = ctx.g.node(ctx.node);
  std::vector<KernelCandidate> list;
  const int rank = ctx.g.shape(n.inputs[0]).rank();
  if (n.inputs.size() != 1 || n.outputs.size() != 1) return list;
  for (const Layout& layout :
       {ctx.inputs[0], Layout::blocked_channels(rank, 16), Layout::channels_last(rank)}) {
    if (!add_offer(list, "dnnl." + n.op, OpRequest{ctx.g, n, {layout}, {layout}})) continue;
    // Slightly dearer than our own kernel, which does the same work.
    list.back().estimated_ms =
        1.1 * rates.overhead_ms +
        1.1 * (storage_bytes(ctx.g, n.inputs[0], layout) + storage_bytes(ctx.g, n.outputs[0], layout)) /
            rates.bytes_per_ms;
  }
  return list;
}

}  // namespace lbann::kernels::cpu
