// A walk over tree and descriptors side by side. `path_` names the message at hand and grows
// and shrinks with the walk.
#include "model/binder.hpp"

#include <algorithm>
#include <deque>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "base/utf8.hpp"
#include "model/any_types.hpp"
#include "model/dialect.hpp"
#include "model/scalar_values.hpp"
#include "model/schema_names.hpp"

namespace lbann::model {

namespace pb = google::protobuf;
using Kind = SyntaxValue::Kind;

namespace {

bool is_any(const pb::Descriptor& type) {
  return type.well_known_type() == pb::Descriptor::WELLKNOWNTYPE_ANY;
}

class Binder {
public:
  Binder(const SyntaxTree& tree, pb::Message& root, std::string path, SpanTable& spans,
         base::Diagnostics& diagnostics)
    : tree_(tree),
      root_(root),
      spans_(spans),
      diagnostics_(diagnostics),
      source_(spans.add_source(tree.file)),
      path_(std::move(path)) {}

  void bind_all() {
    const TextRange whole{0, tree_.text.size(), 1, 1, 1, 1};
    spans_.reserve(tree_.text.size() / 24);  // a field takes about as many bytes
    bind_block(tree_.fields, whole, root_, nullptr);
    for (const auto& moved : moved_) bind_moved(moved);
    if (num_old_ > 0)
      diagnostics_.add(
          {base::Severity::note,
           "old-spelling",
           fmt::format("'{}' is the spelling of LBANN {}; today it is '{}'{}", first_old_->name,
                       first_old_row_->versions, first_old_row_->target,
                       num_old_ > 1 ? fmt::format(" ({} old spellings in this file)", num_old_) : ""),
           tree_.span(first_old_->name_range),
           {},
           "'lbann-validate --fix FILE' writes today's spelling"});
  }

private:
  /// An old field whose place today is elsewhere; bound when everything else is.
  struct Moved {
    const SyntaxField* field;
    const DialectRow* row;
    const std::vector<SyntaxField>* siblings;
  };

  /// Singular fields and oneofs already met in one block.
  struct Seen {
    std::vector<std::pair<const void*, const SyntaxField*>> entries;
    const SyntaxField* find(const void* key) const {
      for (const auto& [known, field] : entries)
        if (known == key) return field;
      return nullptr;
    }
  };

  /// Appends to the path for as long as it lives.
  class PathScope {
  public:
    PathScope(std::string& path, std::string_view name, int index = -1) : path_(path), size_(path.size()) {
      if (!path.empty()) path += '.';
      path += name;
      if (index >= 0) path += fmt::format("[{}]", index);
    }
    ~PathScope() { path_.resize(size_); }
    PathScope(const PathScope&) = delete;
    PathScope& operator=(const PathScope&) = delete;

  private:
    std::string& path_;
    std::size_t size_;
  };

  void error(std::string id, const TextRange& range, std::string message, std::string help = {},
             std::vector<base::Note> notes = {}) {
    diagnostics_.add({base::Severity::error, std::move(id), std::move(message), tree_.span(range),
                      std::move(notes), std::move(help)});
  }

  void remember(const SyntaxField& field, const SyntaxValue& value) {
    spans_.set(path_, {source_, field.name_range, value.range, value.kind == Kind::message});
  }

  void bind_block(const std::vector<SyntaxField>& fields, const TextRange& block, pb::Message& message,
                  const pb::FieldDescriptor* holder) {
    const auto& type = *message.GetDescriptor();
    const std::string_view type_name = short_name(type);
    if (is_any(type)) return bind_any(fields, block, static_cast<pb::Any&>(message), holder);
    if (type_name == "Layer.Convolution" || type_name == "Layer.Deconvolution") {
      auto copy = fields;
      if (read_old_convolution(type_name, tree_, block, copy, diagnostics_)) {
        for (const auto& field : fields) {
          const DialectRow* row = try_dialect(type_name, field.name);
          if (row != nullptr && row->action == DialectAction::convolution && *row->target != 0)
            count_old(field, *row);
        }
        return bind_fields(copy, message);
      }
    }
    bind_fields(fields, message);
  }

