// Average pooling by the library. Not max pooling: the library starts from the lowest finite
// number and compares with "greater", so a window of -inf gives -3.4e38 and a NaN is lost, where
// the primitive says that NaN wins; our own kernel does max pooling.
#include "kernels/cpu/dnnl_engine.hpp"
#include "kernels/cpu/dnnl_op.hpp"

namespace lbann::kernels::cpu {

using dnnl::memory;

namespace {

struct Pool {
  dnnl::algorithm algorithm;
  memory::dims window, strides, pads, pads_right;
};

std::optional<Pool> try_parse(const graph::Attrs& attrs, const tensor::Shape& x, const tensor::Shape& y) {
  const std::string& mode = attrs.get_text("mode");
  if (mode != "avg" && mode != "avg_no_pad") return std::nullopt;
  Pool p{mode == "avg" ? dnnl::algorithm::pooling_avg_include_padding
                       : dnnl::algorithm::pooling_avg_exclude_padding,
         attrs.get_ints("window"),
         attrs.get_ints("strides"),
         attrs.get_ints("pads"),
         {}};
  for (std::size_t i = 0; i < p.window.size(); ++i) {
    const int d = static_cast<int>(i) + 2;
    p.pads_right.push_back((y[d] - 1) * p.strides[i] + p.window[i] - x[d] - p.pads[i]);
    if (p.pads[i] >= p.window[i]) return std::nullopt;  // windows outside: left to our own kernel
  }
  return p;
}

}  // namespace

std::optional<DnnlOp> try_pool(const OpRequest& r) {
  const auto p = try_parse(r.node.attrs, r.g.shape(r.node.inputs[0]), r.g.shape(r.node.outputs[0]));
  std::vector<OpArg> args{{DNNL_ARG_SRC, false, 0}, {DNNL_ARG_DST, true, 0}};
  if (!p || !try_describe(r, args[0]) || !try_describe(r, args[1])) return std::nullopt;
  const dnnl::pooling_forward::desc desc(dnnl::prop_kind::forward_inference, p->algorithm, args[0].desc,
                                         args[1].desc, p->strides, p->window, p->pads, p->pads_right);
  return try_finish(r, &desc.data, args);
}

std::optional<DnnlOp> try_pool_bwd(const OpRequest& r) {
  const auto p = try_parse(r.node.attrs, r.g.shape(r.node.outputs[0]), r.g.shape(r.node.inputs[0]));
  std::vector<OpArg> args{{DNNL_ARG_DIFF_DST, false, 0}, {DNNL_ARG_DIFF_SRC, true, 0}};
  if (!p || !try_describe(r, args[0]) || !try_describe(r, args[1])) return std::nullopt;
  const dnnl::pooling_forward::desc forward(dnnl::prop_kind::forward_training, p->algorithm, args[1].desc,
                                            args[0].desc, p->strides, p->window, p->pads, p->pads_right);
  const dnnl::pooling_forward::primitive_desc hint(forward, engine());
  const dnnl::pooling_backward::desc desc(p->algorithm, args[1].desc, args[0].desc, p->strides, p->window,
                                          p->pads, p->pads_right);
  return try_finish(r, &desc.data, args, 1, hint.get());
}

}  // namespace lbann::kernels::cpu
