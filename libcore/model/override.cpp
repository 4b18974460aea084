// --set path.to.field=value. The path leads to the block that holds the last field; the value is
// parsed at the column where it stands, so that carets point into the option itself; the binder
// does the rest, with all its checks and suggestions.
#include <algorithm>
#include <charconv>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include <fmt/format.h>

#include "base/edit_distance.hpp"
#include "base/utf8.hpp"
#include "lbann.pb.h"
#include "model/binder.hpp"
#include "model/experiment.hpp"

namespace lbann::model {

namespace pb = google::protobuf;
using Kind = SyntaxValue::Kind;

namespace {

struct Segment {
  std::string name;
  std::string index;  // between brackets; empty: none
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Override {
public:
  Override(std::string name, std::string_view text, Experiment& experiment, base::Diagnostics& diagnostics)
    : file_(std::move(name)), text_(text), experiment_(experiment), diagnostics_(diagnostics) {}

  void apply() {
    if (!split_path()) return;
    descend(*experiment_.proto, 0, "");
  }

private:
  void error(std::string id, std::size_t begin, std::size_t end, std::string message, std::string help = {}) {
    const int column = base::count_code_points(std::string_view(text_).substr(0, begin)) + 1;
    const int width = base::count_code_points(std::string_view(text_).substr(begin, end - begin));
    diagnostics_.add({base::Severity::error,
                      std::move(id),
                      std::move(message),
                      base::SourceSpan{file_, 1, column, 1, column + width},
                      {},
                      std::move(help),
                      base::ExitCode::usage});
  }

  bool split_path() {
    std::size_t pos = 0;
    while (true) {
      Segment segment;
      segment.begin = pos;
      while (pos < text_.size() &&
             (std::isalnum(static_cast<unsigned char>(text_[pos])) != 0 || text_[pos] == '_'))
        ++pos;
      segment.name = text_.substr(segment.begin, pos - segment.begin);
      if (segment.name.empty()) return bad_path(pos);
      if (pos < text_.size() && text_[pos] == '[') {
        const std::size_t close = text_.find(']', pos);
        if (close == std::string::npos || close == pos + 1) return bad_path(pos);
        segment.index = text_.substr(pos + 1, close - pos - 1);
        pos = close + 1;
      }
      segment.end = pos;
      path_.push_back(std::move(segment));
      if (pos >= text_.size() || (text_[pos] != '.' && text_[pos] != '=')) return bad_path(pos);
      if (text_[pos++] == '=') break;
    }
    value_begin_ = pos;
    return true;
  }

  bool bad_path(std::size_t pos) {
    error("bad-override", pos, pos + 1, "this is not of the form path.to.field=value",
          "for example trainer.mini_batch_size=64 or model.layer[conv1].convolution.groups=2");
    return false;
  }

  void descend(pb::Message& message, std::size_t depth, const std::string& path) {
    if (message.GetDescriptor()->full_name() == "google.protobuf.Any")
      return descend_any(static_cast<pb::Any&>(message), depth, path);
    if (depth + 1 == path_.size()) return assign(message, path);
    const Segment& segment = path_[depth];
    const auto* field = message.GetDescriptor()->FindFieldByName(segment.name);
    if (field == nullptr) return unknown(segment, *message.GetDescriptor());
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE)
      return error("bad-override", segment.begin, segment.end,
                   fmt::format("'{}' has no fields inside", segment.name));
    std::string below = path.empty() ? segment.name : path + "." + segment.name;
    const auto* reflection = message.GetReflection();
    if (!field->is_repeated()) {
      if (!segment.index.empty())
        return error("bad-override", segment.begin, segment.end,
                     fmt::format("'{}' is no list and takes no index", segment.name));
      forget_rivals(message, *field, path);
      return descend(*reflection->MutableMessage(&message, field), depth + 1, below);
    }
    const int index = element(message, *field, segment);
    if (index < 0) return;
    descend(*reflection->MutableRepeatedMessage(&message, field, index), depth + 1,
            fmt::format("{}[{}]", below, index));
  }

