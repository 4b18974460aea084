// What convolution and deconvolution read alike from their messages, with the same refusals. Included by
// those two only: it needs the generated messages.
#pragma once

#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/helpers.hpp"
#include "layers/window.hpp"

namespace lbann::layers {

inline std::vector<std::int64_t> list_of(const google::protobuf::RepeatedField<std::int64_t>& field) {
  return {field.begin(), field.end()};
}

struct ConvolutionFields {
  int rank = 0;               // spatial dims
  std::int64_t channels = 0;  // of the parent
  std::int64_t filters = 0;   // out_channels
  std::int64_t groups = 1;
  bool has_bias = true;
  Window window;
};

template <class Message>
ConvolutionFields read_convolution_fields(LowerContext& ctx, const Message& p) {
  ConvolutionFields f;
  f.rank = spatial_rank(ctx, p.num_dims());
  f.channels = sample_dims(ctx, 0)[0];
  if (!p.has_out_channels()) refuse_missing("out_channels");
  if (p.kernel_size_size() == 0) refuse_missing("kernel_size");
  f.filters = p.out_channels();
  if (p.has_groups()) f.groups = p.groups().value();
  check_range("out_channels", f.filters, 1);
  check_range("groups", f.groups, 1);
  if (f.channels % f.groups != 0) {
    refuse("groups-divide-channels",
           fmt::format("{} input channels not divisible by groups = {}", f.channels, f.groups), "groups", "",
           parent_notes(ctx));
  }
  if (f.filters % f.groups != 0) {
    refuse("groups-divide-channels",
           fmt::format("out_channels = {} not divisible by groups = {}", f.filters, f.groups), "groups");
  }
  f.window = {per_dim("kernel_size", list_of(p.kernel_size()), f.rank, 1, 1),
              per_dim("stride", list_of(p.stride()), f.rank, 1, 1),
              per_dim("padding", list_of(p.padding()), f.rank, 0, 0),
              per_dim("dilation", list_of(p.dilation()), f.rank, 1, 1)};
  f.has_bias = !p.has_has_bias() || p.has_bias().value();
  return f;
}

/// The request for weights [rows, columns / groups, window...]: rows = filters and columns = channels of a
/// convolution, the reverse of a deconvolution.
inline WeightRequest kernel_request(const ConvolutionFields& f, std::int64_t rows, std::int64_t columns) {
  std::vector<std::int64_t> dims{rows, columns / f.groups};
  dims.insert(dims.end(), f.window.size.begin(), f.window.size.end());
  WeightRequest kernel{"_kernel", tensor::Shape(dims)};
  kernel.initializer.kind = DefaultInitializer::Kind::he_normal;
  kernel.fan_in = kernel.shape.num_elements() / f.filters;
  kernel.fan_out = kernel.shape.num_elements() / f.channels;
  return kernel;
}

}  // namespace lbann::layers
