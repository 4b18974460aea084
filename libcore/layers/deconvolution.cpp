// deconvolution: the adjoint of a convolution, 1 to 3 spatial dims (Zeiler et al., CVPR 2010).
// x [n,c,s..], w [c,k/groups,window..], b [k] -> y [n,k,o..],
// o = (s - 1) stride + dilation (window - 1) + 1 - 2 padding + output_padding.
//
// With the same kernel and parameters a convolution maps y's shape to x's; several extents of y do, and
// output_padding, 0 to stride - 1, chooses among them. So the layer is that convolution's gradient of the
// data, and its own gradients are that convolution and its gradient of the weights.
#include "layers/convolution_fields.hpp"
#include "layers/families.hpp"

namespace lbann::layers {
namespace {

/// Spatial extents of the output.
std::vector<std::int64_t> output_extents(const tensor::Shape& in, const Window& w,
                                         const std::vector<std::int64_t>& extra) {
  std::vector<std::int64_t> extents;
  for (std::size_t d = 0; d < w.size.size(); ++d) {
    if (extra[d] >= w.strides[d]) {
      refuse("value-out-of-range",
             fmt::format("output_padding = {} of spatial dim {}, must be below the stride {}", extra[d], d,
                         w.strides[d]),
             "output_padding");
    }
    const std::int64_t reach = w.dilations[d] * (w.size[d] - 1) + 1;
    const std::int64_t extent =
        (in[static_cast<int>(d) + 1] - 1) * w.strides[d] + reach - 2 * w.pads[d] + extra[d];
    if (extent < 1) {
      refuse("empty-output",
             fmt::format("spatial dim {} of the output has {} entries: ({} - 1) * {} + {} - 2 * {} + {}", d,
                         extent, in[static_cast<int>(d) + 1], w.strides[d], reach, w.pads[d], extra[d]),
             "padding");
    }
    extents.push_back(extent);
  }
  return extents;
}

std::vector<graph::ValueId> lower_deconvolution(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Deconvolution>(ctx);
  const ConvolutionFields f = read_convolution_fields(ctx, p);
  const std::vector<std::int64_t> extents = output_extents(
      sample_dims(ctx, 0), f.window, per_dim("output_padding", list_of(p.output_padding()), f.rank, 0, 0));
  ops::Builder& b = ctx.b();
  const graph::ValueId w = ctx.weight(kernel_request(f, f.channels, f.filters));
  std::vector<std::int64_t> output{ctx.batch(), f.filters};
  output.insert(output.end(), extents.begin(), extents.end());
  const graph::ValueId y = b.add("conv_bwd_data", {ctx.inputs()[0], w},
                                 {{"strides", f.window.strides},
                                  {"pads", f.window.pads},
                                  {"dilations", f.window.dilations},
                                  {"groups", f.groups},
                                  {"input_dims", output}});
  if (!f.has_bias) return {y};
  std::vector<std::int64_t> column(static_cast<std::size_t>(f.rank) + 2, 1);
  column[1] = f.filters;
  return {b.add2(y, b.reshape(ctx.weight({"_bias", {f.filters}}), tensor::Shape(column)))};
}

}  // namespace

std::vector<LayerDef> deconvolution_layers() {
  return {{"deconvolution", "adjoint of a convolution with a trained kernel", 1, 1, 2, lower_deconvolution}};
}

}  // namespace lbann::layers