  void bind_fields(const std::vector<SyntaxField>& fields, pb::Message& message) {
    const auto& type = *message.GetDescriptor();
    ancestors_.push_back(&type);
    hoisted_.emplace_back();
    Seen seen;
    for (const auto& field : fields) {
      if (field.is_type_url) {
        error("unknown-field", field.name_range, fmt::format("{} holds no typed block", describe(type)),
              "only fields like 'parameters' of an operator do");
        continue;
      }
      if (const auto* descriptor = type.FindFieldByName(field.name))
        bind_field(field, *descriptor, message, seen);
      else
        bind_unknown(field, fields, message, seen);
    }
    const auto hoisted = std::move(hoisted_.back());
    hoisted_.pop_back();
    for (const auto& [field, row] : hoisted) bind_hoisted(*field, *row, fields, message, seen);
    ancestors_.pop_back();
  }

  /// False if the field must not be set again in this block.
  bool check_first(const SyntaxField& field, const pb::FieldDescriptor& descriptor,
                   const pb::Message& message, Seen& seen) {
    if (descriptor.is_repeated()) return true;
    if (const auto* first = seen.find(&descriptor)) {
      error("duplicate-field", field.name_range, fmt::format("'{}' is given twice", field.name), "",
            {{"first given here", tree_.span(first->name_range)}});
      return false;
    }
    seen.entries.emplace_back(&descriptor, &field);
    const auto* oneof = descriptor.real_containing_oneof();
    if (oneof == nullptr) return true;
    if (const auto* first = seen.find(oneof)) {
      error("two-of-oneof", field.name_range,
            fmt::format("'{}' and '{}' exclude each other", first->name, field.name),
            fmt::format("{} holds one of its kinds only", describe(*descriptor.containing_type())),
            {{fmt::format("'{}' is here", first->name), tree_.span(first->name_range)}});
      return false;
    }
    seen.entries.emplace_back(oneof, &field);
    const auto* present = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    if (present != nullptr && present != &descriptor) {
      const std::string path = path_.empty() ? present->name() : path_ + "." + present->name();
      note_overwrite(field, fmt::format("'{}' replaces '{}'", field.name, present->name()),
                     spans_.name_span(path));
      spans_.erase_below(path);
    }
    return true;
  }

  void note_overwrite(const SyntaxField& field, std::string message, const base::SourceSpan& before) {
    diagnostics_.add({base::Severity::note,
                      "overwritten",
                      std::move(message),
                      tree_.span(field.name_range),
                      {{"set before here", before}},
                      ""});
  }

  void bind_field(const SyntaxField& field, const pb::FieldDescriptor& descriptor, pb::Message& message,
                  Seen& seen) {
    if (!check_first(field, descriptor, message, seen)) return;
    if (field.value.bad && field.value.kind != Kind::message && field.value.kind != Kind::list) return;
    const bool is_list = field.value.kind == Kind::list;
    if (is_list && !descriptor.is_repeated())
      return error("wrong-type", field.value.range,
                   fmt::format("'{}' takes {}, not a list", field.name, describe_type(descriptor)));
    if (!is_list) return bind_value(field, field.value, descriptor, message);
    for (const auto& item : field.value.items)
      if (!item.bad || item.kind == Kind::message) bind_value(field, item, descriptor, message);
  }

  void bind_value(const SyntaxField& field, const SyntaxValue& value, const pb::FieldDescriptor& descriptor,
                  pb::Message& message) {
    const bool takes_block = descriptor.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    if (takes_block && value.kind != Kind::message && is_wrapper(*descriptor.message_type()))
      return bind_wrapper(field, value, descriptor, message);
    if (takes_block && value.kind == Kind::message) {
      const auto* reflection = message.GetReflection();
      const int index = descriptor.is_repeated() ? reflection->FieldSize(message, &descriptor) : -1;
      PathScope scope(path_, descriptor.name(), index);
      remember(field, value);
      pb::Message& child = descriptor.is_repeated() ? *reflection->AddMessage(&message, &descriptor)
                                                    : *reflection->MutableMessage(&message, &descriptor);
      return bind_block(value.fields, value.range, child, &descriptor);
    }
    if (value.kind == Kind::message) {
      const bool wrapped = value.fields.size() == 1 && value.fields[0].name == "value";
      return error("wrong-type", value.range,
                   fmt::format("'{}' takes {}, not a block", field.name, describe_type(descriptor)),
                   wrapped ? fmt::format("write {}: {}", field.name, value.fields[0].value.text) : "");
    }
    const bool numeric_list = descriptor.is_repeated() && value.kind == Kind::string && !takes_block &&
                              descriptor.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING;
    const bool name_list = descriptor.is_repeated() && value.kind == Kind::string &&
                           holds_name_list(short_name(*descriptor.containing_type()), descriptor.name());
    if (numeric_list || name_list) {
      for (const auto& part : split_list(value, name_list)) bind_scalar(field, part, descriptor, message);
      return;
    }
    bind_scalar(field, value, descriptor, message);
  }