  void descend_any(pb::Any& any, std::size_t depth, const std::string& path) {
    const std::string& url = any.type_url();
    const auto* type =
        pb::DescriptorPool::generated_pool()->FindMessageTypeByName(url.substr(url.rfind('/') + 1));
    if (type == nullptr)
      return error("bad-override", path_[depth].begin, path_[depth].end,
                   "the typed block around it is empty, so its fields are not known");
    const std::unique_ptr<pb::Message> content(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (!any.UnpackTo(content.get())) return;
    descend(*content, depth, path);
    any.PackFrom(*content, url.substr(0, url.rfind('/')));
  }

  /// Setting one member of a oneof removes the others, and their places with them.
  void forget_rivals(pb::Message& message, const pb::FieldDescriptor& field, const std::string& path) {
    const auto* oneof = field.real_containing_oneof();
    if (oneof == nullptr) return;
    const auto* present = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    if (present == nullptr || present == &field) return;
    experiment_.spans.erase_below(path.empty() ? present->name() : path + "." + present->name());
    message.GetReflection()->ClearField(&message, present);
  }

  /// Index of the element that the segment names, or -1 after an error.
  int element(const pb::Message& message, const pb::FieldDescriptor& field, const Segment& segment) {
    const auto* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, &field);
    if (segment.index.empty()) {
      error("bad-override", segment.begin, segment.end,
            fmt::format("'{}' is a list of {}: which one?", segment.name, size),
            fmt::format("write {}[0]{}", segment.name,
                        has_name(field) ? " or a name between the brackets" : ""));
      return -1;
    }
    int index = -1;
    const auto [stop, failure] =
        std::from_chars(segment.index.data(), segment.index.data() + segment.index.size(), index);
    if (failure == std::errc{} && stop == segment.index.data() + segment.index.size()) {
      if (index >= 0 && index < size) return index;
      error("bad-override", segment.begin, segment.end,
            fmt::format("'{}' has no element {}: it has {}", segment.name, segment.index, size));
      return -1;
    }
    std::vector<std::string> names;
    for (int i = 0; has_name(field) && i < size; ++i) {
      const auto& child = reflection->GetRepeatedMessage(message, &field, i);
      std::string name =
          child.GetReflection()->GetString(child, child.GetDescriptor()->FindFieldByName("name"));
      if (name.empty() && field.name() == "layer") name = fmt::format("layer{}", i);
      if (name == segment.index) return i;
      names.push_back(std::move(name));
    }
    error("bad-override", segment.begin, segment.end,
          fmt::format("no '{}' is named '{}'", segment.name, segment.index),
          base::did_you_mean(segment.index, names));
    return -1;
  }

  static bool has_name(const pb::FieldDescriptor& field) {
    const auto* type = field.message_type();
    const auto* name = type == nullptr ? nullptr : type->FindFieldByName("name");
    return name != nullptr && name->cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING;
  }

  void unknown(const Segment& segment, const pb::Descriptor& type) {
    std::vector<std::string> names;
    for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
    error("unknown-field", segment.begin, segment.begin + segment.name.size(),
          fmt::format("there is no field '{}' in {}", segment.name, type.name()),
          base::did_you_mean(segment.name, names));
  }

