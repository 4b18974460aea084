// ONNX's Resize and Upsample: along every axis a choice of entries (nearest) or a fixed linear map.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "onnx/import/op_table.hpp"

namespace lbann::onnx {
namespace {

struct Sampling {
  std::string mode, coordinates, rounding;
  double cubic = -0.75, extrapolation = 0;
  bool exclude = false;
};

/// Where output entry i lies in the input.
double source(const Sampling& s, std::int64_t i, std::int64_t in, std::int64_t out, double scale,
              double roi_start, double roi_end) {
  const auto x = static_cast<double>(i), n = static_cast<double>(in), m = static_cast<double>(out);
  if (s.coordinates == "asymmetric") return x / scale;
  if (s.coordinates == "align_corners") return out == 1 ? 0 : x * (n - 1) / (m - 1);
  if (s.coordinates == "pytorch_half_pixel") return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
  if (s.coordinates == "half_pixel_symmetric") {
    const double adjustment = m / (scale * n), centre = n / 2;
    return centre * (1 - adjustment) + (x + 0.5) / scale - 0.5;
  }
  if (s.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
  if (s.coordinates == "tf_crop_and_resize") {
    if (out > 1) return roi_start * (n - 1) + x * (roi_end - roi_start) * (n - 1) / (m - 1);
    return 0.5 * (roi_start + roi_end) * (n - 1);
  }
  if (s.coordinates != "half_pixel") refuse("coordinates '" + s.coordinates + "'");
  return (x + 0.5) / scale - 0.5;
}

double rounded(const std::string& how, double x) {
  if (how == "floor") return std::floor(x);
  if (how == "ceil") return std::ceil(x);
  if (how == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);  // round_prefer_floor
}

double cubic_weight(double a, double t) {
  const double u = std::abs(t);
  if (u <= 1) return ((a + 2) * u - (a + 3)) * u * u + 1;
  return u < 2 ? ((a * u - 5 * a) * u + 8 * a) * u - 4 * a : 0;
}

/// One row of the map: weights of the entries of the input.
void add_row(const Sampling& s, double x, std::int64_t in, std::vector<double>& matrix) {
  std::vector<double> row(static_cast<std::size_t>(in), 0);
  const auto at = [&](std::int64_t i) -> double& {
    return row[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, in - 1))];
  };
  const auto base = static_cast<std::int64_t>(std::floor(x));
  const double t = x - std::floor(x);
  const int first = s.mode == "linear" ? 0 : -1, last = s.mode == "linear" ? 1 : 2;
  double sum = 0;
  for (int k = first; k <= last; ++k) {
    double weight = s.mode == "linear" ? (k == 0 ? 1 - t : t) : cubic_weight(s.cubic, t - k);
    if (s.exclude && (base + k < 0 || base + k >= in)) weight = 0;
    at(base + k) += weight;
    sum += weight;
  }
  if (s.exclude) {
    for (double& w : row) w /= sum;
  }
  matrix.insert(matrix.end(), row.begin(), row.end());
}

/// Whole factors of every spatial dim: our own layer.
bool try_upsample(Op& op, const std::vector<std::vector<std::int64_t>>& places) {
  Network& n = op.net();
  const Value& x = op.in(0);
  if (x.batch_axis() != 0 || x.rank() < 3 || x.rank() > 5) return false;
  Dims dims = x.dims;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (places[d].empty()) continue;
    const auto out = static_cast<std::int64_t>(places[d].size());
    if (d < 2 || out % dims[d] != 0) return false;
    const std::int64_t factor = out / dims[d];
    for (std::int64_t i = 0; i < out; ++i) {
      if (places[d][static_cast<std::size_t>(i)] != i / factor) return false;
    }
    dims[d] = out;
  }
  const Value y = n.add("upsample", {x}, dims, true, x.type);
  auto& p = *n.message(y).mutable_upsample();
  p.set_upsample_mode("nearest");
  p.set_num_dims(x.rank() - 2);
  p.set_has_vectors(true);
  for (std::size_t d = 2; d < dims.size(); ++d) p.add_scale_factors(dims[d] / x.dims[d]);
  op.out(y);
  return true;
}

