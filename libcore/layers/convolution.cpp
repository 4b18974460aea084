// convolution: cross-correlation with zero padding, 1 to 3 spatial dims, groups and dilation.
// x [n,c,s..], w [k,c/groups,window..], b [k] -> y [n,k,o..].
// One spelling only: the reader of old files has turned conv_dims_i and the like into these fields, and has
// set has_bias to the default of the spelling.
#include "layers/convolution_fields.hpp"
#include "layers/families.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_convolution(LowerContext& ctx) {
  const ConvolutionFields f = read_convolution_fields(ctx, params_as<lbann_data::Layer::Convolution>(ctx));
  check_window_fits(ctx, f.window, "kernel_size");
  std::vector<graph::ValueId> operands{ctx.inputs()[0], ctx.weight(kernel_request(f, f.filters, f.channels))};
  if (f.has_bias) operands.push_back(ctx.weight({"_bias", {f.filters}}));
  return {ctx.b().add("conv", operands,
                      {{"strides", f.window.strides},
                       {"pads", f.window.pads},
                       {"dilations", f.window.dilations},
                       {"groups", f.groups},
                       {"act", std::string()}})};
}

}  // namespace

std::vector<LayerDef> convolution_layers() {
  return {{"convolution", "cross-correlation with a trained kernel", 1, 1, 2, lower_convolution}};
}

}  // namespace lbann::layers
