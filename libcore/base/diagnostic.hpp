// Diagnostics: what is wrong with a user's input, where, and what to do about it.
//
// A Diagnostic is plain data; `render` turns it into the text
//
//     exp.prototext:41:7: error: layer 'conv2' (convolution): ... [groups-divide-channels]
//        41 |   convolution { groups: 5 }
//           |                         ^
//     note: 'pool1' produces [96,27,27]
//     help: use a divisor of 96
//
// Lines and columns count from 1; columns count code points, a tab counts one.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/exit_code.hpp"

namespace lbann::base {

/// A half-open range of a text file. `line == 0`: the place is not known.
struct SourceSpan {
  std::string file;
  int line = 0;
  int column = 0;
  int end_line = 0;
  int end_column = 0;
  bool known() const { return line > 0; }
};

enum class Severity { note, warning, error };

struct Note {
  std::string message;
  SourceSpan span{};  // optional second place
};

struct Diagnostic {
  Severity severity = Severity::error;
  std::string id;       // stable, kebab-case, e.g. "unknown-field"
  std::string message;  // one line, no trailing period, names both numbers
  SourceSpan span{};
  std::vector<Note> notes{};
  std::string help{};  // a suggestion; empty: none
  ExitCode code = ExitCode::config;
};

/// Collects diagnostics of one run so that all independent errors are reported together.
class Diagnostics {
public:
  void add(Diagnostic d);
  void error(std::string id, SourceSpan span, std::string message, std::string help = {});
  void warning(std::string id, SourceSpan span, std::string message, std::string help = {});

  bool has_errors() const { return num_errors_ > 0; }
  int num_errors() const { return num_errors_; }
  int num_warnings() const { return num_warnings_; }
  const std::vector<Diagnostic>& all() const { return list_; }
  /// The code of the first error (ExitCode::ok when there is none).
  ExitCode exit_code() const;
  /// Remembers a file's text so that `render` can quote its lines.
  void set_source(const std::string& file, std::string text);
  const std::string* source(const std::string& file) const;
  /// All diagnostics in file/line/column order (unknown places last), as text or as a JSON array.
  std::string render(bool color = false) const;
  std::string render_json() const;

private:
  std::vector<Diagnostic> list_;
  std::map<std::string, std::string> sources_;
  int num_errors_ = 0;
  int num_warnings_ = 0;
};

/// Thrown for what ends the run. `what()` is the message; the tool maps `code()` to its exit status.
class Error : public std::runtime_error {
public:
  Error(ExitCode code, const std::string& message, std::string help = {})
    : std::runtime_error(message), code_(code), help_(std::move(help)) {}
  ExitCode code() const { return code_; }
  const std::string& help() const { return help_; }

private:
  ExitCode code_;
  std::string help_;
};

}  // namespace lbann::base
