// See old_image_preprocessor.hpp. Every field made here carries the place of the old step.
#include "model/old_image_preprocessor.hpp"

#include <algorithm>
#include <initializer_list>
#include <numbers>

#include <fmt/format.h>

#include "base/edit_distance.hpp"

namespace lbann::model {
namespace {

using Kind = SyntaxValue::Kind;
using Fields = std::vector<SyntaxField>;

struct Step {
  const char* name;
  std::vector<std::string> fields;
};

const std::vector<Step>& known_steps() {
  static const std::vector<Step> steps{
      {"cropper",
       {"name", "disable", "crop_randomly", "crop_width", "crop_height", "resized_width", "resized_height",
        "adaptive_interpolation"}},
      {"resizer", {"name", "disable", "resized_width", "resized_height", "adaptive_interpolation"}},
      {"augmenter",
       {"name", "disable", "horizontal_flip", "vertical_flip", "rotation", "horizontal_shift",
        "vertical_shift", "shear_range"}},
      {"decolorizer", {"name", "disable", "pick_1ch"}},
      {"colorizer", {"name", "disable"}},
      {"subtractor", {"name", "disable", "image_to_sub", "image_to_div", "channel_mean", "channel_stddev"}},
      {"normalizer", {"name", "disable", "scale", "subtract_mean", "unit_variance", "z_score"}},
      {"noiser", {"name", "disable", "factor"}},
      {"patch_extractor",
       {"name", "disable", "patch_width", "patch_height", "patch_gap", "patch_jitter", "centering_mode",
        "ca_correction_mode"}}};
  return steps;
}

class Translator {
public:
  Translator(const SyntaxField& old, std::string_view reader, const SyntaxTree& tree,
             base::Diagnostics& diagnostics)
    : old_(old),
      images_(reader == "imagenet" || reader == "cifar10"),
      reader_(reader),
      tree_(tree),
      diagnostics_(diagnostics) {}

  Fields translate() {
    if (old_.value.kind != Kind::message) {
      diagnostics_.error("wrong-type", tree_.span(old_.value.range),
                         "'image_preprocessor' takes a block { ... }");
      return {};
    }
    check_names();
    const bool disabled = is_true(find(old_.value, "disable"));
    if (!disabled) {
      add_size_steps();
      add_augmenter();
      add_colours();
      refuse_without_equivalent();
    }
    add_numbers(disabled);
    return std::move(out_);
  }

private:
  static const SyntaxField* find(const SyntaxValue& block, std::string_view name) {
    for (const auto& field : block.fields)
      if (field.name == name) return &field;
    return nullptr;
  }

  static bool is_true(const SyntaxField* field) {
    if (field == nullptr) return false;
    const auto& text = field->value.text;
    return text == "true" || text == "True" || text == "t" || text == "1";
  }

  /// A step that is given and not disabled.
  const SyntaxField* step(std::string_view name) const {
    const SyntaxField* found = find(old_.value, name);
    if (found == nullptr || found->value.kind != Kind::message || is_true(find(found->value, "disable")))
      return nullptr;
    return found;
  }

  void error(const SyntaxField& at, std::string message, std::string help) {
    diagnostics_.error("old-field", tree_.span(at.name_range), std::move(message), std::move(help));
  }

  void unknown(const SyntaxField& at, std::string_view where, const std::vector<std::string>& names) {
    diagnostics_.error("unknown-field", tree_.span(at.name_range),
                       fmt::format("there is no field '{}' in {}", at.name, where),
                       base::did_you_mean(at.name, names));
  }

  void check_names() {
    std::vector<std::string> names{"name",       "disable",          "early_normalization",
                                   "raw_height", "raw_num_channels", "raw_width"};
    const std::size_t plain = names.size();
    for (const auto& known : known_steps()) names.emplace_back(known.name);
    for (const auto& field : old_.value.fields) {
      const auto at = std::find(names.begin(), names.end(), field.name);
      if (at == names.end()) {
        unknown(field, "image_preprocessor", names);
        continue;
      }
      const auto index = static_cast<std::size_t>(at - names.begin());
      if (index < plain) continue;
      const Step& known = known_steps()[index - plain];
      for (const auto& inner : field.value.fields)
        if (std::find(known.fields.begin(), known.fields.end(), inner.name) == known.fields.end())
          unknown(inner, known.name, known.fields);
    }
  }

  SyntaxField copy_of(const SyntaxField& field, std::string name) const {
    SyntaxField copy = field;
    copy.name = std::move(name);
    return copy;
  }

  SyntaxField scalar(const SyntaxField& at, std::string name, Kind kind, std::string text) const {
    SyntaxField field;
    field.name = std::move(name);
    field.name_range = at.name_range;
    field.value.kind = kind;
    field.value.negative = kind != Kind::string && text.starts_with('-');
    field.value.text = field.value.negative ? text.substr(1) : std::move(text);
    field.value.range = at.value.range;
    return field;
  }

