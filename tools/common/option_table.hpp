// OptionTable: the options of one tool as a list that binds names to members of a plain struct.
//
// From this one list come the parser, --help, the environment mirror, the man page and the shell
// completions (generate.cpp): a new option needs its line here and nothing else. It hides CLI11, which is
// included in option_table.cpp only (5 s per including file). Rules that hold for every tool:
//   * `--opt value` and `--opt=value`; `_` and `-` are the same in names; values are never touched;
//   * LBANN_<NAME> sets the option <name>; the command line wins (file < environment < command line);
//   * a scalar option given twice: the last one counts; a list collects;
//   * single-dash long options (`-model`) and unknown options are errors with a suggestion;
//   * all errors of a command line are reported together.
// Ownership: the table borrows the bound members; it must not outlive them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbann::tools {

/// Where an option's value came from. Both of the latter override an experiment file.
enum class OptionOrigin { unset, environment, command_line };

/// One thing wrong with a command line.
struct UsageProblem {
  std::string message;
  std::string help{};  // a suggestion; empty: none
};

struct ParseOutcome {
  bool help = false;     // --help was given: nothing else counts
  bool version = false;  // --version was given: nothing else counts
  std::vector<UsageProblem> problems{};
  std::vector<std::string> notes{};  // obsolete options that were accepted and ignored
};

class OptionTable {
public:
  /// Takes one value as text; returns what is wrong with it, empty if nothing.
  using Setter = std::function<std::string(const std::string&)>;

  /// `synopsis` is the usage line after the tool's name.
  OptionTable(std::string tool, std::string summary, std::string synopsis);

  /// Starts a section of the help text; later options belong to it.
  void section(std::string title);
  /// `names`: comma separated, long names without the leading dashes, one-letter names are short
  /// options; the first long name is the one shown: "random-seed,seed".
  void add_flag(const std::string& names, bool& target, std::string help);
  /// Counts how often it is given (-vv).
  void add_counter(const std::string& names, int& target, std::string help);
  void add_value(const std::string& names, std::string metavar, std::string& target, std::string help);
  void add_value(const std::string& names, std::string metavar, std::optional<std::string>& target,
                 std::string help);
  void add_integer(const std::string& names, std::string metavar, std::optional<std::int64_t>& target,
                   std::int64_t smallest, std::int64_t largest, std::string help);
  /// A finite number that is not below `smallest`.
  void add_number(const std::string& names, std::string metavar, std::optional<double>& target,
                  double smallest, std::string help);
  /// Repeatable; every occurrence takes exactly one value. In the environment values are separated by `;`.
  void add_list(const std::string& names, std::string metavar, std::vector<std::string>& target,
                std::string help);
  /// A file option of LBANN's driver: given twice or as `{a,b}` it is refused, as LBANN does.
  void add_file(const std::string& names, std::string metavar, std::string& target, std::string help);
  /// A value that may only be attached with `=`: `--resume` and `--resume=DIR`, so that `--resume FILE`
  /// leaves FILE alone. Without `=` the member becomes `implied`.
  void add_optional_value(const std::string& names, std::string metavar, std::optional<std::string>& target,
                          std::string implied, std::string help);
  template <class Enum>
  void add_choice(const std::string& names, Enum& target, std::vector<std::pair<std::string, Enum>> choices,
                  std::string help) {
    std::vector<std::string> words;
    std::string initial;
    for (const auto& [word, value] : choices) {
      words.push_back(word);
      if (value == target) initial = word;
    }
    add_choice_of(
        names, words, initial, [&target, choices](std::size_t i) { target = choices[i].second; },
        std::move(help));
  }
  /// The words that are not options. `-` and everything after `--` are among them.
  void set_positional(std::vector<std::string>& target) { positional_ = &target; }

  /// Options of LBANN that we know and do not support yet: refused by name, never ignored.
  void add_unsupported(const std::vector<std::string>& names);
  /// Options of LBANN that mean nothing here: accepted with a note. `takes_value`: consumes one word.
  void add_obsolete(const std::vector<std::string>& names, bool takes_value);
  /// Free text after the list of options.
  void set_epilogue(std::string text) { epilogue_ = std::move(text); }

  /// Reads the environment, then the command line, into the bound members.
  ParseOutcome parse(int argc, const char* const* argv);
  /// Valid after parse(); `name` is the first long name.
  OptionOrigin origin(std::string_view name) const;
  /// Index of the first word that is neither an option nor the value of one; argc if there is none.
  int find_operand(int argc, const char* const* argv) const;
  /// After parse(): a value from a lower source, such as a site file. Says what is wrong with it, empty
  /// if nothing. It takes effect only where neither environment nor command line has set the option; a
  /// list may be given several times. nullopt: there is no such option.
  std::optional<std::string> apply_default(std::string_view name, const std::string& text);

  std::string help_text() const;
  std::string usage_text() const;
  /// The man page, its lists of options made anew (see generate.cpp); `problem`: what is wrong with it.
  std::string man_page(std::string_view text, std::string& problem) const;
  std::string bash_completion() const;
  std::string zsh_completion() const;
  std::string fish_completion() const;
  const std::string& tool() const { return tool_; }

private:
  enum class Kind {
    flag,
    counter,
    value,
    list,
    file,
    optional_value,
    unsupported,
    obsolete_flag,
    obsolete_value
  };
  struct Option {
    Kind kind = Kind::flag;
    std::vector<std::string> long_names{};  // normalised: hyphens
    std::string short_names{};
    std::string metavar{};
    std::string help{};
    std::string initial{};  // default as text; empty: none is shown
    std::string section{};
    std::string implied{};
    Setter set{};
    OptionOrigin origin = OptionOrigin::unset;
    bool takes_value() const {
      return kind == Kind::value || kind == Kind::list || kind == Kind::file || kind == Kind::obsolete_value;
    }
    bool hidden() const {
      return kind == Kind::unsupported || kind == Kind::obsolete_flag || kind == Kind::obsolete_value;
    }
  };

  Option& add(Kind kind, const std::string& names, std::string help);
  void add_choice_of(const std::string& names, const std::vector<std::string>& words,
                     const std::string& initial, std::function<void(std::size_t)> choose, std::string help);
  const Option* find_long(std::string_view name) const;
  const Option* find_short(char name) const;
  UsageProblem unknown_option(const std::string& word) const;
  std::vector<std::string> scan(int argc, const char* const* argv, std::vector<std::string>& operands,
                                ParseOutcome& outcome) const;
  void apply_environment(ParseOutcome& outcome);
  void apply_command_line(const std::vector<std::string>& words, const std::vector<std::string>& operands,
                          ParseOutcome& outcome);
  void apply(Option& option, const std::vector<std::string>& values, const std::string& shown,
             ParseOutcome& outcome);

  std::string tool_;
  std::string summary_;
  std::string synopsis_;
  std::string epilogue_;
  std::string section_;
  std::vector<Option> options_;
  std::vector<std::string>* positional_ = nullptr;
};

/// Text to number, whole text, no blanks; nullopt if it is none or out of range.
std::optional<std::int64_t> try_parse_integer(std::string_view text);
/// A finite number in decimal or scientific notation, whatever the locale.
std::optional<double> try_parse_number(std::string_view text);
/// 1/0, true/false, yes/no, on/off in any case.
std::optional<bool> try_parse_bool(std::string_view text);

}  // namespace lbann::tools
