// ONNX's sliding windows: Conv, ConvTranspose, the pools, LRN.
//
// Our layers pad alike on both sides; ONNX names every side. What is lopsided is padded by layers of its own,
// and an average is put right by the constant ratio of entries counted.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

using Ints = std::vector<std::int64_t>;

struct WindowSpec {
  Ints kernel, strides, dilations, begin, end, out;
  bool symmetric() const { return begin == end; }
};

std::int64_t reach(const WindowSpec& w, std::size_t d) { return w.dilations[d] * (w.kernel[d] - 1) + 1; }

Ints list_or(const Ints& list, std::size_t n, std::int64_t fallback, const char* what) {
  if (list.empty()) return Ints(n, fallback);
  if (list.size() != n) refuse(fmt::format("{} of {} entries for {} spatial dims", what, list.size(), n));
  return list;
}

/// `in`: spatial extents.
WindowSpec read_window(const Op& op, const Ints& in, Ints kernel) {
  const std::size_t n = in.size();
  WindowSpec w;
  w.kernel = std::move(kernel);
  w.strides = list_or(op.attr_ints("strides"), n, 1, "strides");
  w.dilations = list_or(op.attr_ints("dilations"), n, 1, "dilations");
  const Ints pads = list_or(op.attr_ints("pads"), 2 * n, 0, "pads");
  w.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(n));
  w.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(n), pads.end());
  for (std::size_t d = 0; d < n; ++d) {
    const bool bad = w.kernel[d] < 1 || w.strides[d] < 1 || w.dilations[d] < 1 || w.kernel[d] > (1 << 20) ||
                     w.strides[d] > (1 << 20) || w.dilations[d] > (1 << 20) ||
                     std::abs(w.begin[d]) > (1 << 24) || std::abs(w.end[d]) > (1 << 24);
    if (bad)
      refuse(fmt::format("window {} with stride {}, dilation {}", w.kernel[d], w.strides[d], w.dilations[d]));
  }
  const std::string how = op.attr_text("auto_pad", "NOTSET");
  const bool ceil = op.attr("ceil_mode", 0) != 0;
  for (std::size_t d = 0; d < n; ++d) {
    if (how == "VALID") w.begin[d] = w.end[d] = 0;
    if (how == "SAME_UPPER" || how == "SAME_LOWER") {
      const std::int64_t out = (in[d] + w.strides[d] - 1) / w.strides[d];
      const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * w.strides[d] + reach(w, d) - in[d]);
      w.begin[d] = how == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.end[d] = total - w.begin[d];
    }
    const std::int64_t room = in[d] + w.begin[d] + w.end[d] - reach(w, d);
    if (room < 0)
      refuse(fmt::format("a window of {} in {} entries", reach(w, d), in[d] + w.begin[d] + w.end[d]));
    std::int64_t out = room / w.strides[d] + 1;
    // A last window that begins behind the input is left out.
    if (ceil && room % w.strides[d] != 0 && out * w.strides[d] < in[d] + w.begin[d]) ++out;
    w.out.push_back(out);
  }
  return w;
}

Ints spatial(const Value& x) {
  if (x.rank() < 3) refuse(fmt::format("{} has no spatial dims", to_text(x.dims)));
  return Ints(x.dims.begin() + 2, x.dims.end());
}

/// f on every sample [C,s..]: directly where there is a mini-batch, else one after the other.
Value per_sample(Network& n, const Value& given, const std::function<Value(const Value&)>& f) {
  const Value x = n.materialize(given);
  if (x.batch_axis() > 0) throw NeedsWholeBatch("the mini-batch is not the first dim");
  if (x.batched) return f(x);
  std::vector<Value> parts;
  if (x.dims[0] > 64) refuse(fmt::format("{} images in one sample", x.dims[0]));
  for (std::int64_t i = 0; i < x.dims[0]; ++i) {
    Value one = n.slice(x, 0, i, i + 1);
    one = n.reshape(one, Dims(x.dims.begin() + 1, x.dims.end()));
    // Seen as a mini-batch of whatever size: the layers inside are the same.
    one.dims.insert(one.dims.begin(), batch_extent);
    one.batched = true;
    Value y = f(one);
    y.batched = false;
    y.dims.erase(y.dims.begin());
    Dims dims = y.dims;
    dims.insert(dims.begin(), 1);
    parts.push_back(n.reshape(y, dims));
  }
  return n.concat(parts, 0);
}

Value padded(Network& n, Value x, const Ints& begin, const Ints& end, double value) {
  for (std::size_t d = 0; d < begin.size(); ++d) {
    x = n.pad(x, static_cast<int>(d) + 2, begin[d], end[d], value);
  }
  return x;
}