void resize(Op& op, const Sampling& s, const std::vector<double>& scales,
            const std::vector<std::int64_t>& sizes, const std::vector<double>& roi) {
  const Value& x = op.in(0);
  const auto rank = static_cast<std::size_t>(x.rank());
  if (scales.size() != rank || sizes.size() != rank)
    refuse(fmt::format("{} scales for {}", scales.size(), to_text(x.dims)));
  if (s.mode != "nearest" && s.mode != "linear" && s.mode != "cubic") refuse("mode '" + s.mode + "'");
  std::vector<std::vector<std::int64_t>> places(rank);
  std::vector<std::vector<double>> positions(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t in = x.dims[d], out = sizes[d];
    const double from = roi.empty() ? 0 : roi[d], to = roi.empty() ? 1 : roi[d + rank];
    const bool crops = s.coordinates == "tf_crop_and_resize" && (from != 0 || to != 1);
    if (in == out && scales[d] == 1 && !crops) continue;
    if (in == batch_extent) throw NeedsWholeBatch("the mini-batch is resized");
    if (out < 1 || out > (1 << 20) || in > (1 << 20) || in * out > (1 << 26))
      refuse(fmt::format("an extent of {}", out));
    for (std::int64_t i = 0; i < out; ++i) positions[d].push_back(source(s, i, in, out, scales[d], from, to));
    if (s.mode != "nearest") continue;
    for (const double p : positions[d]) {
      if (crops && (p < 0 || p > static_cast<double>(in - 1))) refuse("a crop beyond the input");
      places[d].push_back(
          std::clamp(static_cast<std::int64_t>(rounded(s.rounding, p)), std::int64_t{0}, in - 1));
    }
  }
  if (s.mode == "nearest" && try_upsample(op, places)) return;
  Network& n = op.net();
  Value y = x;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t in = x.dims[d];
    if (positions[d].empty()) continue;
    if (s.mode == "nearest") {
      y = n.take(y, static_cast<int>(d), places[d]);
      continue;
    }
    std::vector<double> matrix, outside;
    bool leaves = false;
    for (const double p : positions[d]) {
      const bool out = s.coordinates == "tf_crop_and_resize" && (p < 0 || p > static_cast<double>(in - 1));
      outside.push_back(out ? 1 : 0);
      leaves = leaves || out;
      if (out) {
        matrix.insert(matrix.end(), static_cast<std::size_t>(in), 0);
      } else {
        add_row(s, p, in, matrix);
      }
    }
    const auto extent = static_cast<std::int64_t>(positions[d].size());
    y = n.linear_map(y, static_cast<int>(d), extent, matrix);
    if (!leaves) continue;
    Dims line(rank - d, 1);
    line[0] = extent;
    y = n.select(Network::known(line, outside), Network::known({}, std::vector<double>{s.extrapolation}), y);
  }
  op.out(y);
}

std::vector<std::int64_t> scaled(const Dims& dims, const std::vector<double>& scales) {
  std::vector<std::int64_t> sizes;
  for (std::size_t d = 0; d < std::min(dims.size(), scales.size()); ++d) {
    if (!(scales[d] > 0 && scales[d] < 1e6)) refuse(fmt::format("scale {}", scales[d]));
    sizes.push_back(scales[d] == 1
                        ? dims[d]
                        : static_cast<std::int64_t>(std::floor(static_cast<double>(dims[d]) * scales[d])));
  }
  return sizes;
}

void import_upsample(Op& op) {
  const std::vector<double> scales = op.has(1) ? op.reals(1, "the scales") : op.attr_reals("scales");
  const Sampling s{op.attr_text("mode", "nearest"), "asymmetric", "floor"};
  resize(op, s, scales, scaled(op.in(0).dims, scales), {});
}

