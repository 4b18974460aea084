// local_response_normalization: y = x (k + alpha / w sum x'^2)^-beta, the sum over the w channels around each
// (Krizhevsky, Sutskever, Hinton, NIPS 2012, section 3.3; alpha divided by the window as in cuDNN and ONNX).
#include <cmath>

#include <fmt/format.h>

#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

void check_finite(std::string_view field, double value) {
  if (std::isfinite(value)) return;
  refuse("value-out-of-range", fmt::format("{} = {}, must be finite", field, value), std::string(field));
}

std::vector<graph::ValueId> lower_local_response_normalization(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::LocalResponseNormalization>(ctx);
  if (!p.has_window_width()) refuse_missing("window_width", "the number of channels, e.g. 5");
  check_range("window_width", p.window_width(), 1);
  check_finite("lrn_alpha", p.lrn_alpha());
  check_finite("lrn_beta", p.lrn_beta());
  check_finite("lrn_k", p.lrn_k());
  if (p.lrn_alpha() < 0 || p.lrn_k() < 0) {
    const bool alpha = p.lrn_alpha() < 0;
    refuse("value-out-of-range",
           fmt::format("{} = {}, must not be negative", alpha ? "lrn_alpha" : "lrn_k",
                       alpha ? p.lrn_alpha() : p.lrn_k()),
           alpha ? "lrn_alpha" : "lrn_k");
  }
  if (p.lrn_k() == 0) {
    ctx.warn({"absent-is-zero", "lrn_k is 0: where all channels of the window are 0, the result is 0 / 0",
              "lrn_k", "a common choice is lrn_k: 1"});
  }
  return {ctx.b().add("lrn", {ctx.inputs()[0]},
                      {{"size", std::int64_t{p.window_width()}},
                       {"alpha", p.lrn_alpha()},
                       {"beta", p.lrn_beta()},
                       {"k", p.lrn_k()}})};
}

}  // namespace

std::vector<LayerDef> local_response_normalization_layers() {
  return {{"local_response_normalization", "divides by a power of the neighbouring channels' energy", 1, 1, 0,
           lower_local_response_normalization}};
}

}  // namespace lbann::layers