  void assign(pb::Message& message, const std::string& path) {
    const Segment& segment = path_.back();
    const auto* field = message.GetDescriptor()->FindFieldByName(segment.name);
    const bool is_text = field != nullptr && field->cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING;
    SyntaxTree tree;
    if (!parse_value(segment, is_text, tree)) return;
    if (field == nullptr || segment.index.empty()) {
      if (field != nullptr) {
        forget_rivals(message, *field, path);
        message.GetReflection()->ClearField(&message, field);
        experiment_.spans.erase_below(path.empty() ? field->name() : path + "." + field->name());
      }
      return bind_at(tree, message, path, experiment_.spans, diagnostics_);
    }
    if (!field->is_repeated())
      return error("bad-override", segment.begin, segment.end,
                   fmt::format("'{}' is no list and takes no index", segment.name));
    const int index = element(message, *field, segment);
    if (index < 0) return;
    // Append, then swap the new element to its place and drop the old one.
    const auto* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, field);
    bind_at(tree, message, path, experiment_.spans, diagnostics_);
    if (reflection->FieldSize(message, field) != size + 1) return;
    reflection->SwapElements(&message, field, index, size);
    reflection->RemoveLast(&message, field);
    const std::string base = path.empty() ? field->name() : path + "." + field->name();
    const Place* place = experiment_.spans.find(fmt::format("{}[{}]", base, size));
    if (place == nullptr) return;
    const Place copy = *place;
    experiment_.spans.erase_below(fmt::format("{}[{}]", base, size));
    experiment_.spans.erase_below(fmt::format("{}[{}]", base, index));
    experiment_.spans.set(fmt::format("{}[{}]", base, index), copy);
  }

  /// The value as the one field of `tree`, at its own columns.
  bool parse_value(const Segment& segment, bool is_text, SyntaxTree& tree) {
    const std::string_view raw = std::string_view(text_).substr(value_begin_);
    const bool quoted = !raw.empty() && (raw[0] == '"' || raw[0] == '\'' || raw[0] == '[' || raw[0] == '{');
    const int column = base::count_code_points(std::string_view(text_).substr(0, value_begin_)) + 1;
    const int end_column = column + base::count_code_points(raw);
    if (is_text && !quoted) {
      tree.file = file_;
      tree.text = text_;
      SyntaxField field;
      field.value.kind = Kind::string;
      field.value.text = raw;
      field.value.range = {value_begin_, text_.size(), 1, column, 1, end_column};
      tree.fields.push_back(std::move(field));
    } else {
      if (raw.find_first_not_of(" \t") == std::string_view::npos) {
        error("bad-override", value_begin_, text_.size(),
              fmt::format("'{}' is given no value", segment.name));
        return false;
      }
      const std::string padded =
          "v:" + std::string(static_cast<std::size_t>(column) - 3, ' ') + std::string(raw);
      const int errors = diagnostics_.num_errors();
      tree = parse_syntax_tree(file_, padded, diagnostics_);
      if (diagnostics_.num_errors() > errors || tree.fields.empty()) return false;
      if (tree.fields.size() > 1) {
        error("bad-override", value_begin_, text_.size(), "one value is expected");
        return false;
      }
      if (is_text)
        for (auto& item : tree.fields[0].value.items)
          if (item.kind == Kind::identifier) item.kind = Kind::string;  // [a, b] needs no quotes
    }
    tree.fields[0].name = segment.name;
    tree.fields[0].name_range = {segment.begin,
                                 segment.end,
                                 1,
                                 static_cast<int>(segment.begin) + 1,
                                 1,
                                 static_cast<int>(segment.end) + 1};
    return true;
  }

  std::string file_;
  std::string text_;
  Experiment& experiment_;
  base::Diagnostics& diagnostics_;
  std::vector<Segment> path_;
  std::size_t value_begin_ = 0;
};

}  // namespace

void apply_override(std::string_view assignment, Experiment& experiment, base::Diagnostics& diagnostics) {
  std::string name = "--set";
  for (int i = 2; diagnostics.source(name) != nullptr; ++i) name = fmt::format("--set({})", i);
  base::Diagnostics found;
  Override(name, assignment, experiment, found).apply();
  diagnostics.set_source(name, std::string(assignment));
  for (auto diagnostic : found.all()) {
    diagnostic.code = base::ExitCode::usage;  // whatever is wrong, it is the command line
    diagnostics.add(std::move(diagnostic));
  }
}

}  // namespace lbann::model