  void bind_scalar(const SyntaxField& field, const SyntaxValue& value, const pb::FieldDescriptor& descriptor,
                   pb::Message& message) {
    const auto* reflection = message.GetReflection();
    const bool repeated = descriptor.is_repeated();
    PathScope scope(path_, descriptor.name(), repeated ? reflection->FieldSize(message, &descriptor) : -1);
    // With one source nothing can have been set before: a field given twice is refused.
    const Place* before = repeated || source_ == 0 ? nullptr : spans_.find(path_);
    std::string old_text;
    if (before != nullptr) pb::TextFormat::PrintFieldValueToString(message, &descriptor, -1, &old_text);
    if (auto failed = assign_scalar(value, descriptor, message))
      return error(std::move(failed->id), value.range, std::move(failed->message), std::move(failed->help));
    if (before != nullptr && before->source != source_) {
      std::string new_text;
      pb::TextFormat::PrintFieldValueToString(message, &descriptor, -1, &new_text);
      if (new_text != old_text)
        note_overwrite(field, fmt::format("'{}' changes from {} to {}", path_, old_text, new_text),
                       spans_.span(path_));
    }
    remember(field, value);
  }

  /// has_bias: true for has_bias { value: true }
  void bind_wrapper(const SyntaxField& field, const SyntaxValue& value, const pb::FieldDescriptor& descriptor,
                    pb::Message& message) {
    const auto* inner = descriptor.message_type()->FindFieldByName("value");
    PathScope scope(path_, descriptor.name());
    const std::unique_ptr<pb::Message> fresh(
        pb::MessageFactory::generated_factory()->GetPrototype(descriptor.message_type())->New());
    if (auto failed = assign_scalar(value, *inner, *fresh)) {
      // The user knows the field, not the wrapper inside.
      const std::string quoted = "'value' ";
      if (failed->message.starts_with(quoted))
        failed->message = fmt::format("'{}' {}", field.name, failed->message.substr(quoted.size()));
      if (failed->help.starts_with("write value:")) failed->help.replace(6, 5, field.name);
      return error(std::move(failed->id), value.range, std::move(failed->message), std::move(failed->help));
    }
    message.GetReflection()->MutableMessage(&message, &descriptor)->CopyFrom(*fresh);
    remember(field, value);
  }

  void bind_any(const std::vector<SyntaxField>& fields, const TextRange& block, pb::Any& any,
                const pb::FieldDescriptor* holder) {
    if (!fields.empty() && !fields[0].is_type_url &&
        (fields[0].name == "type_url" || fields[0].name == "value"))
      return bind_raw_any(fields, block, any, holder);
    const SyntaxField* first = nullptr;
    for (const auto& field : fields) {
      if (first != nullptr) {
        error("duplicate-field", field.name_range, "a second entry in a block that holds one typed block", "",
              {{"first given here", tree_.span(first->name_range)}});
        continue;
      }
      first = &field;
      if (!field.is_type_url) {
        const auto types = any_types_for(holder);
        const std::string example = types.empty() ? "Name" : types.front();
        error("missing-type-url", field.name_range,
              fmt::format("a typed block is expected here, found '{}'", field.name),
              fmt::format("write [type.googleapis.com/lbann_data.{}] {{ ... }}", example));
        continue;
      }
      bind_typed_block(field, any, holder);
    }
    if (fields.empty())
      error("missing-type-url", block, "this block is empty: it needs the type of what it holds",
            "write [type.googleapis.com/lbann_data.Name] { ... }");
  }

