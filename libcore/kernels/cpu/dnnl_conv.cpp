// Convolution by the library: forward, gradient of the data, gradient of the weights (and bias).
//
//   x [n,c,s..]   w [k,c/g,k..]   y [n,k,o..]   1 to 3 spatial dims
//
// Direct, or Winograd's F(4x4, 3x3) where the library has it: AVX-512, float, 2-D, 3x3, stride 1. In
// training its forward and both backward kernels take weights as the direct forward kernel does
// (16b16a), so the two may be mixed freely. The library counts dilation from 0 and wants the right
// padding that makes the extents come out.
#include "kernels/cpu/dnnl_engine.hpp"
#include "kernels/cpu/dnnl_op.hpp"

namespace lbann::kernels::cpu {

using dnnl::memory;
using dnnl::prop_kind;
using View = OpArg::View;

namespace {

dnnl::algorithm to_dnnl(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::winograd ? dnnl::algorithm::convolution_winograd
                                              : dnnl::algorithm::convolution_direct;
}

struct Window {
  memory::dims strides, dilations, pads_left, pads_right;
  std::int64_t groups;
};

// x, w, y: the shapes in their forward roles.
Window make_window(const graph::Attrs& attrs, const tensor::Shape& x, const tensor::Shape& w,
                   const tensor::Shape& y) {
  Window window{attrs.get_ints("strides"), {}, attrs.get_ints("pads"), {}, attrs.get_int("groups", 1)};
  const std::size_t dims = window.strides.size();
  window.dilations = attrs.has("dilations") ? attrs.get_ints("dilations") : memory::dims(dims, 1);
  for (std::size_t i = 0; i < dims; ++i) {
    const int d = static_cast<int>(i) + 2;
    const std::int64_t reach = (w[d] - 1) * window.dilations[i] + 1;
    window.pads_right.push_back((y[d] - 1) * window.strides[i] + reach - x[d] - window.pads_left[i]);
    window.dilations[i] -= 1;
  }
  return window;
}

const tensor::Shape& in_shape(const OpRequest& r, std::size_t i) { return r.g.shape(r.node.inputs[i]); }
const tensor::Shape& out_shape(const OpRequest& r, std::size_t i) { return r.g.shape(r.node.outputs[i]); }

// oneDNN 2.6.3's jit bwd_weights reads outside of x when a volume is so shallow that every depth
// position of a strided, padded window overlaps its front or back: found by fuzzing with NaN around
// the buffers (depth 7, window 7, stride 2, padding 3, and smaller). Its gemm is right.
bool reads_outside(const graph::Attrs& attrs, const tensor::Shape& x, const tensor::Shape& w,
                   const tensor::Shape& y) {
  const std::int64_t stride = attrs.get_ints("strides")[0], pad = attrs.get_ints("pads")[0];
  if (x.rank() != 5 || stride == 1 || pad == 0) return false;
  const std::int64_t dilation = attrs.has("dilations") ? attrs.get_ints("dilations")[0] : 1;
  for (std::int64_t o = 0; o < y[2]; ++o) {
    const std::int64_t begin = o * stride - pad;
    if (begin >= 0 && begin + (w[2] - 1) * dilation < x[2]) return false;
  }
  return true;
}

bool describe_all(const OpRequest& r, std::vector<OpArg>& args, std::int64_t groups) {
  for (OpArg& arg : args) {
    if (!try_describe(r, arg, groups)) return false;
  }
  return true;
}

}  // namespace

std::optional<DnnlOp> try_conv(const OpRequest& r, ConvAlgorithm algorithm) {
  const Window w = make_window(r.node.attrs, in_shape(r, 0), in_shape(r, 1), out_shape(r, 0));
  std::vector<OpArg> args{
      {DNNL_ARG_SRC, false, 0}, {DNNL_ARG_WEIGHTS, false, 1, View::grouped_weight}, {DNNL_ARG_DST, true, 0}};
  const bool has_bias = r.node.inputs.size() > 2;
  if (has_bias) args.push_back({DNNL_ARG_BIAS, false, 2});
  if (!describe_all(r, args, w.groups)) return std::nullopt;
  const dnnl::convolution_forward::desc desc(prop_kind::forward_training, to_dnnl(algorithm), args[0].desc,
                                             args[1].desc, has_bias ? args[3].desc : Desc(), args[2].desc,
                                             w.strides, w.dilations, w.pads_left, w.pads_right);
  std::optional<DnnlOp> op = try_finish(r, &desc.data, args, w.groups);
  if (op) op->relu_after = r.node.attrs.get_text("act", "") == "relu";
  return op;
}

std::optional<DnnlOp> try_conv_bwd_data(const OpRequest& r, ConvAlgorithm algorithm) {
  const Window w = make_window(r.node.attrs, out_shape(r, 0), in_shape(r, 1), in_shape(r, 0));
  std::vector<OpArg> args{{DNNL_ARG_DIFF_DST, false, 0},
                          {DNNL_ARG_WEIGHTS, false, 1, View::grouped_weight},
                          {DNNL_ARG_DIFF_SRC, true, 0}};
  if (!describe_all(r, args, w.groups)) return std::nullopt;
  const dnnl::convolution_backward_data::desc desc(to_dnnl(algorithm), args[2].desc, args[1].desc,
                                                   args[0].desc, w.strides, w.dilations, w.pads_left,
                                                   w.pads_right);
  return try_finish(r, &desc.data, args, w.groups);
}

std::optional<DnnlOp> try_conv_bwd_weights(const OpRequest& r, ConvAlgorithm algorithm) {
  const Window w = make_window(r.node.attrs, in_shape(r, 0), out_shape(r, 0), in_shape(r, 1));
  std::vector<OpArg> args{{DNNL_ARG_SRC, false, 0},
                          {DNNL_ARG_DIFF_DST, false, 1},
                          {DNNL_ARG_DIFF_WEIGHTS, true, 0, View::grouped_weight}};
  const bool has_bias = r.node.outputs.size() > 1;
  if (has_bias) args.push_back({DNNL_ARG_DIFF_BIAS, true, 1});
  if (!describe_all(r, args, w.groups)) return std::nullopt;
  const dnnl::convolution_backward_weights::desc desc(to_dnnl(algorithm), args[0].desc, args[2].desc,
                                                      has_bias ? args[3].desc : Desc(), args[1].desc,
                                                      w.strides, w.dilations, w.pads_left, w.pads_right);
  std::optional<DnnlOp> op = try_finish(r, &desc.data, args, w.groups);
  const bool unsafe = reads_outside(r.node.attrs, in_shape(r, 0), out_shape(r, 0), in_shape(r, 1));
  if (op && unsafe && !is_gemm(op->implementation)) return std::nullopt;
  return op;
}

}  // namespace lbann::kernels::cpu