  void add(const SyntaxField& at, std::string transform, Fields fields) {
    SyntaxField inner;
    inner.name = std::move(transform);
    inner.name_range = at.name_range;
    inner.value.kind = Kind::message;
    inner.value.range = at.value.range;
    inner.value.fields = std::move(fields);
    SyntaxField outer = inner;
    outer.name = "transforms";
    outer.value.fields = {std::move(inner)};
    out_.push_back(std::move(outer));
  }

  bool only_on_images(const SyntaxField& at) {
    if (images_) return true;
    error(
        at,
        fmt::format("'{}' of image_preprocessor has no equivalent for a reader that yields numbers", at.name),
        fmt::format("reader '{}' yields numbers, imagenet and cifar10 yield images", reader_));
    return false;
  }

  /// The fields of `from` that are given and not 0, under today's names.
  Fields renamed(const SyntaxField& from,
                 std::initializer_list<std::pair<const char*, const char*>> names) const {
    Fields fields;
    for (const auto& [old_name, new_name] : names) {
      const SyntaxField* field = find(from.value, old_name);
      if (field != nullptr && field->value.text != "0") fields.push_back(copy_of(*field, new_name));
    }
    return fields;
  }

  void add_size_steps() {
    if (const SyntaxField* cropper = step("cropper"); cropper != nullptr && only_on_images(*cropper)) {
      const bool random = is_true(find(cropper->value, "crop_randomly"));
      Fields size = renamed(*cropper, {{"resized_height", "height"}, {"resized_width", "width"}});
      if (size.empty()) {
        add(*cropper, random ? "random_crop" : "center_crop",
            renamed(*cropper, {{"crop_height", "height"}, {"crop_width", "width"}}));
      } else {
        for (auto& field : renamed(*cropper, {{"crop_height", "crop_height"}, {"crop_width", "crop_width"}}))
          size.push_back(std::move(field));
        add(*cropper, random ? "random_resized_crop_with_fixed_aspect_ratio" : "resized_center_crop",
            std::move(size));
      }
      note_interpolation(*cropper);
    }
    if (const SyntaxField* resizer = step("resizer"); resizer != nullptr && only_on_images(*resizer)) {
      add(*resizer, "resize", renamed(*resizer, {{"resized_height", "height"}, {"resized_width", "width"}}));
      note_interpolation(*resizer);
    }
  }

  void note_interpolation(const SyntaxField& at) {
    const SyntaxField* adaptive = find(at.value, "adaptive_interpolation");
    if (!is_true(adaptive)) return;
    diagnostics_.warning("no-effect", tree_.span(adaptive->name_range),
                         "'adaptive_interpolation' has no effect: images are resized bilinearly");
  }

  void add_augmenter() {
    const SyntaxField* augmenter = step("augmenter");
    if (augmenter == nullptr || !only_on_images(*augmenter)) return;
    for (const char* flip : {"horizontal_flip", "vertical_flip"})
      if (const SyntaxField* field = find(augmenter->value, flip); is_true(field))
        add(*field, flip, {scalar(*field, "p", Kind::floating, "0.5")});
    Fields affine;
    if (const SyntaxField* rotation = find(augmenter->value, "rotation"); given(rotation)) {
      affine.push_back(scalar(*rotation, "rotate_min", Kind::floating, "-" + rotation->value.text));
      affine.push_back(scalar(*rotation, "rotate_max", Kind::floating, rotation->value.text));
    }
    if (const SyntaxField* shift = find(augmenter->value, "vertical_shift"); given(shift))
      affine.push_back(copy_of(*shift, "translate_h"));
    if (const SyntaxField* shift = find(augmenter->value, "horizontal_shift"); given(shift))
      affine.push_back(copy_of(*shift, "translate_w"));
    if (const SyntaxField* shear = find(augmenter->value, "shear_range"); given(shear)) {
      // Radians then, degrees now.
      const std::string degrees =
          fmt::format("{:.9g}", std::stod(shear->value.text) * 180 / std::numbers::pi);
      affine.push_back(scalar(*shear, "shear_min", Kind::floating, "-" + degrees));
      affine.push_back(scalar(*shear, "shear_max", Kind::floating, degrees));
    }
    if (!affine.empty()) add(*augmenter, "random_affine", std::move(affine));
  }

  /// A number other than 0; anything else is reported.
  bool given(const SyntaxField* field) {
    if (field == nullptr) return false;
    const bool number = field->value.kind == Kind::integer || field->value.kind == Kind::floating;
    if (!number || field->value.negative || field->value.text.size() > 40) {
      diagnostics_.error("wrong-type", tree_.span(field->value.range),
                         fmt::format("'{}' takes a number that is not negative", field->name));
      return false;
    }
    return field->value.text.find_first_of("123456789") != std::string::npos;
  }