  /// The type that a URL names, or nullptr after an error.
  const pb::Descriptor* find_type(const std::string& url, const TextRange& range,
                                  const pb::FieldDescriptor* holder) {
    auto found = find_any_type(url, holder);
    if (found.type == nullptr)
      error(std::move(found.id), range, std::move(found.message), std::move(found.help));
    return found.type;
  }

  void bind_typed_block(const SyntaxField& field, pb::Any& any, const pb::FieldDescriptor* holder) {
    const auto* type = find_type(field.name, field.name_range, holder);
    if (type == nullptr) return;
    if (field.value.kind != Kind::message)
      return error("wrong-type", field.value.range, "a typed block takes { ... }, not a single value");
    pack(*type, field.name.substr(0, field.name.rfind('/')), field.value, any);
  }

  /// type_url: "..." value: "...": what an Any really holds, as some programs print it.
  void bind_raw_any(const std::vector<SyntaxField>& fields, const TextRange& block, pb::Any& any,
                    const pb::FieldDescriptor* holder) {
    const int errors = diagnostics_.num_errors();
    bind_fields(fields, any);
    if (diagnostics_.num_errors() > errors) return;
    const Place* place = spans_.find(path_ + ".type_url");
    const auto* type = find_type(any.type_url(), place == nullptr ? block : place->value, holder);
    if (type == nullptr) return any.Clear();
    const std::unique_ptr<pb::Message> content(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (content->ParseFromString(any.value()) && content->GetReflection()->GetUnknownFields(*content).empty())
      return;
    place = spans_.find(path_ + ".value");
    error("bad-any-value", place == nullptr ? block : place->value,
          fmt::format("these bytes are no {}", short_name(*type)),
          fmt::format("write [{}] {{ ... }}", any.type_url()));
    any.Clear();
  }

  void pack(const pb::Descriptor& type, const std::string& prefix, const SyntaxValue& value, pb::Any& any) {
    const std::unique_ptr<pb::Message> content(
        pb::MessageFactory::generated_factory()->GetPrototype(&type)->New());
    bind_block(value.fields, value.range, *content, nullptr);
    any.PackFrom(*content, prefix);
  }

  // -- names that today's schema lacks -----------------------------------------------------

  std::string describe(const pb::Descriptor& type) const {
    if (type.full_name() == "lbann_data.LbannPB") return "the top level of an experiment";
    return fmt::format("a block of type {}", short_name(type));
  }

  void count_old(const SyntaxField& field, const DialectRow& row) {
    if (num_old_++ > 0) return;
    first_old_ = &field;
    first_old_row_ = &row;
  }

  void bind_unknown(const SyntaxField& field, const std::vector<SyntaxField>& siblings, pb::Message& message,
                    Seen& seen) {
    const auto& type = *message.GetDescriptor();
    const DialectRow* row = try_dialect(short_name(type), field.name);
    if (row == nullptr) return report_unknown(field, siblings, type);
    switch (row->action) {
      case DialectAction::rename:
        count_old(field, *row);
        return bind_renamed(field, row->target, message, seen);
      case DialectAction::move:
      case DialectAction::move_negated:
        count_old(field, *row);
        moved_.push_back({&field, row, &siblings});
        return;
      case DialectAction::hoist:
        if (hoisted_.size() < 2)  // --set: the block around is out of reach
          return error("old-field", field.name_range,
                       fmt::format("'{}' is '{}' of the layer today", field.name, row->target));
        count_old(field, *row);
        hoisted_[hoisted_.size() - 2].emplace_back(&field, row);
        return;
      case DialectAction::rewrite:
        count_old(field, *row);
        for (auto& today : rewrite_old_field(*row, field, siblings, tree_, diagnostics_)) {
          made_.push_back(std::move(today));
          bind_field(made_.back(), *type.FindFieldByName(made_.back().name), message, seen);
        }
        return;
      case DialectAction::operator_kind:
        return bind_operator_kind(field, *row, message, seen);
      case DialectAction::ignore:
        diagnostics_.add(
            {base::Severity::note,
             "no-effect",
             fmt::format("'{}' (LBANN {}) has no effect: {}", field.name, row->versions, row->target),
             tree_.span(field.name_range),
             {},
             ""});
        return;
      case DialectAction::convolution:  // read_old_convolution has taken these out
      case DialectAction::refuse:
        return error(
            "old-field", field.name_range,
            fmt::format("'{}' is a field of LBANN {} that no longer exists", field.name, row->versions),
            row->target);
    }
  }

  void bind_renamed(const SyntaxField& field, std::string_view target, pb::Message& message, Seen& seen) {
    const auto dot = target.find('.');
    const auto* descriptor = message.GetDescriptor()->FindFieldByName(std::string(target.substr(0, dot)));
    if (descriptor == nullptr)
      throw base::Error(base::ExitCode::internal, "dialect table names no field: " + std::string(target));
    if (dot == std::string_view::npos) return bind_field(field, *descriptor, message, seen);
    if (!check_first(field, *descriptor, message, seen)) return;
    PathScope scope(path_, descriptor->name());
    if (spans_.find(path_) == nullptr)
      spans_.set(path_, {source_, field.name_range, field.value.range, true});
    Seen inner;
    bind_renamed(field, target.substr(dot + 1),
                 *message.GetReflection()->MutableMessage(&message, descriptor), inner);
  }

  void note_no_effect(const SyntaxField& field, std::string_view target, const base::SourceSpan& other) {
    diagnostics_.add({base::Severity::warning,
                      "no-effect",
                      fmt::format("'{}' has no effect because '{}' is given too", field.name, target),
                      tree_.span(field.name_range),
                      {{"given here", other}},
                      ""});
  }

  std::string_view text_of(const SyntaxField& field) const {
    return std::string_view(tree_.text)
        .substr(field.value.range.begin, field.value.range.end - field.value.range.begin);
  }

  void bind_moved(const Moved& moved) {
    const SyntaxField& field = *moved.field;
    const std::string target = moved.row->target;
    if (root_.GetDescriptor()->full_name() != "lbann_data.LbannPB")
      return error("old-field", field.name_range, fmt::format("'{}' belongs to '{}'", field.name, target));
    // Elements of one list move together; another block must not add its own.
    for (const Moved& earlier : moved_) {
      if (earlier.field == &field) break;
      if (earlier.row->target != target) continue;
      if (earlier.siblings == moved.siblings && is_list(target)) continue;
      if (earlier.siblings == moved.siblings)
        return error("duplicate-field", field.name_range, fmt::format("'{}' is given twice", field.name), "",
                     {{"first given here", tree_.span(earlier.field->name_range)}});
      if (text_of(*earlier.field) == text_of(field)) return;  // every reader said it
      return note_no_effect(field, target, tree_.span(earlier.field->name_range));
    }
    for (const std::string& path : {target, target + "[0]"}) {
      const Place* place = spans_.find(path);
      const bool mine = place != nullptr && place->source == source_ && is_moved(place->name, target);
      if (place != nullptr && !mine)
        return note_no_effect(field, target, spans_.span_of(place->source, place->name));
    }
    Seen seen;
    if (moved.row->action != DialectAction::move_negated) return bind_renamed(field, target, root_, seen);
    made_.push_back(field);
    made_.back().value = negated(field.value);
    bind_renamed(made_.back(), target, root_, seen);
  }

  /// Is the field at this path from the top repeated?
  bool is_list(const std::string& path) const {
    const pb::Descriptor* type = root_.GetDescriptor();
    const pb::FieldDescriptor* field = nullptr;
    for (std::size_t begin = 0; type != nullptr && begin < path.size();) {
      const std::size_t end = std::min(path.find('.', begin), path.size());
      field = type->FindFieldByName(path.substr(begin, end - begin));
      type = field == nullptr ? nullptr : field->message_type();
      begin = end + 1;
    }
    return field != nullptr && field->is_repeated();
  }

  bool is_moved(const TextRange& name, std::string_view target) const {
    return std::any_of(moved_.begin(), moved_.end(), [&](const Moved& m) {
      return m.row->target == target && m.field->name_range.begin == name.begin;
    });
  }

  /// The parents of a layer once stood inside its kind.
  void bind_hoisted(const SyntaxField& field, const DialectRow& row, const std::vector<SyntaxField>& siblings,
                    pb::Message& message, Seen& seen) {
    const auto* descriptor = message.GetDescriptor()->FindFieldByName(row.target);
    if (descriptor == nullptr)
      return error("old-field", field.name_range,
                   fmt::format("'{}' belongs to the block around this one, as '{}'", field.name, row.target));
    for (const auto& sibling : siblings)
      if (sibling.name == row.target)
        return note_no_effect(field, row.target, tree_.span(sibling.name_range));
    bind_field(field, *descriptor, message, seen);
  }

  /// sigmoid {} is now operator_layer { ops { parameters { [.../lbann_data.SigmoidOperator] {} } } }
  void bind_operator_kind(const SyntaxField& field, const DialectRow& row, pb::Message& layer, Seen& seen) {
    const auto* member = layer.GetDescriptor()->FindFieldByName("operator_layer");
    if (!check_first(field, *member, layer, seen)) return;
    if (field.value.kind != Kind::message)
      return error("wrong-type", field.value.range, fmt::format("'{}' takes a block {{ ... }}", field.name));
    PathScope outer(path_, member->name());
    remember(field, field.value);
    pb::Message& operator_layer = *layer.GetReflection()->MutableMessage(&layer, member);
    const auto* ops = operator_layer.GetDescriptor()->FindFieldByName("ops");
    PathScope middle(path_, ops->name(), operator_layer.GetReflection()->FieldSize(operator_layer, ops));
    pb::Message& op = *operator_layer.GetReflection()->AddMessage(&operator_layer, ops);
    const auto* parameters = op.GetDescriptor()->FindFieldByName("parameters");
    PathScope inner(path_, parameters->name());
    const auto* type =
        pb::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(schema_package) + row.target);
    pack(*type, "type.googleapis.com", field.value,
         static_cast<pb::Any&>(*op.GetReflection()->MutableMessage(&op, parameters)));
  }

