// The schema with its comments, for people: what a kind or a field means.
//
// Generated code knows no comments, so a second copy of the descriptors, made with source
// information, is part of the program; it is parsed when the first question is asked (some ms).
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace lbann::model {

struct FieldText {
  std::string name;
  std::string type;  // "list of int64", "bool", "Layer.Convolution"
  std::string doc;   // the comment as one line, with default and range; a oneof's member: its message's
};

struct MessageText {
  std::string name;  // "Layer.Convolution"
  std::string role;  // "layer kind convolution", "operator", "" ...
  std::string doc;
  std::vector<FieldText> fields;  // of an enumeration: its values
};

class SchemaDocs {
public:
  SchemaDocs();
  ~SchemaDocs();
  SchemaDocs(const SchemaDocs&) = delete;
  SchemaDocs& operator=(const SchemaDocs&) = delete;

  /// Everything of that name: a message or enumeration ("Reader", "Layer.Convolution", "DataType"), a
  /// kind as it is written in a file ("convolution", "adam", "checkpoint", "scale"), an operator
  /// ("Clamp", "clamp", "ClampOperator"). Several where a name is used twice.
  std::vector<MessageText> find(const std::string& name) const;

  /// Fields: "keep_prob" is every field of that name; "convolution.stride", "trainer.random_seed" and
  /// "Reader.shuffle" those of the messages that the first part names. Each in the message that holds it.
  std::vector<MessageText> find_field(const std::string& path) const;

  /// Every name that `find` or `find_field` takes, for suggestions.
  std::vector<std::string> list_names() const;

  /// All messages with all fields, in schema order.
  std::vector<MessageText> list_messages() const;

private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace lbann::model
