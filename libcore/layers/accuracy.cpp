// categorical_accuracy: 1 where prediction and label have their maximum at the same entry, else 0; y [n,1].
// Ties: the smallest index; NaN is never a maximum (all NaN: index 0). No gradient.
#include "layers/families.hpp"
#include "layers/helpers.hpp"

namespace lbann::layers {
namespace {

std::vector<graph::ValueId> lower_categorical_accuracy(LowerContext& ctx) {
  check_equal_dims(ctx);
  ops::Builder& b = ctx.b();
  // Indices are compared as reals: exact up to 2^24 in f32.
  const bool small = sample_dims(ctx, 0).num_elements() < std::int64_t{1} << 24;
  const tensor::DataType exact = small ? ctx.type() : tensor::DataType::f64;
  std::vector<graph::ValueId> where;
  for (const graph::ValueId x : ctx.inputs()) {
    const graph::ValueId index =
        b.add("arg_reduce", {flatten(b, x)}, {{"fn", std::string("max")}, {"axis", std::int64_t{1}}});
    where.push_back(b.cast(index, exact));
  }
  return {b.cast(b.ewise("eq", {where[0], where[1]}), ctx.type())};
}

}  // namespace

std::vector<LayerDef> accuracy_layers() {
  return {{"categorical_accuracy", "1 where the largest entries agree, else 0", 2, 2, 0,
           lower_categorical_accuracy}};
}

}  // namespace lbann::layers
