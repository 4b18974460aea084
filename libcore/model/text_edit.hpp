// Edits of a text by byte ranges, applied together. Comments inside a replaced range survive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/syntax_tree.hpp"

namespace lbann::model {

class TextEdits {
public:
  /// `tree` is borrowed.
  explicit TextEdits(const SyntaxTree& tree) : tree_(tree) {}

  void insert(std::size_t at, std::string text) { replace(at, at, std::move(text)); }
  void replace(std::size_t begin, std::size_t end, std::string text);
  /// Removes a field, and its line where nothing else stands on it.
  void remove(const SyntaxField& field);
  /// Adds a field at the end of a block: on a line of its own where the block has several.
  void append_to_block(const TextRange& block, const std::string& field);

  int num_changes() const { return static_cast<int>(edits_.size() + removals_.size()); }
  std::string apply();

  /// Blanks before the first character of the line that holds `at`.
  std::string indentation(std::size_t at) const;

private:
  struct Edit {
    std::size_t begin, end;
    std::string text;
  };
  std::string comments_inside(std::size_t begin, std::size_t end) const;
  void merge_removals();
  bool blank(std::size_t begin, std::size_t end) const;

  const SyntaxTree& tree_;
  std::vector<Edit> edits_;
  std::vector<Edit> removals_;
};

/// A field as prototext on one line, without its comments.
std::string print_field(const SyntaxField& field);

}  // namespace lbann::model