Ints kernel_of(const Op& op, const Dims& w) {
  const Ints kernel(w.begin() + 2, w.end());
  const Ints given = op.attr_ints("kernel_shape");
  if (!given.empty() && given != kernel) {
    refuse(fmt::format("kernel_shape {}, but the weights are {}", to_text(given), to_text(w)));
  }
  return kernel;
}

template <class Message>
void set_window(Message& p, const WindowSpec& w, const Ints& pads, std::int64_t filters, std::int64_t groups,
                bool bias) {
  p.set_num_dims(static_cast<std::int64_t>(w.kernel.size()));
  p.set_out_channels(filters);
  for (std::size_t d = 0; d < w.kernel.size(); ++d) {
    p.add_kernel_size(w.kernel[d]);
    p.add_stride(w.strides[d]);
    p.add_padding(pads[d]);
    p.add_dilation(w.dilations[d]);
  }
  p.mutable_groups()->set_value(groups);
  p.mutable_has_bias()->set_value(bias);
}

void check_channels(const Value& x, std::int64_t channels, std::int64_t groups, std::int64_t filters) {
  if (groups < 1 || x.dims[1] != channels || channels % groups != 0 || filters % groups != 0) {
    refuse(fmt::format("weights for {} channels and {} filters in {} groups, the input is {}", channels,
                       filters, groups, to_text(x.dims)));
  }
}

void import_conv(Op& op) {
  Network& n = op.net();
  const ConstantPtr& weights = op.constant(1, "the kernel");
  const Dims& wd = weights->dims();
  const Ints in = spatial(op.in(0));
  if (wd.size() != in.size() + 2)
    refuse(fmt::format("weights {} for {}", to_text(wd), to_text(op.in(0).dims)));
  if (in.size() > 3) refuse(fmt::format("{} spatial dims, above 3", in.size()));
  const std::int64_t groups = op.attr("group", 1);
  if (groups < 1 || groups > (1 << 24)) refuse(fmt::format("{} groups", groups));
  check_channels(op.in(0), wd[1] * groups, groups, wd[0]);
  const WindowSpec w = read_window(op, in, kernel_of(op, wd));
  const ConstantPtr bias = op.has(2) ? op.constant(2, "the bias") : nullptr;
  op.out(per_sample(n, op.in(0), [&](const Value& given) {
    const bool direct = w.symmetric() && *std::min_element(w.begin.begin(), w.begin.end()) >= 0;
    const Value x = direct ? given : padded(n, given, w.begin, w.end, 0);
    Dims dims{x.dims[0], wd[0]};
    dims.insert(dims.end(), w.out.begin(), w.out.end());
    const Value y = n.add("convolution", {x}, dims, x.batched, x.type);
    set_window(*n.message(y).mutable_convolution(), w, direct ? w.begin : Ints(in.size(), 0), wd[0], groups,
               bias != nullptr);
    n.add_weight(y, weights, wd, "kernel");
    if (bias != nullptr) n.add_weight(y, bias, {wd[0]}, "bias");
    return y;
  }));
}

