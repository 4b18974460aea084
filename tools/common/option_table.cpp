// OptionTable: see option_table.hpp. The only file that includes CLI11.
//
// Division of labour: CLI11 splits words into options, values and positionals; names, conversion,
// suggestions and messages are ours. A scan before CLI11 sees the words first, because CLI11 alone
// would stop at the first error, treat `--mini_batch_size` and `--mini-batch-size` as different
// and let the value of an unknown option become a file name.
#include "common/option_table.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/edit_distance.hpp"

namespace lbann::tools {

namespace {

std::string hyphenated(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string underscored(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

std::string environment_name(const std::string& long_name) {
  std::string out = "LBANN_" + underscored(long_name);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// `-` is standard input and `-1` a number.
bool looks_like_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && !std::isdigit(static_cast<unsigned char>(word[1])) &&
         word[1] != '.';
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::optional<std::int64_t> try_parse_integer(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<double> try_parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size() ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<bool> try_parse_bool(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"1", "true", "yes", "on"})
    if (lower == word) return true;
  for (const char* word : {"0", "false", "no", "off"})
    if (lower == word) return false;
  return std::nullopt;
}

OptionTable::OptionTable(std::string tool, std::string summary, std::string synopsis)
  : tool_(std::move(tool)), summary_(std::move(summary)), synopsis_(std::move(synopsis)) {}

void OptionTable::section(std::string title) { section_ = std::move(title); }

OptionTable::Option& OptionTable::add(Kind kind, const std::string& names, std::string help) {
  Option option;
  option.kind = kind;
  for (const std::string& name : split(names, ',')) {
    if (name.size() == 1)
      option.short_names += name;
    else
      option.long_names.push_back(hyphenated(name));
  }
  option.help = std::move(help);
  option.section = section_;
  options_.push_back(std::move(option));
  return options_.back();
}

void OptionTable::add_flag(const std::string& names, bool& target, std::string help) {
  add(Kind::flag, names, std::move(help)).set = [&target](const std::string& text) -> std::string {
    const auto value = try_parse_bool(text);
    if (!value) return "'" + text + "' is neither true nor false";
    target = *value;
    return {};
  };
}

void OptionTable::add_counter(const std::string& names, int& target, std::string help) {
  add(Kind::counter, names, std::move(help)).set = [&target](const std::string& text) -> std::string {
    const auto value = try_parse_integer(text);
    if (!value || *value < 0 || *value > 100) return "'" + text + "' is not a count";
    target = static_cast<int>(*value);
    return {};
  };
}

void OptionTable::add_value(const std::string& names, std::string metavar, std::string& target,
                            std::string help) {
  Option& option = add(Kind::value, names, std::move(help));
  option.metavar = std::move(metavar);
  option.initial = target;
  option.set = [&target](const std::string& text) -> std::string {
    if (text.empty()) return "the value is empty";
    target = text;
    return {};
  };
}

void OptionTable::add_value(const std::string& names, std::string metavar, std::optional<std::string>& target,
                            std::string help) {
  Option& option = add(Kind::value, names, std::move(help));
  option.metavar = std::move(metavar);
  option.set = [&target](const std::string& text) -> std::string {
    if (text.empty()) return "the value is empty";
    target = text;
    return {};
  };
}

void OptionTable::add_integer(const std::string& names, std::string metavar,
                              std::optional<std::int64_t>& target, std::int64_t smallest,
                              std::int64_t largest, std::string help) {
  Option& option = add(Kind::value, names, std::move(help));
  option.metavar = std::move(metavar);
  if (target) option.initial = std::to_string(*target);
  option.set = [&target, smallest, largest](const std::string& text) -> std::string {
    const auto value = try_parse_integer(text);
    if (!value) return "'" + text + "' is not an integer";
    if (*value < smallest) return text + " is too small; the smallest value is " + std::to_string(smallest);
    if (*value > largest) return text + " is too large; the largest value is " + std::to_string(largest);
    target = *value;
    return {};
  };
}

void OptionTable::add_number(const std::string& names, std::string metavar, std::optional<double>& target,
                             double smallest, std::string help) {
  Option& option = add(Kind::value, names, std::move(help));
  option.metavar = std::move(metavar);
  option.set = [&target, smallest](const std::string& text) -> std::string {
    const auto value = try_parse_number(text);
    if (!value) return "'" + text + "' is not a number";
    if (*value < smallest) return text + " is too small; the smallest value is " + fmt::to_string(smallest);
    target = *value;
    return {};
  };
}

void OptionTable::add_list(const std::string& names, std::string metavar, std::vector<std::string>& target,
                           std::string help) {
  Option& option = add(Kind::list, names, std::move(help));
  option.metavar = std::move(metavar);
  option.set = [&target](const std::string& text) -> std::string {
    if (text.empty()) return "the value is empty";
    target.push_back(text);
    return {};
  };
}

void OptionTable::add_file(const std::string& names, std::string metavar, std::string& target,
                           std::string help) {
  add_value(names, std::move(metavar), target, std::move(help));
  Option& option = options_.back();
  option.kind = Kind::file;
  option.set = [&target](const std::string& text) -> std::string {
    if (text.empty()) return "the value is empty";
    if (text.front() == '{') return "'" + text + "' is a list; one file is expected";
    target = text;
    return {};
  };
}

void OptionTable::add_optional_value(const std::string& names, std::string metavar,
                                     std::optional<std::string>& target, std::string implied,
                                     std::string help) {
  Option& option = add(Kind::optional_value, names, std::move(help));
  option.metavar = std::move(metavar);
  option.implied = std::move(implied);
  option.set = [&target](const std::string& text) -> std::string {
    if (text.empty()) return "the value is empty";
    target = text;
    return {};
  };
}

void OptionTable::add_choice_of(const std::string& names, const std::vector<std::string>& words,
                                const std::string& initial, std::function<void(std::size_t)> choose,
                                std::string help) {
  Option& option = add(Kind::value, names, std::move(help));
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : "|") + word;
  option.metavar = all;
  option.initial = initial;
  option.set = [words, all, choose = std::move(choose)](const std::string& text) -> std::string {
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) return "'" + text + "' is not one of " + all;
    choose(static_cast<std::size_t>(found - words.begin()));
    return {};
  };
}

void OptionTable::add_unsupported(const std::vector<std::string>& names) {
  for (const std::string& name : names) add(Kind::unsupported, name, {});
}

void OptionTable::add_obsolete(const std::vector<std::string>& names, bool takes_value) {
  for (const std::string& name : names)
    add(takes_value ? Kind::obsolete_value : Kind::obsolete_flag, name, {});
}

const OptionTable::Option* OptionTable::find_long(std::string_view name) const {
  for (const Option& option : options_)
    for (const std::string& candidate : option.long_names)
      if (candidate == name) return &option;
  return nullptr;
}

const OptionTable::Option* OptionTable::find_short(char name) const {
  for (const Option& option : options_)
    if (option.short_names.find(name) != std::string::npos) return &option;
  return nullptr;
}

OptionOrigin OptionTable::origin(std::string_view name) const {
  const Option* option = find_long(hyphenated(name));
  return option ? option->origin : OptionOrigin::unset;
}

int OptionTable::find_operand(int argc, const char* const* argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!looks_like_option(word)) return i;
    if (word == "--") return argc;
    const bool is_long = word[1] == '-';
    const Option* option = is_long ? find_long(hyphenated(word.substr(2))) : find_short(word.back());
    const bool attached = is_long ? word.find('=') != std::string_view::npos : word.size() > 2;
    if (option && option->takes_value() && !attached) ++i;
  }
  return argc;
}