  void add_colours() {
    if (const SyntaxField* grey = step("decolorizer"); grey != nullptr && only_on_images(*grey)) {
      const SyntaxField* pick = find(grey->value, "pick_1ch");
      if (is_true(pick))
        error(*pick, "'pick_1ch' of image_preprocessor has no equivalent: no transform picks one channel",
              "without it the three channels are averaged");
      add(*grey, "grayscale", {});
    }
    if (const SyntaxField* colour = step("colorizer"); colour != nullptr && only_on_images(*colour))
      add(*colour, "colorize", {});
  }

  void refuse_without_equivalent() {
    for (const char* name : {"noiser", "patch_extractor"})
      if (const SyntaxField* found = step(name))
        error(*found, fmt::format("'{}' of image_preprocessor has no equivalent any more", name),
              "remove it, or set disable: true in it");
  }

  /// "0.4 0.5 0.6" of the numbers that a repeated field holds.
  std::string joined(const SyntaxField& block, std::string_view name) const {
    std::string text;
    const auto append = [&](const SyntaxValue& value) {
      text += (text.empty() ? "" : " ") + std::string(value.negative ? "-" : "") + value.text;
    };
    for (const auto& field : block.value.fields) {
      if (field.name != name) continue;
      if (field.value.kind != Kind::list) append(field.value);
      for (const auto& item : field.value.items) append(item);
    }
    return text;
  }

  /// True if the step has made a tensor of the image.
  bool add_subtractor() {
    const SyntaxField* step_given = step("subtractor");
    if (step_given == nullptr || !only_on_images(*step_given)) return false;
    for (const char* name : {"image_to_sub", "image_to_div"})
      if (const SyntaxField* field = find(step_given->value, name))
        error(*field,
              fmt::format("'{}' of image_preprocessor has no equivalent: no transform reads an image", name),
              "write channel_mean and channel_stddev");
    const std::string means = joined(*step_given, "channel_mean");
    std::string deviations = joined(*step_given, "channel_stddev");
    if (means.empty() && deviations.empty()) return false;
    const auto channels = 1 + std::count(means.begin(), means.end(), ' ');
    if (deviations.empty()) {
      deviations = "1";
      for (auto i = channels; i > 1; --i) deviations += " 1";
    }
    const std::string zeros = fmt::format("{}", fmt::join(std::vector<int>(3, 0), " "));
    add(*step_given, "normalize_to_lbann_layout",
        {scalar(*step_given, "means", Kind::string, means.empty() ? zeros : means),
         scalar(*step_given, "stddevs", Kind::string, deviations)});
    return true;
  }

  void add_numbers(bool disabled) {
    if (!disabled && add_subtractor()) return;
    const SyntaxField* normalizer = disabled ? nullptr : step("normalizer");
    bool scale = true;  // what every old file got that did not say otherwise
    if (normalizer != nullptr) {
      const auto on = [&](const char* name) { return is_true(find(normalizer->value, name)); };
      const bool centred = on("subtract_mean");
      const bool unit = on("unit_variance");
      scale = on("scale") || find(normalizer->value, "name") != nullptr;
      if (on("z_score") || (centred && unit)) {
        if (!images_) return add(*normalizer, "sample_normalize", {});
        error(*normalizer, "'normalizer' of image_preprocessor normalised each channel by itself",
              "'sample_normalize' uses one mean for all channels; 'normalize' takes constants");
      } else if (centred || unit) {
        error(*find(normalizer->value, centred ? "subtract_mean" : "unit_variance"),
              fmt::format("'{}' alone has no equivalent", centred ? "subtract_mean" : "unit_variance"),
              "with both, or with z_score, it is the transform 'sample_normalize'");
      }
    }
    const SyntaxField& at = normalizer == nullptr ? old_ : *normalizer;
    if (images_) add(at, "to_lbann_layout", {});
    if (images_ && !scale) add(at, "scale", {scalar(at, "scale", Kind::integer, "255")});
    if (!images_ && scale) add(at, "scale", {scalar(at, "scale", Kind::floating, "0.003921568627")});
  }

  const SyntaxField& old_;
  const bool images_;
  const std::string_view reader_;
  const SyntaxTree& tree_;
  base::Diagnostics& diagnostics_;
  Fields out_;
};

}  // namespace

std::vector<SyntaxField> translate_image_preprocessor(const SyntaxField& old, std::string_view reader_name,
                                                      const SyntaxTree& tree,
                                                      base::Diagnostics& diagnostics) {
  return Translator(old, reader_name, tree, diagnostics).translate();
}

}  // namespace lbann::model
