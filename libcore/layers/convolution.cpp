// convolution: cross-correlation with zero padding, 1 to 3 spatial dims, groups and dilation.
// x [n,c,s..], w [k,c/groups,window..], b [k] -> y [n,k,o..].
// One spelling only: the reader of old files has turned conv_dims_i and the like into these fields, and has
// set has_bias to the default of the spelling.
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

std::vector<graph::ValueId> lower_convolution(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Convolution>(ctx);
  const int rank = spatial_rank(ctx, p.num_dims());
  const std::int64_t c = sample_dims(ctx, 0)[0];
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
  check_window_fits(ctx, window, "kernel_size");

  std::vector<std::int64_t> dims{k, c / groups};
  dims.insert(dims.end(), window.size.begin(), window.size.end());
  WeightRequest kernel{"_kernel", tensor::Shape(dims)};
  kernel.initializer.kind = DefaultInitializer::Kind::he_normal;
  kernel.fan_in = kernel.shape.num_elements() / k;
  kernel.fan_out = kernel.shape.num_elements() / c;
  std::vector<graph::ValueId> operands{ctx.inputs()[0], ctx.weight(kernel)};
  if (!p.has_has_bias() || p.has_bias().value()) operands.push_back(ctx.weight({"_bias", {k}}));
  return {ctx.b().add("conv", operands,
                      {{"strides", window.strides},
                       {"pads", window.pads},
                       {"dilations", window.dilations},
                       {"groups", groups},
                       {"act", std::string()}})};
}

}  // namespace

std::vector<LayerDef> convolution_layers() {
  return {{"convolution", "cross-correlation with a trained kernel", 1, 1, 2, lower_convolution}};
}

}  // namespace lbann::layers