std::optional<std::string> OptionTable::apply_default(std::string_view name, const std::string& text) {
  const std::string wanted = hyphenated(name);
  for (Option& option : options_) {
    if (std::find(option.long_names.begin(), option.long_names.end(), wanted) == option.long_names.end())
      continue;
    if (option.hidden()) return std::nullopt;
    return option.origin == OptionOrigin::unset ? option.set(text) : std::string();
  }
  return std::nullopt;
}

// The suggestion is spelled the way the user spells: with underscores if the word has any.
UsageProblem OptionTable::unknown_option(const std::string& word) const {
  const std::string name = word.substr(0, word.find('='));
  const std::string stem = hyphenated(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  const bool single_dash = name.size() > 2 && name[0] == '-' && name[1] != '-';
  std::vector<std::string> candidates{"help", "version"};
  for (const Option& option : options_)
    for (const std::string& candidate : option.long_names)
      if (!option.hidden()) candidates.push_back(candidate);
  std::string guess =
      single_dash && find_long(stem) ? stem : base::try_closest(stem, candidates).value_or("");
  if (name.find('_') != std::string::npos) guess = underscored(guess);
  UsageProblem problem{"unknown option '" + name + "'",
                       guess.empty() ? "" : "did you mean '--" + guess + "'?"};
  if (problem.help.empty()) problem.help = "'" + tool_ + " --help' lists the options";
  return problem;
}

// Reports what CLI11 could not (all unknown names at once, unsupported names, missing values: CLI11
// would take the next option for the value) and returns the words with normalised names. Words that
// would only cause follow-up errors are left out; words after `--` go to `operands`.
std::vector<std::string> OptionTable::scan(int argc, const char* const* argv,
                                           std::vector<std::string>& operands, ParseOutcome& outcome) const {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") {
      operands.assign(argv + i + 1, argv + argc);
      break;
    }
    if (!looks_like_option(word)) {
      words.push_back(word);
      continue;
    }
    const bool is_long = word[1] == '-';
    const std::size_t equals = is_long ? word.find('=') : std::string::npos;
    const std::string shown = is_long ? word.substr(0, equals) : word;
    const std::string name = is_long ? hyphenated(shown.substr(2)) : word.substr(1, 1);
    if (name == "help" || word == "-h") {
      outcome.help = true;
      continue;
    }
    if (name == "version") {
      outcome.version = true;
      continue;
    }
    const Option* option = is_long ? find_long(name) : find_short(name[0]);
    if (!is_long && option && !option->takes_value())
      for (std::size_t k = 2; k < word.size() && option; ++k) option = find_short(word[k]);
    if (!option) {
      outcome.problems.push_back(unknown_option(word));
      continue;
    }
    if (option->kind == Kind::unsupported) {
      outcome.problems.push_back({"option '" + shown + "' is known to LBANN but not yet supported here"});
      continue;
    }
    const bool needs_next =
        option->takes_value() && (is_long ? equals == std::string::npos : word.size() == 2);
    const bool has_next = i + 1 < argc && !looks_like_option(argv[i + 1]);
    const bool ignored = option->kind == Kind::obsolete_flag || option->kind == Kind::obsolete_value;
    if (ignored) outcome.notes.push_back("option '" + shown + "' has no effect any more");
    if ((needs_next && !has_next) || equals + 1 == word.size()) {
      if (!ignored) outcome.problems.push_back({"option '" + shown + "' needs a value"});
      continue;
    }
    if (!ignored)
      words.push_back(is_long ? "--" + name + (equals == std::string::npos ? "" : word.substr(equals))
                              : word);
    if (needs_next) {
      ++i;
      if (!ignored) words.emplace_back(argv[i]);
    }
  }
  return words;
}