void import_resize(Op& op) {
  const Dims& dims = op.in(0).dims;
  if (op.opset() < 11) {
    const std::vector<double>& scales = op.reals(1, "the scales");
    return resize(op, {op.attr_text("mode", "nearest"), "asymmetric", "floor"}, scales, scaled(dims, scales),
                  {});
  }
  if (op.attr("antialias", 0) != 0) refuse("antialias");
  Sampling s{op.attr_text("mode", "nearest"), op.attr_text("coordinate_transformation_mode", "half_pixel"),
             op.attr_text("nearest_mode", "round_prefer_floor")};
  s.cubic = op.attr_real("cubic_coeff_a", -0.75);
  s.exclude = op.attr("exclude_outside", 0) != 0;
  s.extrapolation = op.attr_real("extrapolation_value", 0);
  std::vector<std::int64_t> axes;
  for (const std::int64_t a : op.attr_ints("axes")) axes.push_back(Network::wrap(a, op.in(0).rank()));
  if (axes.empty()) {
    for (int d = 0; d < op.in(0).rank(); ++d) axes.push_back(d);
  }
  std::vector<double> scales(dims.size(), 1), roi;
  std::vector<std::int64_t> sizes = dims;
  const auto fits = [&](std::size_t n) {
    if (n != axes.size()) refuse(fmt::format("{} scales or sizes for {} axes", n, axes.size()));
  };
  const std::vector<double>* given =
      op.has(2) && !op.reals(2, "the scales").empty() ? &op.reals(2, "the scales") : nullptr;
  if (given != nullptr) {
    fits(given->size());
    for (std::size_t i = 0; i < axes.size(); ++i) scales[static_cast<std::size_t>(axes[i])] = (*given)[i];
    sizes = scaled(dims, scales);
  } else {
    std::vector<std::int64_t> target = op.ints(3, "the sizes");
    fits(target.size());
    const std::string policy = op.attr_text("keep_aspect_ratio_policy", "stretch");
    const auto ratio = [&](std::size_t i) {
      return static_cast<double>(target[i]) / static_cast<double>(dims[static_cast<std::size_t>(axes[i])]);
    };
    double common = ratio(0);
    for (std::size_t i = 1; i < target.size(); ++i) {
      common = policy == "not_larger" ? std::min(common, ratio(i)) : std::max(common, ratio(i));
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto d = static_cast<std::size_t>(axes[i]);
      if (dims[d] == batch_extent && (target[i] == batch_extent || target[i] == 1)) continue;
      scales[d] = policy == "stretch" ? ratio(i) : common;
      sizes[d] = policy == "stretch"
                     ? target[i]
                     : static_cast<std::int64_t>(std::floor(static_cast<double>(dims[d]) * common + 0.5));
    }
  }
  if (s.coordinates == "tf_crop_and_resize") {
    const std::vector<double>& list = op.reals(1, "the region");
    if (list.size() != 2 * axes.size()) refuse(fmt::format("a region of {} numbers", list.size()));
    roi.assign(2 * dims.size(), 0);
    std::fill(roi.begin() + static_cast<std::ptrdiff_t>(dims.size()), roi.end(), 1);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      roi[static_cast<std::size_t>(axes[i])] = list[i];
      roi[static_cast<std::size_t>(axes[i]) + dims.size()] = list[i + axes.size()];
    }
  }
  resize(op, s, scales, sizes, roi);
}

}  // namespace

std::vector<OpRow> resize_ops() {
  return {{"Resize", "upsample, gather or channelwise_fully_connected", import_resize,
           "antialias, sizes that are computed"},
          {"Upsample", "upsample, gather or channelwise_fully_connected", import_upsample,
           "scales that are computed"}};
}

}  // namespace lbann::onnx
