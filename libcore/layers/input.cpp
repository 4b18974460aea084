// input: a data field of the reader enters the graph. x is fed, y = x [batch, dims of the field].
// The two-child form of old files is resolved before: here every input has one field.
#include "layers.pb.h"
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_input(LowerContext& ctx) {
  const auto& p = params_as<lbann_data::Layer::Input>(ctx);
  return {ctx.data_field(p.data_field().empty() ? "samples" : p.data_field())};
}

}  // namespace

std::vector<LayerDef> input_layers() {
  return {{"input", "a data field of the reader", 0, 0, 0, lower_input}};
}

}  // namespace lbann::layers