void OptionTable::apply(Option& option, const std::vector<std::string>& values, const std::string& shown,
                        ParseOutcome& outcome) {
  for (const std::string& value : values) {
    const std::string wrong = option.set(value);
    if (!wrong.empty()) outcome.problems.push_back({shown + ": " + wrong});
  }
}

void OptionTable::apply_environment(ParseOutcome& outcome) {
  for (Option& option : options_) {
    for (const std::string& name : option.long_names) {
      const std::string variable = environment_name(name);
      const char* value = std::getenv(variable.c_str());
      if (!value || !*value || option.kind == Kind::obsolete_flag || option.kind == Kind::obsolete_value)
        continue;
      if (name == "help" || name == "version") continue;
      const auto truth = try_parse_bool(value);
      if (option.kind == Kind::unsupported) {
        if (!truth || *truth)
          outcome.problems.push_back({"environment variable " + variable + ": option '--" +
                                      underscored(name) + "' is known to LBANN but not yet supported here"});
        continue;
      }
      option.origin = OptionOrigin::environment;
      const std::vector<std::string> values =
          option.kind == Kind::list ? split(value, ';') : std::vector<std::string>{value};
      apply(option, values, "environment variable " + variable, outcome);
      break;
    }
  }
}

void OptionTable::apply_command_line(const std::vector<std::string>& words,
                                     const std::vector<std::string>& operands, ParseOutcome& outcome) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<CLI::Option*> parsed;
  for (const Option& option : options_) {
    if (option.hidden()) {
      parsed.push_back(nullptr);
      continue;
    }
    std::string names;
    for (const std::string& name : option.long_names) names += (names.empty() ? "--" : ",--") + name;
    for (const char c : option.short_names) names += std::string(names.empty() ? "-" : ",-") + c;
    CLI::Option* p = option.takes_value() ? app.add_option(names)->expected(1)->allow_extra_args(false)
                                          : app.add_flag(names);
    p->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    parsed.push_back(p);
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    outcome.problems.push_back({e.what()});
    return;
  }
  for (std::size_t i = 0; i < options_.size(); ++i) {
    Option& option = options_[i];
    if (!parsed[i] || parsed[i]->count() == 0) continue;
    const std::string shown = "option '--" + option.long_names.front() + "'";
    std::vector<std::string> values = parsed[i]->results();
    if (option.kind == Kind::file && values.size() > 1)
      outcome.problems.push_back({shown + " is given " + std::to_string(values.size()) + " times"});
    if (option.kind == Kind::counter) {
      const bool plain = std::all_of(values.begin(), values.end(), [](const auto& v) { return v == "true"; });
      values = {plain ? std::to_string(values.size()) : values.back()};
    }
    if (option.kind == Kind::optional_value && values.back() == "true") values = {option.implied};
    if (option.kind != Kind::list) values = {values.back()};
    option.origin = OptionOrigin::command_line;
    apply(option, values, shown, outcome);
  }
  std::vector<std::string> rest = app.remaining();
  rest.insert(rest.end(), operands.begin(), operands.end());
  if (positional_)
    positional_->insert(positional_->end(), rest.begin(), rest.end());
  else
    for (const std::string& word : rest) outcome.problems.push_back({"unexpected argument '" + word + "'"});
}

ParseOutcome OptionTable::parse(int argc, const char* const* argv) {
  ParseOutcome outcome;
  std::vector<std::string> operands;
  const std::vector<std::string> words = scan(argc, argv, operands, outcome);
  if (outcome.help) return outcome;
  apply_environment(outcome);
  apply_command_line(words, operands, outcome);
  return outcome;
}

}  // namespace lbann::tools