  void report_unknown(const SyntaxField& field, const std::vector<SyntaxField>& siblings,
                      const pb::Descriptor& type) {
    const bool is_section = type.full_name() == "lbann_data.LbannPB";
    error(is_section ? "unknown-section" : "unknown-field", field.name_range,
          fmt::format("there is no field '{}' in {}", base::printable(field.name), describe(type)),
          suggest(field, siblings, type));
  }

  std::string suggest(const SyntaxField& field, const std::vector<SyntaxField>& siblings,
                      const pb::Descriptor& type) const {
    // The right name in the wrong block: one of the blocks around, or one beside it.
    for (auto outer = ancestors_.rbegin() + 1; outer < ancestors_.rend(); ++outer)
      if ((*outer)->FindFieldByName(field.name) != nullptr)
        return fmt::format("'{}' belongs to {}: is a '}}' missing before it?", field.name, describe(**outer));
    for (const auto& sibling : siblings) {
      const auto* member = type.FindFieldByName(sibling.name);
      if (member != nullptr && member->message_type() != nullptr &&
          member->message_type()->FindFieldByName(field.name) != nullptr)
        return fmt::format("'{}' belongs into '{} {{ ... }}'", field.name, sibling.name);
    }
    std::vector<std::string> names;
    for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
    for (const auto& row : dialect_rows())
      if (row.action == DialectAction::operator_kind && short_name(type) == row.message)
        names.emplace_back(row.field);
    std::string help = base::did_you_mean(field.name, names);
    if (help.empty() && names.size() < 10)
      help = names.empty() ? "it has no fields" : fmt::format("its fields are {}", fmt::join(names, ", "));
    return help;
  }

  const SyntaxTree& tree_;
  pb::Message& root_;
  SpanTable& spans_;
  base::Diagnostics& diagnostics_;
  int source_;
  std::string path_;
  std::vector<const pb::Descriptor*> ancestors_;
  std::vector<Moved> moved_;
  std::vector<std::vector<std::pair<const SyntaxField*, const DialectRow*>>> hoisted_;  // per open block
  std::deque<SyntaxField> made_;  // fields that no text holds
  int num_old_ = 0;
  const SyntaxField* first_old_ = nullptr;
  const DialectRow* first_old_row_ = nullptr;
};

}  // namespace

void bind(const SyntaxTree& tree, pb::Message& message, SpanTable& spans, base::Diagnostics& diagnostics) {
  Binder(tree, message, {}, spans, diagnostics).bind_all();
}

void bind_at(const SyntaxTree& tree, pb::Message& message, std::string path, SpanTable& spans,
             base::Diagnostics& diagnostics) {
  Binder(tree, message, std::move(path), spans, diagnostics).bind_all();
}

}  // namespace lbann::model