void import_conv_transpose(Op& op) {
  Network& n = op.net();
  const ConstantPtr& weights = op.constant(1, "the kernel");
  const Dims& wd = weights->dims();
  const Ints in = spatial(op.in(0));
  if (wd.size() != in.size() + 2)
    refuse(fmt::format("weights {} for {}", to_text(wd), to_text(op.in(0).dims)));
  if (in.size() > 3) refuse(fmt::format("{} spatial dims, above 3", in.size()));
  const std::int64_t groups = op.attr("group", 1);
  if (groups < 1 || groups > (1 << 24)) refuse(fmt::format("{} groups", groups));
  const std::int64_t filters = wd[1] * groups;
  check_channels(op.in(0), wd[0], groups, filters);
  WindowSpec w;
  w.kernel = kernel_of(op, wd);
  w.strides = list_or(op.attr_ints("strides"), in.size(), 1, "strides");
  w.dilations = list_or(op.attr_ints("dilations"), in.size(), 1, "dilations");
  const Ints pads = list_or(op.attr_ints("pads"), 2 * in.size(), 0, "pads");
  const Ints extra = list_or(op.attr_ints("output_padding"), in.size(), 0, "output_padding");
  const Ints wanted = op.attr_ints("output_shape");
  const std::string how = op.attr_text("auto_pad", "NOTSET");
  const bool same = how == "SAME_UPPER" || how == "SAME_LOWER";
  for (std::size_t d = 0; d < in.size(); ++d) {
    if (w.strides[d] < 1 || w.dilations[d] < 1 || w.strides[d] > (1 << 20) || w.dilations[d] > (1 << 20)) {
      refuse(fmt::format("stride {}, dilation {}", w.strides[d], w.dilations[d]));
    }
    if (extra[d] >= w.strides[d])
      refuse(fmt::format("output_padding {} with stride {}", extra[d], w.strides[d]));
    w.begin.push_back(how == "VALID" ? 0 : pads[d]);
    w.end.push_back(how == "VALID" ? 0 : pads[d + in.size()]);
    const std::int64_t full = (in[d] - 1) * w.strides[d] + reach(w, d) + extra[d];
    if (!wanted.empty() || same) {
      const std::int64_t target =
          wanted.empty() ? in[d] * w.strides[d] : wanted.at(wanted.size() - in.size() + d);
      // What is beyond the full extent is padding at the end.
      const std::int64_t total = full - target;
      w.begin[d] = total < 0 ? 0 : how == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.end[d] = total - w.begin[d];
    }
    w.out.push_back(full - w.begin[d] - w.end[d]);
  }
  const ConstantPtr bias = op.has(2) ? op.constant(2, "the bias") : nullptr;
  op.out(per_sample(n, op.in(0), [&](const Value& x) {
    const bool direct = w.symmetric() && *std::min_element(w.begin.begin(), w.begin.end()) >= 0;
    Dims dims{x.dims[0], filters};
    for (std::size_t d = 0; d < in.size(); ++d) {
      dims.push_back(direct ? w.out[d] : (in[d] - 1) * w.strides[d] + reach(w, d) + extra[d]);
    }
    Value y = n.add("deconvolution", {x}, dims, x.batched, x.type);
    auto& p = *n.message(y).mutable_deconvolution();
    set_window(p, w, direct ? w.begin : Ints(in.size(), 0), filters, groups, bias != nullptr && direct);
    for (const std::int64_t e : extra) p.add_output_padding(e);
    n.add_weight(y, weights, wd, "kernel");
    if (direct) {
      if (bias != nullptr) n.add_weight(y, bias, {filters}, "bias");
      return y;
    }
    Ints before, after;
    for (std::size_t d = 0; d < in.size(); ++d) {
      before.push_back(-w.begin[d]);
      after.push_back(-w.end[d]);
    }
    y = padded(n, y, before, after, 0);
    if (bias == nullptr) return y;
    Dims column(in.size() + 1, 1);
    column[0] = filters;
    return n.binary("Add", y, n.reshape(op.in(2), column));
  }));
}

// ---- pools --------------------------------------------------------------------------------------

Value pool_layer(Network& n, const Value& x, const WindowSpec& w, const std::string& mode, const Ints& pads) {
  Dims dims{x.dims[0], x.dims[1]};
  dims.insert(dims.end(), w.out.begin(), w.out.end());
  const Value y = n.add("pooling", {x}, dims, x.batched, x.type);
  auto& p = *n.message(y).mutable_pooling();
  p.set_pool_mode(mode);
  p.set_num_dims(static_cast<std::int64_t>(w.kernel.size()));
  p.set_has_vectors(true);
  for (std::size_t d = 0; d < w.kernel.size(); ++d) {
    p.add_pool_dims(w.kernel[d]);
    p.add_pool_pads(pads[d]);
    p.add_pool_strides(w.strides[d]);
  }
  return y;
}

/// The maximum (sum) over a dilated window, entry of the window by entry.
Value dilated(Network& n, const Value& x, const WindowSpec& w, const char* combine) {
  std::int64_t count = 1;
  for (const std::int64_t k : w.kernel) count *= k;
  if (count > 64) refuse(fmt::format("a dilated window of {} entries", count));
  Value y;
  for (std::int64_t i = 0; i < count; ++i) {
    Value part = x;
    std::int64_t rest = i;
    for (std::size_t d = 0; d < w.kernel.size(); ++d) {
      Ints list;
      for (std::int64_t o = 0; o < w.out[d]; ++o)
        list.push_back(o * w.strides[d] + rest % w.kernel[d] * w.dilations[d]);
      rest /= w.kernel[d];
      part = n.take(part, static_cast<int>(d) + 2, list);
    }
    y = i == 0 ? part : n.binary(combine, y, part);
  }
  return y;
}

