// See mutate_experiment.hpp. The text is parsed, one place is chosen, and its bytes are edited.
#include "mutate_experiment.hpp"

#include <vector>

#include <google/protobuf/descriptor.h>

#include "lbann.pb.h"
#include "model/syntax_tree.hpp"
#include "model/text_edit.hpp"

namespace lbann::fuzz {

namespace pb = google::protobuf;
using model::SyntaxField;
using model::SyntaxValue;
using model::TextRange;

namespace {

struct Entry {
  const SyntaxField* field;
  const pb::FieldDescriptor* descriptor;  // null: a name that the schema lacks
};

struct Block {
  TextRange range;
  const pb::Descriptor* type;
};

class Mutator {
public:
  Mutator(const std::string& text, std::mt19937& random)
    : random_(random), tree_(model::parse_syntax_tree("f", text, diagnostics_)), edits_(tree_) {}

  std::string mutate() {
    collect(tree_.fields, *lbann_data::LbannPB::descriptor());
    if (entries_.empty()) return "model { layer { name: \"x\" input {} } }\n" + tree_.text;
    const Entry& entry = entries_[random_() % entries_.size()];
    const auto& range = entry.field->value.range;
    switch (random_() % 8) {
      case 0:
        edits_.remove(*entry.field);
        break;
      case 1:
        edits_.insert(range.end, "\n" + tree_.text.substr(entry.field->name_range.begin,
                                                          range.end - entry.field->name_range.begin));
        break;
      case 2:
      case 3:
        if (entry.descriptor != nullptr && entry.field->value.kind != SyntaxValue::Kind::message)
          edits_.replace(range.begin, range.end, value_for(*entry.descriptor));
        break;
      case 4:
        add_field();
        break;
      case 5:
        point_at_layer();
        break;
      case 6:
        swap_values(entry);
        break;
      default:
        add_layer();
    }
    return edits_.apply();
  }

private:
  void collect(const std::vector<SyntaxField>& fields, const pb::Descriptor& type) {
    for (const SyntaxField& field : fields) {
      const pb::FieldDescriptor* descriptor = nullptr;
      const pb::Descriptor* inside = nullptr;
      if (field.is_type_url) {
        inside = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(
            field.name.substr(field.name.rfind('/') + 1));
      } else {
        descriptor = type.FindFieldByName(field.name);
        inside = descriptor == nullptr ? nullptr : descriptor->message_type();
      }
      entries_.push_back({&field, descriptor});
      if (field.name == "name" && type.name() == "Layer") names_.push_back(field.value.text);
      if (inside == nullptr || field.value.kind != SyntaxValue::Kind::message) continue;
      blocks_.push_back({field.value.range, inside});
      collect(field.value.fields, *inside);
    }
  }

  template <class List>
  const auto& any_of(const List& list) {
    return list[random_() % std::size(list)];
  }

  std::string layer_name() { return names_.empty() ? "x" : any_of(names_); }

  std::string value_for(const pb::FieldDescriptor& field) {
    static const char* const integers[] = {
        "0",  "1",  "2",  "3",  "4",  "5",          "7",          "8",
        "10", "28", "-1", "-2", "64", "1000000007", "4294967296", "9223372036854775807"};
    static const char* const numbers[] = {"0",   "1",   "0.5", "-1",    "1e-5",
                                          "0.9", "inf", "nan", "1e300", "-0.0"};
    static const char* const words[] = {
        "samples", "labels",  "responses",     "max",  "average", "mean",      "sum",
        "channel", "train",   "validate",      "test", "mnist",   "synthetic", "csv",
        "3 4",     "1 28 28", "data_parallel", "cpu",  "nearest", "",          "%"};
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return random_() % 2 == 0 ? "true" : "false";
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        return field.enum_type()
            ->value(static_cast<int>(random_() % static_cast<unsigned>(field.enum_type()->value_count())))
            ->name();
      case pb::FieldDescriptor::CPPTYPE_STRING: {
        const std::string& name = field.name();
        const bool refers =
            name == "parents" || name == "children" || name == "layer" || name == "hint_layer";
        return "\"" + (refers ? layer_name() : std::string(any_of(words))) + "\"";
      }
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        return any_of(numbers);
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return any_of(integers);
      default:
        if (!field.is_repeated() || random_() % 2 == 0) return any_of(integers);
        return std::string("[") + any_of(integers) + ", " + any_of(integers) + "]";
    }
  }

  void add_field() {
    if (blocks_.empty()) return;
    const Block& block = any_of(blocks_);
    if (block.type->field_count() == 0) return;
    const auto& field =
        *block.type->field(static_cast<int>(random_() % static_cast<unsigned>(block.type->field_count())));
    const bool is_block =
        field.message_type() != nullptr && field.message_type()->file()->package() == "lbann_data";
    edits_.append_to_block(block.range, field.name() + (is_block ? " { }" : ": " + value_for(field)));
  }

  void point_at_layer() {
    std::vector<const SyntaxField*> found;
    for (const Entry& e : entries_)
      if (e.field->name == "parents" || e.field->name == "layer") found.push_back(e.field);
    if (found.empty()) return;
    const SyntaxField& field = *any_of(found);
    if (field.value.kind == SyntaxValue::Kind::message) return;
    edits_.replace(field.value.range.begin, field.value.range.end, "\"" + layer_name() + "\"");
  }

  void swap_values(const Entry& entry) {
    for (const Entry& other : entries_) {
      if (other.field == entry.field || other.field->name != entry.field->name || random_() % 2 == 0)
        continue;
      const auto &a = entry.field->value.range, &b = other.field->value.range;
      if (a.begin < b.end && b.begin < a.end) continue;
      edits_.replace(a.begin, a.end, tree_.text.substr(b.begin, b.end - b.begin));
      edits_.replace(b.begin, b.end, tree_.text.substr(a.begin, a.end - a.begin));
      return;
    }
  }

  void add_layer() {
    const Block* model = nullptr;
    for (const Block& block : blocks_)
      if (block.type == lbann_data::Model::descriptor()) model = &block;
    if (model == nullptr) return;
    const auto* kinds = lbann_data::Layer::descriptor()->FindOneofByName("layer_type");
    const auto& kind =
        *kinds->field(static_cast<int>(random_() % static_cast<unsigned>(kinds->field_count())));
    std::string text =
        "layer { name: \"n" + std::to_string(random_() % 100) + "\" parents: \"" + layer_name() + "\" ";
    if (random_() % 3 == 0) text += "parents: \"" + layer_name() + "\" ";
    text += kind.name() + " { ";
    const auto& type = *kind.message_type();
    for (int i = 0; i < type.field_count(); ++i)
      if (random_() % 2 == 0 && type.field(i)->message_type() == nullptr)
        text += type.field(i)->name() + ": " + value_for(*type.field(i)) + " ";
    edits_.append_to_block(model->range, text + "} }");
  }

  std::mt19937& random_;
  base::Diagnostics diagnostics_;
  model::SyntaxTree tree_;
  model::TextEdits edits_;
  std::vector<Entry> entries_;
  std::vector<Block> blocks_;
  std::vector<std::string> names_;
};

}  // namespace

std::string mutate_experiment(const std::string& text, std::mt19937& random) {
  return Mutator(text, random).mutate();
}

}  // namespace lbann::fuzz
