// What is made from an option table besides the parser and --help: man page, shell completions.
//
// The man page is man/TOOL.1 with its lists of options made anew: sections, names, values and choices come
// from the table. The page is hand-written around them, and where it has an entry for an option
// (.It Fl -name) its text stands instead of the help text. So a new option needs its line in the table
// and nothing else; what the page says of an option that does not exist is an error.
#include <algorithm>
#include <map>
#include <set>

#include "common/option_table.hpp"

namespace lbann::tools {

namespace {

struct Page {
  std::string before;                           // up to the first section of options
  std::string after;                            // from the next .Sh on
  std::map<std::string, std::string> sections;  // what stands between .Ss and the list
  std::map<std::string, std::string> options;   // the text of an entry, by each name on its .It line
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

// `.It Fl h , Fl -help Ns = ...` -> "help"
std::vector<std::string> names_of_entry(const std::string& line) {
  std::vector<std::string> names;
  for (std::size_t at = 0; (at = line.find("Fl -", at)) != std::string::npos;) {
    at += 4;
    names.push_back(line.substr(at, line.find(' ', at) - at));
  }
  return names;
}

Page read_page(std::string_view text, const std::set<std::string>& titles) {
  Page page;
  enum { before, inside, after } where = before;
  std::string* sink = &page.before;
  std::vector<std::string> entry;  // names of the entry being read
  std::string body;
  int depth = 0;  // lists inside an entry
  const auto end_entry = [&] {
    for (const std::string& name : entry) page.options[name] = body;
    entry.clear();
    body.clear();
  };
  for (const std::string& line : lines_of(text)) {
    const bool begins = line.rfind(".Ss ", 0) == 0;
    if (where == before && begins && titles.count(line.substr(4))) where = inside;
    if (where == inside && line.rfind(".Sh ", 0) == 0) {
      end_entry();
      where = after;
      sink = &page.after;
    }
    if (where != inside) {
      *sink += line + "\n";
    } else if (begins) {
      end_entry();
      depth = 0;
      sink = &page.sections[line.substr(4)];
    } else if (depth <= 1 && line.rfind(".It Fl ", 0) == 0) {
      end_entry();
      entry = names_of_entry(line);
    } else {
      const int was = depth;
      depth += line.rfind(".Bl ", 0) == 0 ? 1 : line == ".El" ? -1 : 0;
      const bool outer = std::min(was, depth) == 0 && was != depth;  // the list of options itself
      if (outer && depth == 0) end_entry();
      if (!outer) (entry.empty() ? *sink : body) += line + "\n";
    }
  }
  return page;
}

// Plain text as mdoc: a sentence per line, nothing in it is an instruction.
std::string mdoc_text(const std::string& text) {
  std::string out;
  bool starts = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (starts && (c == '.' || c == '\'')) out += "\\&";
    starts = false;
    const bool sentence = c == ' ' && i > 0 && (text[i - 1] == '.' || text[i - 1] == ';');
    if (c == '\n' || sentence) {
      out += '\n';
      starts = true;
    } else {
      out += c == '\\' ? std::string("\\e") : std::string(1, c);
    }
  }
  return out + "\n";
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

// `a|b` -> Cm a Ns | Ns Cm b;  PATH=VALUE -> Ar path Ns = Ns Ar value
std::string mdoc_value(const std::string& metavar) {
  const bool choices = metavar.find('|') != std::string::npos;
  std::string out = choices ? "Cm " : "Ar ";
  for (const char c : choices ? metavar : lower(metavar)) {
    if (choices && c == '|')
      out += " Ns | Ns Cm ";
    else if (!choices && c == '=')
      out += " Ns = Ns Ar ";
    else
      out += c;
  }
  return out;
}

std::string without_parentheses(const std::string& title) { return title.substr(0, title.find(" (")); }

std::string joined(const std::string& metavar, char separator) {
  std::string words = metavar;
  std::replace(words.begin(), words.end(), '|', separator);
  return words;
}

std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string first_sentence(const std::string& text) {
  std::size_t end = text.find(';');
  for (const char* stop : {". ", ".\n"}) end = std::min(end, text.find(stop));
  std::string sentence = text.substr(0, end);
  if (!sentence.empty() && sentence.back() == '.') sentence.pop_back();
  return sentence;
}

bool names_file(const std::string& metavar) {
  return metavar == "FILE" || metavar == "PATH" || metavar == "CKPT";
}
bool names_folder(const std::string& metavar) { return metavar == "DIR"; }

std::string function_name(std::string tool) {
  std::replace(tool.begin(), tool.end(), '-', '_');
  return "_" + tool;
}

// Job scripts know the trainer by LBANN's name, too.
std::string commands(const std::string& tool) { return tool == "lbann-train" ? tool + " lbann" : tool; }

}  // namespace

std::string OptionTable::man_page(std::string_view text, std::string& problem) const {
  std::set<std::string> titles;
  for (const Option& o : options_) titles.insert(without_parentheses(o.section));
  Page page = read_page(text, titles);
  std::string out = page.before;
  std::string current;
  for (const Option& o : options_) {
    if (o.hidden()) continue;
    const std::string title = without_parentheses(o.section);
    if (title != current) {
      if (!current.empty()) out += ".El\n";
      current = title;
      out += ".Ss " + title + "\n" + page.sections[title] + ".Bl -tag -width Ds\n";
    }
    out += ".It ";
    for (const char c : o.short_names) out += std::string("Fl ") + c + " , ";
    out += "Fl -" + o.long_names.front();
    if (o.kind == Kind::optional_value)
      out += " Ns Oo Ns = Ns " + mdoc_value(o.metavar) + " Oc";
    else if (!o.metavar.empty())
      out += " Ns = Ns " + mdoc_value(o.metavar);
    for (std::size_t i = 1; i < o.long_names.size(); ++i) out += " , Fl -" + o.long_names[i];
    out += "\n";
    const auto told = page.options.find(o.long_names.front());
    out += told != page.options.end()
               ? told->second
               : mdoc_text(o.help + (o.initial.empty() ? "" : "\nThe default is " + o.initial + "."));
  }
  if (!current.empty()) out += ".El\n";
  for (const auto& [name, body] : page.options) {
    const Option* o = find_long(name);
    if (!o || o->hidden()) problem = "the page describes --" + name + ", which is no option of " + tool_;
  }
  for (const auto& [title, body] : page.sections)
    if (!titles.count(title))
      problem =
          "the page describes options in the section '" + title + "', which " + tool_ + " does not have";
  if (page.after.empty())
    problem = "the page has no section (.Ss) of " + tool_ + "'s options, with an .Sh behind it";
  return out + page.after;
}

std::string OptionTable::bash_completion() const {
  const std::string function = function_name(tool_);
  std::string all;
  std::string cases;
  for (const Option& o : options_) {
    if (o.hidden()) continue;
    for (const std::string& name : o.long_names) all += (all.empty() ? "--" : " --") + name;
    for (const char c : o.short_names) all += std::string(" -") + c;
    if (!o.takes_value() && o.kind != Kind::optional_value) continue;
    std::string pattern;
    for (const std::string& name : o.long_names) pattern += (pattern.empty() ? "--" : "|--") + name;
    // An optional value is only ever attached.
    for (const char c : o.kind == Kind::optional_value ? std::string() : o.short_names)
      pattern += std::string("|-") + c;
    const std::string condition = o.kind == Kind::optional_value ? "[[ $attached ]] || return 1; " : "";
    std::string action = "COMPREPLY=()";
    if (o.metavar.find('|') != std::string::npos)
      action =
          "mapfile -t COMPREPLY < <(compgen -W " + single_quoted(joined(o.metavar, ' ')) + " -- \"$cur\")";
    else if (names_file(o.metavar))
      action = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
    else if (names_folder(o.metavar))
      action = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")";
    cases += "    " + pattern + ") " + condition + action + ";;\n";
  }
  return "# bash completion of " + tool_ + ", made from its option table\n" + function +
         "_value() {  # option, the text so far; returns 1 for an option that takes no value here\n"
         "  local cur=$2 attached=$3\n"
         "  case ${1//_/-} in\n" +
         cases + "    *) return 1;;\n  esac\n}\n" + function +
         "() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    if [[ ${COMP_WORDS[i]} == -- ]]; then compopt -o filenames; mapfile -t COMPREPLY < <(compgen "
         "-f -- \"$cur\"); return; fi\n"
         "  done\n"
         "  if [[ $cur == = ]]; then\n"
         "    " +
         function +
         "_value \"$prev\" '' attached; return\n"
         "  elif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then\n"
         "    " +
         function +
         "_value \"${COMP_WORDS[COMP_CWORD-2]}\" \"$cur\" attached; return\n"
         "  elif [[ $prev == -* ]] && " +
         function +
         "_value \"$prev\" \"$cur\" ''; then\n"
         "    return\n"
         "  fi\n"
         "  if [[ $cur == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W '" +
         all +
         "' -- \"$cur\")\n"
         "  else\n"
         "    compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
         "  fi\n"
         "} 2>/dev/null\n"
         "complete -F " +
         function + " " + commands(tool_) + "\n";
}

std::string OptionTable::zsh_completion() const {
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  };
  std::string out = "#compdef " + commands(tool_) + "\n# zsh completion of " + tool_ +
                    ", made from its option table\n_arguments -S \\\n";
  for (const Option& o : options_) {
    if (o.hidden()) continue;
    std::string value;
    if (o.metavar.find('|') != std::string::npos)
      value = ":value:(" + joined(o.metavar, ' ') + ")";
    else if (names_file(o.metavar))
      value = ":file:_files";
    else if (names_folder(o.metavar))
      value = ":folder:_files -/";
    else if (!o.metavar.empty())
      value = ":" + escaped(lower(o.metavar)) + ":";
    const bool repeats = o.kind == Kind::list || o.kind == Kind::counter;
    const std::string description = "[" + escaped(first_sentence(o.help)) + "]" + value;
    for (const std::string& name : o.long_names) {
      const char* attach = o.kind == Kind::optional_value ? "=-" : o.metavar.empty() ? "" : "=";
      std::string optional = description;
      if (o.kind == Kind::optional_value) optional.insert(optional.find("]:") + 1, ":");
      out += "  " + single_quoted((repeats ? "*--" : "--") + name + attach + optional) + " \\\n";
    }
    for (const char c : o.short_names)
      out += "  " +
             single_quoted((repeats ? "*-" : "-") + std::string(1, c) + (o.metavar.empty() ? "" : "+") +
                           description) +
             " \\\n";
  }
  return out + "  '*:file:_files'\n";
}

std::string OptionTable::fish_completion() const {
  std::string out = "# fish completion of " + tool_ + ", made from its option table\n";
  for (const Option& o : options_) {
    if (o.hidden()) continue;
    std::string value;
    if (o.metavar.find('|') != std::string::npos)
      value = " -x -a " + single_quoted(joined(o.metavar, ' '));
    else if (names_file(o.metavar))
      value = " -r -F";
    else if (names_folder(o.metavar))
      value = " -x -a '(__fish_complete_directories)'";
    else if (!o.metavar.empty())
      value = " -x";
    for (std::size_t i = 0; i < o.long_names.size(); ++i) {
      out += "complete -c " + tool_;
      if (i == 0)
        for (const char c : o.short_names) out += std::string(" -s ") + c;
      std::string description;
      for (const char c : first_sentence(o.help)) {
        if (c == '\'' || c == '\\') description += '\\';
        description += c;
      }
      out += " -l " + o.long_names[i] + value + " -d '" + description + "'\n";
    }
  }
  return out + (tool_ == "lbann-train" ? "complete -c lbann -w lbann-train\n" : "");
}

}  // namespace lbann::tools
