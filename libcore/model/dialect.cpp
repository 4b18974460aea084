// Look-up of old spellings, and the one old form that needs more than a new name: convolution.
#include "model/dialect.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "model/old_image_preprocessor.hpp"

namespace lbann::model {

const DialectRow* try_dialect(std::string_view message, std::string_view field) {
  const auto rows = dialect_rows();
  const auto key = std::tie(message, field);
  const auto row =
      std::lower_bound(rows.begin(), rows.end(), key, [](const DialectRow& r, const auto& wanted) {
        return std::tuple<std::string_view, std::string_view>(r.message, r.field) < wanted;
      });
  const bool found = row != rows.end() && row->message == message && row->field == field;
  return found ? &*row : nullptr;
}

bool holds_name_list(std::string_view message, std::string_view field) {
  if (message == "Layer") return field == "parents" || field == "children" || field == "weights";
  return message == "ObjectiveFunction.L2WeightRegularization" && field == "weights";
}

namespace {

const SyntaxField* find(const std::vector<SyntaxField>& fields, std::string_view name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

bool is_true(const SyntaxField* field) {
  if (field == nullptr) return false;
  const auto& text = field->value.text;
  return text == "true" || text == "True" || text == "t" || text == "1";
}

bool is_zero(const SyntaxValue& value) {
  return value.kind == SyntaxValue::Kind::integer && value.text == "0";
}

}  // namespace

bool read_old_convolution(std::string_view message, const SyntaxTree& tree, const TextRange& block,
                          std::vector<SyntaxField>& fields, base::Diagnostics& diagnostics) {
  const SyntaxField* old = nullptr;
  const SyntaxField* today = nullptr;
  for (const auto& field : fields) {
    const DialectRow* row = try_dialect(message, field.name);
    if (row != nullptr && row->action == DialectAction::convolution) {
      if (old == nullptr) old = &field;
      continue;
    }
    constexpr std::string_view new_names[] = {"out_channels", "kernel_size", "stride",        "padding",
                                              "dilation",     "groups",      "output_padding"};
    if (today == nullptr &&
        std::find(std::begin(new_names), std::end(new_names), field.name) != std::end(new_names))
      today = &field;
  }
  if (old == nullptr) return false;
  if (today != nullptr) {
    diagnostics.add(
        {base::Severity::error,
         "mixed-spellings",
         fmt::format("'{}' is the old spelling and '{}' today's: one layer must keep to one of them",
                     old->name, today->name),
         tree.span(old->name_range),
         {{fmt::format("'{}' is here", today->name), tree.span(today->name_range)}},
         ""});
    fields.clear();
    return true;
  }
  const bool vectors = is_true(find(fields, "has_vectors"));
  const std::string_view stride = vectors ? "conv_strides" : "conv_strides_i";
  if (find(fields, stride) == nullptr)
    diagnostics.error("stride-missing", tree.span(block),
                      fmt::format("'{}' is missing: in the old spelling the stride has no default", stride),
                      fmt::format("add {}: {}", stride, vectors ? "\"1 1\"" : "1"));
  std::vector<SyntaxField> translated;
  bool bias = false;
  for (auto& field : fields) {
    bias = bias || field.name == "has_bias";
    const DialectRow* row = try_dialect(message, field.name);
    if (row == nullptr || row->action != DialectAction::convolution) {
      translated.push_back(std::move(field));
      continue;
    }
    if (field.name == "has_vectors") continue;
    const bool scalar_form = field.name.ends_with("_i");
    const bool list_form = field.name.starts_with("conv_") && !scalar_form;
    if ((scalar_form && vectors) || (list_form && !vectors)) {
      diagnostics.add({base::Severity::note,
                       "no-effect",
                       fmt::format("'{}' has no effect because has_vectors is {}", field.name, vectors),
                       tree.span(field.name_range),
                       {},
                       ""});
      continue;
    }
    const bool zero_means_default = field.name == "num_groups" || field.name == "conv_dilations_i";
    if (zero_means_default && is_zero(field.value)) continue;
    field.name = row->target;
    translated.push_back(std::move(field));
  }
  if (!bias) {
    SyntaxField field;
    field.name = "has_bias";
    field.name_range = field.value.range = block;
    field.value.text = "false";
    translated.push_back(std::move(field));
  }
  fields = std::move(translated);
  return true;
}

SyntaxValue negated(SyntaxValue value) {
  const auto& text = value.text;
  if (value.negative ||
      (value.kind != SyntaxValue::Kind::identifier && value.kind != SyntaxValue::Kind::integer))
    return value;
  const bool yes = text == "true" || text == "True" || text == "t" || text == "1";
  const bool no = text == "false" || text == "False" || text == "f" || text == "0";
  if (!yes && !no) return value;
  value.kind = SyntaxValue::Kind::identifier;
  value.text = yes ? "false" : "true";
  return value;
}

std::vector<SyntaxField> rewrite_old_field(const DialectRow& row, const SyntaxField& field,
                                           const std::vector<SyntaxField>& siblings, const SyntaxTree& tree,
                                           base::Diagnostics& diagnostics) {
  const std::string_view old = field.name;
  if (old == "image_preprocessor") {
    const SyntaxField* name = find(siblings, "name");
    return translate_image_preprocessor(field, name == nullptr ? "" : std::string_view(name->value.text),
                                        tree, diagnostics);
  }
  SyntaxField today = field;
  today.name = row.target;
  if (old == "increasing_metric_mode") today.value = negated(field.value);
  if (old == "global_stats" && field.value.kind == SyntaxValue::Kind::identifier) {
    // The statistics of all ranks, or of each rank alone.
    today.value.kind = SyntaxValue::Kind::integer;
    today.value.text = "1";
    today.value.negative = is_true(&field);
  }
  if (old == "percent_of_data_to_use" && (is_zero(field.value) || field.value.text == "0.0")) {
    const SyntaxField* count = find(siblings, "absolute_sample_count");
    if (count != nullptr && !is_zero(count->value)) return {};
    today.value.kind = SyntaxValue::Kind::floating;
    today.value.text = "1.0";
  }
  return {std::move(today)};
}

}  // namespace lbann::model
