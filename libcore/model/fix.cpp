// A walk over tree and schema side by side, as the binder's, that collects edits.
#include "model/fix.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <google/protobuf/descriptor.h>

#include <fmt/format.h>

#include "lbann.pb.h"
#include "model/dialect.hpp"
#include "model/scalar_values.hpp"
#include "model/schema_names.hpp"
#include "model/text_edit.hpp"

namespace lbann::model {

namespace pb = google::protobuf;
using Kind = SyntaxValue::Kind;

namespace {

const SyntaxField* find(const std::vector<SyntaxField>& fields, std::string_view name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

/// Fields that move to other sections, as a tree of blocks.
struct Target {
  std::map<std::string, Target> blocks;
  std::vector<std::string> fields;
};

class Fixer {
public:
  explicit Fixer(const SyntaxTree& tree) : tree_(tree), edits_(tree) {}

  FixedText fix() {
    const TextRange whole{0, tree_.text.size(), 1, 1, 1, 1};
    fix_block(tree_.fields, whole, *lbann_data::LbannPB::descriptor(), nullptr);
    insert_moved(tree_.fields, nullptr, moved_);
    const int changes = edits_.num_changes() + num_new_sections_;
    return {edits_.apply() + new_sections_, changes};
  }

private:
  /// The block around the one at hand: where hoisted fields go.
  struct Outer {
    const std::vector<SyntaxField>* fields;
    const SyntaxField* holder;  // the field whose block is at hand
  };

  std::string source(const TextRange& range) const {
    return tree_.text.substr(range.begin, range.end - range.begin);
  }

  void fix_block(const std::vector<SyntaxField>& fields, const TextRange& block, const pb::Descriptor& type,
                 const Outer* outer) {
    const std::string_view name = short_name(type);
    if (name == "Layer.Convolution" || name == "Layer.Deconvolution") {
      auto translated = fields;
      base::Diagnostics ignored;  // the binder says it
      if (read_old_convolution(name, tree_, block, translated, ignored)) {
        if (!translated.empty()) fix_convolution(fields, translated, block, type);
        return;
      }
    }
    for (const auto& field : fields) fix_field(field, fields, type, outer);
  }

  void fix_convolution(const std::vector<SyntaxField>& fields, const std::vector<SyntaxField>& translated,
                       const TextRange& block, const pb::Descriptor& type) {
    for (const auto& field : fields) {
      const auto kept = std::find_if(translated.begin(), translated.end(), [&](const SyntaxField& t) {
        return t.name_range.begin == field.name_range.begin;
      });
      if (kept == translated.end()) {
        edits_.remove(field);
      } else if (kept->name != field.name) {
        rename(field, kept->name);
        if (const auto* descriptor = type.FindFieldByName(kept->name)) fix_value(field, *descriptor);
      } else {
        fix_field(field, fields, type, nullptr);
      }
    }
    const SyntaxField& last = translated.back();
    if (last.name == "has_bias" && last.name_range.begin == block.begin)
      edits_.append_to_block(block, "has_bias { value: false }");
  }

  void rename(const SyntaxField& field, std::string name) {
    edits_.replace(field.name_range.begin, field.name_range.end, std::move(name));
  }

  void fix_field(const SyntaxField& field, const std::vector<SyntaxField>& siblings,
                 const pb::Descriptor& type, const Outer* outer) {
    if (field.is_type_url) {
      const auto slash = field.name.rfind('/');
      const auto* content = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(
          slash == std::string::npos ? field.name : field.name.substr(slash + 1));
      if (content != nullptr) fix_inside(field, siblings, *content);
      return;
    }
    if (const auto* descriptor = type.FindFieldByName(field.name)) {
      if (descriptor->message_type() != nullptr && field.value.kind == Kind::message)
        return fix_inside(field, siblings, *descriptor->message_type());
      return fix_value(field, *descriptor, &siblings);
    }
    const DialectRow* row = try_dialect(short_name(type), field.name);
    if (row != nullptr) fix_old(field, *row, siblings, type, outer);
  }

  void fix_inside(const SyntaxField& field, const std::vector<SyntaxField>& siblings,
                  const pb::Descriptor& type) {
    const Outer outer{&siblings, &field};
    fix_block(field.value.fields, field.value.range, type, &outer);
  }

  void fix_old(const SyntaxField& field, const DialectRow& row, const std::vector<SyntaxField>& siblings,
               const pb::Descriptor& type, const Outer* outer) {
    switch (row.action) {
      case DialectAction::rename:
        return fix_renamed(field, row.target, siblings, type);
      case DialectAction::operator_kind: {
        if (field.value.kind != Kind::message) return;
        rename(field, fmt::format("operator_layer {{ ops {{ parameters {{ [type.googleapis.com/{}{}]",
                                  schema_package, row.target));
        edits_.insert(field.value.range.end, " } } }");
        const auto* content = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(
            std::string(schema_package) + row.target);
        return fix_inside(field, siblings, *content);
      }
      case DialectAction::ignore:
        return edits_.remove(field);
      case DialectAction::rewrite:
        return fix_rewritten(field, row, siblings);
      case DialectAction::move:
      case DialectAction::move_negated:
        return fix_moved(field, row, siblings);
      case DialectAction::hoist:
        edits_.remove(field);
        if (outer != nullptr && find(*outer->fields, row.target) == nullptr)
          edits_.insert(outer->holder->name_range.begin, hoisted_text(field, row.target) + " ");
        return;
      case DialectAction::convolution:
      case DialectAction::refuse:
        return;
    }
  }

  std::string hoisted_text(const SyntaxField& field, const std::string& target) const {
    if (holds_name_list("Layer", target) && field.value.kind == Kind::string)
      return fmt::format("{}: [{}]", target, listed(field.value, true));
    return fmt::format("{}: {}", target, source(field.value.range));
  }

  void fix_renamed(const SyntaxField& field, const std::string& target,
                   const std::vector<SyntaxField>& siblings, const pb::Descriptor& type) {
    const auto dot = target.find('.');
    const auto* descriptor = type.FindFieldByName(target.substr(0, dot));
    if (dot == std::string::npos) {
      rename(field, target);
      if (descriptor->message_type() != nullptr && field.value.kind == Kind::message)
        return fix_inside(field, siblings, *descriptor->message_type());
      return fix_value(field, *descriptor);
    }
    const std::string inner = target.substr(dot + 1);
    rename(field, target.substr(0, dot) + " { " + inner);
    edits_.insert(field.value.range.end, " }");
    const auto* member = descriptor->message_type()->FindFieldByName(inner);
    if (member->message_type() != nullptr) fix_inside(field, siblings, *member->message_type());
  }

  void fix_rewritten(const SyntaxField& field, const DialectRow& row,
                     const std::vector<SyntaxField>& siblings) {
    base::Diagnostics problems;
    const auto today = rewrite_old_field(row, field, siblings, tree_, problems);
    if (problems.has_errors()) return;
    if (today.empty()) return edits_.remove(field);
    const std::string newline = "\n" + edits_.indentation(field.name_range.begin);
    std::string text;
    for (const auto& one : today) text += (text.empty() ? "" : newline) + print_field(one);
    edits_.replace(field.name_range.begin, field.value.range.end, std::move(text));
  }

  void fix_moved(const SyntaxField& field, const DialectRow& row, const std::vector<SyntaxField>& siblings) {
    const std::string target = row.target;
    const auto [first, fresh] = first_moved_.emplace(target, &siblings);
    edits_.remove(field);
    if (!fresh && first->second != &siblings) return;
    const std::vector<SyntaxField>* level = &tree_.fields;
    Target* place = &moved_;
    std::size_t begin = 0;
    for (std::size_t dot = target.find('.'); dot != std::string::npos; dot = target.find('.', begin)) {
      const std::string name = target.substr(begin, dot - begin);
      place = &place->blocks[name];
      const SyntaxField* next = level == nullptr ? nullptr : find(*level, name);
      level = next == nullptr ? nullptr : &next->value.fields;
      begin = dot + 1;
    }
    SyntaxField today = field;
    today.name = target.substr(begin);
    if (level != nullptr && find(*level, today.name) != nullptr) return;  // today's spelling counts
    if (row.action == DialectAction::move_negated) today.value = negated(today.value);
    place->fields.push_back(print_field(today));
  }

  static std::string print(const std::string& name, const Target& target, const std::string& indent) {
    std::string text = indent + name + " {\n";
    for (const auto& field : target.fields) text += indent + "  " + field + "\n";
    for (const auto& [below, block] : target.blocks) text += print(below, block, indent + "  ");
    return text + indent + "}\n";
  }

  static bool empty(const Target& target) {
    return target.fields.empty() && std::all_of(target.blocks.begin(), target.blocks.end(),
                                                [](const auto& b) { return empty(b.second); });
  }

  /// Into the blocks that are there; what is missing becomes a new block.
  void insert_moved(const std::vector<SyntaxField>& fields, const TextRange* block, const Target& target) {
    for (const auto& field : target.fields) edits_.append_to_block(*block, field);
    for (const auto& [name, below] : target.blocks) {
      if (empty(below)) continue;
      const SyntaxField* there = find(fields, name);
      if (there != nullptr && there->value.kind == Kind::message) {
        insert_moved(there->value.fields, &there->value.range, below);
      } else if (block == nullptr) {
        const bool newline = tree_.text.empty() || tree_.text.back() == '\n' || !new_sections_.empty();
        new_sections_ += (newline ? "" : "\n") + print(name, below, "");
        ++num_new_sections_;
      } else {
        std::string text = print(name, below, "");
        std::replace(text.begin(), text.end(), '\n', ' ');
        text.pop_back();
        edits_.append_to_block(*block, text);
      }
    }
  }

  /// Short forms of values that protobuf's own parser does not take.
  void fix_value(const SyntaxField& field, const pb::FieldDescriptor& descriptor,
                 const std::vector<SyntaxField>* siblings = nullptr) {
    const auto* type = descriptor.message_type();
    if (type != nullptr) {
      if (is_wrapper(*type) && field.value.kind != Kind::message && field.value.kind != Kind::list)
        edits_.replace(field.name_range.end, field.value.range.end,
                       fmt::format(" {{ value: {} }}", source(field.value.range)));
      if (field.value.kind == Kind::list)
        for (const auto& item : field.value.items)
          if (item.kind == Kind::message) {
            const Outer outer{siblings, &field};
            fix_block(item.fields, item.range, *type, siblings == nullptr ? nullptr : &outer);
          }
      return;
    }
    if (!descriptor.is_repeated()) return;
    const bool numbers = descriptor.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING;
    const bool names = holds_name_list(short_name(*descriptor.containing_type()), descriptor.name());
    if (!numbers && !names) return;
    if (field.value.kind == Kind::string && differs(field.value, names))
      edits_.replace(field.value.range.begin, field.value.range.end, "[" + listed(field.value, names) + "]");
    if (field.value.kind != Kind::list) return;
    const bool any =
        std::any_of(field.value.items.begin(), field.value.items.end(),
                    [&](const SyntaxValue& v) { return v.kind == Kind::string && differs(v, names); });
    if (!any) return;
    std::string text;
    for (const auto& item : field.value.items) {
      const std::string part = item.kind == Kind::string ? listed(item, names) : source(item.range);
      text += (text.empty() || part.empty() ? "" : ", ") + part;
    }
    edits_.replace(field.value.range.begin, field.value.range.end, "[" + text + "]");
  }

  static bool differs(const SyntaxValue& value, bool names) {
    if (!names) return true;
    const auto parts = split_list(value, true);
    return parts.size() != 1 || parts[0].text != value.text;
  }

  static std::string listed(const SyntaxValue& value, bool names) {
    std::string text;
    for (const auto& part : split_list(value, names)) {
      SyntaxField field;
      field.name = "v";
      field.value = part;
      text += (text.empty() ? "" : ", ") + print_field(field).substr(3);
    }
    return text;
  }

  const SyntaxTree& tree_;
  TextEdits edits_;
  Target moved_;
  std::map<std::string, const std::vector<SyntaxField>*> first_moved_;
  std::string new_sections_;
  int num_new_sections_ = 0;
};

}  // namespace

FixedText fix_spelling(const SyntaxTree& tree) { return Fixer(tree).fix(); }

}  // namespace lbann::model
