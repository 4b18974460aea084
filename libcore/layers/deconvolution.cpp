// deconvolution: the adjoint of a convolution, 1 to 3 spatial dims (Zeiler et al., CVPR 2010).
// x [n,c,s..], w [c,k/groups,window..], b [k] -> y [n,k,o..],
// o = (s - 1) stride + dilation (window - 1) + 1 - 2 padding + output_padding.
//
// With the same kernel and parameters a convolution maps y's shape to x's; several extents of y do, and
// output_padding, 0 to stride - 1, chooses among them. So the layer is that convolution's gradient of the
// data, and its own gradients are that convolution and its gradient of the weights.
#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"
#include "layers/window.hpp"

namespace lbann::layers {
namespace {

std::vector<std::int64_t> list_of(const google::protobuf::RepeatedField<std::int64_t>& field) {
  return {field.begin(), field.end()};
}

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
  const int rank = spatial_rank(ctx, p.num_dims());
  const tensor::Shape in = sample_dims(ctx, 0);
  const std::int64_t c = in[0];
  if (!p.has_out_channels()) refuse_missing("out_channels");
  if (p.kernel_size_size() == 0) refuse_missing("kernel_size");
  const std::int64_t k = p.out_channels(), groups = p.has_groups() ? p.groups().value() : 1;
  check_range("out_channels", k, 1);
  check_range("groups", groups, 1);
  if (c % groups != 0) {
    refuse("groups-divide-channels", fmt::format("{} input channels not divisible by groups = {}", c, groups),
           "groups", "", parent_notes(ctx));
  }
  if (k % groups != 0) {
    refuse("groups-divide-channels", fmt::format("out_channels = {} not divisible by groups = {}", k, groups),
           "groups");
  }
  const Window window{per_dim("kernel_size", list_of(p.kernel_size()), rank, 1, 1),
                      per_dim("stride", list_of(p.stride()), rank, 1, 1),
                      per_dim("padding", list_of(p.padding()), rank, 0, 0),
                      per_dim("dilation", list_of(p.dilation()), rank, 1, 1)};
  const std::vector<std::int64_t> extents =
      output_extents(in, window, per_dim("output_padding", list_of(p.output_padding()), rank, 0, 0));

  std::vector<std::int64_t> dims{c, k / groups};
  dims.insert(dims.end(), window.size.begin(), window.size.end());
  WeightRequest kernel{"_kernel", tensor::Shape(dims)};
  kernel.initializer.kind = DefaultInitializer::Kind::he_normal;
  kernel.fan_in = kernel.shape.num_elements() / k;
  kernel.fan_out = kernel.shape.num_elements() / c;
  ops::Builder& b = ctx.b();
  const graph::ValueId w = ctx.weight(kernel);
  std::vector<std::int64_t> output{ctx.batch(), k};
  output.insert(output.end(), extents.begin(), extents.end());
  const graph::ValueId y = b.add("conv_bwd_data", {ctx.inputs()[0], w},
                                 {{"strides", window.strides},
                                  {"pads", window.pads},
                                  {"dilations", window.dilations},
                                  {"groups", groups},
                                  {"input_dims", output}});
  if (p.has_has_bias() && !p.has_bias().value()) return {y};
  std::vector<std::int64_t> column(static_cast<std::size_t>(rank) + 2, 1);
  column[1] = k;
  return {b.add2(y, b.reshape(ctx.weight({"_bias", {k}}), tensor::Shape(column)))};
}

}  // namespace

std::vector<LayerDef> deconvolution_layers() {
  return {{"deconvolution", "adjoint of a convolution with a trained kernel", 1, 1, 2, lower_deconvolution}};
}

}  // namespace lbann::layers
