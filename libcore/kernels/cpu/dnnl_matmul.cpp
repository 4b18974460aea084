// Matrix products by the library, in four guises.
//
// y[m,n] = op(a)[m,k] op(b)[k,n]. The library's fast kernels for dense layers sit behind
// "inner product" (src [mb,ic], weights [oc,ic] in a packed layout, dst [mb,oc]) and its two
// backward passes; each of the three is just a matrix product with another operand packed:
//
//   inner_product                y = dst,            a = src,       b^T = weights [n,k]
//   inner_product_bwd_data       y = diff_src,       a = diff_dst,  b = weights [k,n]
//   inner_product_bwd_weights    y^T = diff_weights [n,m], op(a)^T = src [k,m], b = diff_dst [k,n]
//   inner_product_bwd_weights_t  y = diff_weights [m,n],   op(a)^T = diff_dst [k,m], b = src [k,n]
//
// So a fully connected layer keeps W, its gradient and its optimizer state in one packed layout.
// bwd_data knows no bias, so it is added to the rows afterwards. Everything else (batch dims,
// attention) goes to the general matmul primitive.
#include "kernels/cpu/dnnl_engine.hpp"
#include "kernels/cpu/dnnl_op.hpp"

namespace lbann::kernels::cpu {

using dnnl::prop_kind;
using View = OpArg::View;

namespace {

struct Sides {
  bool ta, tb, has_bias, relu;
};

std::optional<Sides> try_sides(const OpRequest& r) {
  for (graph::ValueId v : r.node.inputs) {
    if (r.g.value(v).spec.type != tensor::DataType::f32) return std::nullopt;
  }
  const graph::Attrs& attrs = r.node.attrs;
  return Sides{attrs.get_int("ta", 0) != 0, attrs.get_int("tb", 0) != 0, r.node.inputs.size() > 2,
               attrs.get_text("act", "") == "relu"};
}

// Inner products are for plain matrices.
std::optional<Sides> try_matrix_sides(const OpRequest& r) {
  const std::optional<Sides> s = try_sides(r);
  if (!s || r.g.shape(r.node.outputs[0]).rank() != 2) return std::nullopt;
  return s;
}

View view(bool transposed) { return transposed ? View::transposed : View::direct; }

// oneDNN 2.6.3's brgemm_bwd_d splits a long reduction over threads when there is little else to split, and
// then reads beyond its operands: seen for n <= 16 and k = 1088, 1536, 1984, 2048, 2112, 3136 with 2, 4
// and 8 threads and at most 128 rows, and for n = 32 with k >= 1536. The margin is ours.
bool crashes_when_reduced_in_parallel(const OpRequest& r, const Sides& s) {
  const tensor::Shape& a = r.g.shape(r.node.inputs[0]);
  const std::int64_t n = r.g.shape(r.node.outputs[0])[1];
  const std::int64_t k = a[s.ta ? 0 : 1];
  return n <= 32 && k >= 1024;
}

bool describe_all(const OpRequest& r, std::vector<OpArg>& args) {
  for (OpArg& arg : args) {
    if (!try_describe(r, arg)) return false;
  }
  return true;
}

}  // namespace

std::optional<DnnlOp> try_inner_product(const OpRequest& r) {
  const std::optional<Sides> s = try_matrix_sides(r);
  if (!s) return std::nullopt;
  std::vector<OpArg> args{{DNNL_ARG_SRC, false, 0, view(s->ta)},
                          {DNNL_ARG_WEIGHTS, false, 1, view(!s->tb)},
                          {DNNL_ARG_DST, true, 0}};
  if (s->has_bias) args.push_back({DNNL_ARG_BIAS, false, 2});
  if (!describe_all(r, args)) return std::nullopt;
  const dnnl::inner_product_forward::desc desc(prop_kind::forward_training, args[0].desc, args[1].desc,
                                               s->has_bias ? args[3].desc : Desc(), args[2].desc);
  std::optional<DnnlOp> op = try_finish(r, &desc.data, args);
  if (op) op->relu_after = s->relu;
  return op;
}

std::optional<DnnlOp> try_inner_product_bwd_data(const OpRequest& r) {
  const std::optional<Sides> s = try_matrix_sides(r);
  if (!s || crashes_when_reduced_in_parallel(r, *s)) return std::nullopt;
  std::vector<OpArg> args{{DNNL_ARG_DIFF_DST, false, 0, view(s->ta)},
                          {DNNL_ARG_WEIGHTS, false, 1, view(s->tb)},
                          {DNNL_ARG_DIFF_SRC, true, 0}};
  if (!describe_all(r, args)) return std::nullopt;
  const dnnl::inner_product_backward_data::desc desc(args[2].desc, args[1].desc, args[0].desc);
  std::optional<DnnlOp> op = try_finish(r, &desc.data, args);
  if (!op) return std::nullopt;
  op->relu_after = s->relu;
  if (s->has_bias) {
    if (!op->outputs[0].is_plain()) return std::nullopt;
    op->inputs[2] = tensor::Layout::plain(1);
    op->bias_after = 2;
  }
  return op;
}

std::optional<DnnlOp> try_inner_product_bwd_weights(const OpRequest& r, bool transposed) {
  const std::optional<Sides> s = try_matrix_sides(r);
  if (!s || s->has_bias || s->relu) return std::nullopt;
  std::vector<OpArg> args{{transposed ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, false, 0, view(!s->ta)},
                          {transposed ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, false, 1, view(s->tb)},
                          {DNNL_ARG_DIFF_WEIGHTS, true, 0, view(!transposed)}};
  if (!describe_all(r, args)) return std::nullopt;
  const dnnl::inner_product_backward_weights::desc desc(args[transposed ? 1 : 0].desc, args[2].desc,
                                                        args[transposed ? 0 : 1].desc);
  return try_finish(r, &desc.data, args);
}

std::optional<DnnlOp> try_matmul(const OpRequest& r) {
  const std::optional<Sides> s = try_sides(r);
  if (!s) return std::nullopt;
  const int rank = r.g.shape(r.node.outputs[0]).rank();
  std::vector<OpArg> args{{DNNL_ARG_SRC, false, 0, view(s->ta)},
                          {DNNL_ARG_WEIGHTS, false, 1, view(s->tb)},
                          {DNNL_ARG_DST, true, 0}};
  if (!describe_all(r, args)) return std::nullopt;
  Desc bias;
  if (s->has_bias) {  // the library wants [1,..,1,n]
    std::vector<std::int64_t> dims(static_cast<std::size_t>(rank), 1);
    dims.back() = r.g.shape(r.node.inputs[2])[0];
    bias = make_desc(tensor::Shape(dims), tensor::Layout::plain(rank));
    args.push_back({DNNL_ARG_BIAS, false, 2});
  }
  const dnnl::matmul::desc desc(args[0].desc, args[1].desc, bias, args[2].desc);
  std::optional<DnnlOp> op = try_finish(r, &desc.data, args);
  if (op) op->relu_after = s->relu;
  return op;
}

}  // namespace lbann::kernels::cpu