/// Entries counted by every window, [1,1,out..]: inside the input, or with `include` inside its padding too.
Value window_counts(const WindowSpec& w, const Ints& in, bool include, double numerator) {
  Dims dims{1, 1};
  std::vector<double> counts{1};
  for (std::size_t d = 0; d < in.size(); ++d) {
    const std::int64_t low = include ? -w.begin[d] : 0, high = in[d] + (include ? w.end[d] : 0);
    std::vector<double> next;
    for (const double before : counts) {
      for (std::int64_t o = 0; o < w.out[d]; ++o) {
        std::int64_t inside = 0;
        for (std::int64_t k = 0; k < w.kernel[d]; ++k) {
          const std::int64_t at = o * w.strides[d] - w.begin[d] + k * w.dilations[d];
          inside += at >= low && at < high;
        }
        next.push_back(before * static_cast<double>(inside));
      }
    }
    counts = next;
    dims.push_back(w.out[d]);
  }
  for (double& c : counts) c = numerator / c;
  return Network::known(dims, counts);
}

void import_pool(Op& op) {
  Network& n = op.net();
  const Ints in = spatial(op.in(0));
  if (in.size() > 3) refuse(fmt::format("{} spatial dims, above 3", in.size()));
  const Ints kernel = op.attr_ints("kernel_shape");
  if (kernel.size() != in.size())
    refuse(fmt::format("kernel_shape {} for {}", to_text(kernel), to_text(op.in(0).dims)));
  const WindowSpec w = read_window(op, in, kernel);
  const bool max = op.type() == "MaxPool", lp = op.type() == "LpPool";
  const bool include = !lp && op.attr("count_include_pad", 0) != 0;
  if (op.attr("storage_order", 0) != 0 && op.wants(1)) refuse("storage_order");
  const double p = lp ? static_cast<double>(op.attr("p", 2)) : 1,
               size = static_cast<double>(count_elements(kernel));
  const auto power = [&](const Value& v, double e) {
    return n.binary("Pow", v, Network::known({}, std::vector<double>{e}));
  };
  op.out(0, per_sample(n, op.in(0), [&](const Value& given) {
           Ints needed_end;  // so that the last window is whole
           bool plain = w.symmetric(), is_dilated = false;
           for (std::size_t d = 0; d < in.size(); ++d) {
             needed_end.push_back((w.out[d] - 1) * w.strides[d] + reach(w, d) - in[d] - w.begin[d]);
             plain = plain && w.begin[d] >= 0 && w.begin[d] < w.kernel[d] && needed_end[d] <= w.end[d];
             is_dilated = is_dilated || w.dilations[d] != 1;
           }
           const Value x = lp ? power(n.unary("Abs", given), p) : given;
           if (plain && !is_dilated && !lp) {
             return pool_layer(n, x, w, max ? "max" : include ? "average" : "average_no_pad", w.begin);
           }
           const double outside = max ? -std::numeric_limits<double>::infinity() : 0;
           const Value wide = padded(n, x, w.begin, needed_end, outside);
           if (max)
             return is_dilated ? dilated(n, wide, w, "Max")
                               : pool_layer(n, wide, w, "max", Ints(in.size(), 0));
           Value sum = is_dilated ? dilated(n, wide, w, "Add")
                                  : pool_layer(n, wide, w, "average", Ints(in.size(), 0));
           if (lp) return power(is_dilated ? sum : n.with_constant("Scale", sum, size), 1 / p);
           return n.binary("Multiply", sum, window_counts(w, in, include, is_dilated ? 1 : size));
         }));
}

void import_lrn(Op& op) {
  Network& n = op.net();
  op.out(per_sample(n, op.in(0), [&](const Value& x) {
    const Value y = n.add("lrn", {x}, x.dims, x.batched, x.type);
    auto& p = *n.message(y).mutable_local_response_normalization();
    p.set_window_width(op.attr("size", 1));
    p.set_lrn_alpha(op.attr_real("alpha", 1e-4));
    p.set_lrn_beta(op.attr_real("beta", 0.75));
    p.set_lrn_k(op.attr_real("bias", 1));
    return y;
  }));
}

}  // namespace

std::vector<OpRow> window_ops() {
  return {{"Conv", "convolution", import_conv, "a kernel that is computed, more than 3 spatial dims"},
          {"ConvTranspose", "deconvolution", import_conv_transpose,
           "a kernel that is computed, more than 3 spatial dims"},
          {"MaxPool", "pooling", import_pool, "the output Indices"},
          {"AveragePool", "pooling", import_pool},
          {"LpPool", "pooling, operator Pow", import_pool},
          {"LRN", "local_response_normalization", import_lrn}};
}

}  // namespace lbann::onnx
