// See helpers.hpp.
#include "layers/helpers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/edit_distance.hpp"

namespace lbann::layers {

MadeWeight LowerContext::made_weight() {
  refuse("missing-weights", "names no weights that another layer has made", "",
         "list them in the layer's weights, and name that layer as hint_layer to run after it");
}

void refuse(std::string id, std::string message, std::string field, std::string help,
            std::vector<base::Note> notes) {
  throw LayerError{std::move(id), std::move(message), std::move(field), std::move(help), std::move(notes)};
}

void refuse_missing(std::string_view field, std::string help) {
  refuse("missing-field", fmt::format("needs '{}'", field), std::string(field), std::move(help));
}

void check_range(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  const bool below = value < low;
  refuse("value-out-of-range",
         fmt::format("{} = {}, must be at {} {}", field, value, below ? "least" : "most", below ? low : high),
         std::string(field));
}

void refuse_word(std::string_view field, std::string_view value, const std::vector<std::string>& words) {
  refuse("unknown-word", fmt::format("{} = '{}', must be one of {}", field, value, fmt::join(words, ", ")),
         std::string(field), base::did_you_mean(value, words));
}

tensor::Shape sample_dims(ops::Builder& b, graph::ValueId x) {
  const auto& dims = b.shape(x).dims();
  return tensor::Shape(std::vector<std::int64_t>(dims.begin() + 1, dims.end()));
}

tensor::Shape sample_dims(LowerContext& ctx, std::size_t i) { return sample_dims(ctx.b(), ctx.inputs()[i]); }

tensor::Shape with_batch(std::int64_t batch, const tensor::Shape& sample) {
  std::vector<std::int64_t> dims{batch};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  return tensor::Shape(std::move(dims));
}

graph::ValueId flatten(ops::Builder& b, graph::ValueId x) {
  if (b.shape(x).rank() == 2) return x;
  const std::int64_t size = sample_dims(b, x).num_elements();
  return b.reshape(x, {b.shape(x)[0], size});
}

std::vector<base::Note> parent_notes(LowerContext& ctx) {
  std::vector<base::Note> notes;
  for (std::size_t i = 0; i < ctx.inputs().size(); ++i) {
    notes.push_back(
        {fmt::format("'{}' produces {}", ctx.parent_name(i), sample_dims(ctx, i).to_string()), {}});
  }
  return notes;
}

void check_equal_dims(LowerContext& ctx) {
  const tensor::Shape first = sample_dims(ctx, 0);
  for (std::size_t i = 1; i < ctx.inputs().size(); ++i) {
    const tensor::Shape other = sample_dims(ctx, i);
    if (other == first) continue;
    const bool same_size = other.num_elements() == first.num_elements();
    refuse("dims-differ",
           fmt::format("parents '{}' {} and '{}' {} must have equal dims", ctx.parent_name(0),
                       first.to_string(), ctx.parent_name(i), other.to_string()),
           "", same_size ? "put a reshape between them: the numbers of entries agree" : "",
           parent_notes(ctx));
  }
}

graph::ValueId iota(ops::Builder& b, std::int64_t n, int axis, int rank, tensor::DataType type) {
  const std::vector<std::int64_t> ones(static_cast<std::size_t>(rank), 1);
  graph::ValueId list = b.fill(0, {type, tensor::Shape(ones), {}});
  for (std::int64_t have = 1; have < n; have *= 2) {  // by doubling
    graph::ValueId more = b.ewise("affine", {list}, 1, static_cast<double>(have));
    if (2 * have > n) {
      more = b.add("slice", {more},
                   {{"axis", std::int64_t{axis}}, {"start", std::int64_t{0}}, {"stop", n - have}});
    }
    list = b.add("concat", {list, more}, {{"axis", std::int64_t{axis}}});
  }
  return list;
}

graph::ValueId floor_to_index(ops::Builder& b, graph::ValueId x) {
  const graph::ValueId known = b.ewise("eq", {x, x});  // 0 for NaN
  const graph::ValueId floor = b.ewise("floor", {x});
  return b.cast(b.ewise("where", {known, floor, scalar_like(b, x, -1)}), tensor::DataType::i64);
}

int wrap_axis(std::string_view field, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    refuse("axis-out-of-range",
           fmt::format("{} = {}, but the input has {} dim{} (they count from 0, without the mini-batch)",
                       field, axis, rank, rank == 1 ? "" : "s"),
           std::string(field));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

graph::ValueId scalar_like(ops::Builder& b, graph::ValueId x, double value) {
  const std::vector<std::int64_t> ones(static_cast<std::size_t>(b.shape(x).rank()), 1);
  return b.fill(value, {b.spec(x).type, tensor::Shape(ones), {}});
}

}  // namespace lbann::layers
