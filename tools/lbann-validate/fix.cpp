// --fix: the file in today's spelling, on standard output, in --output, or in place. A file that does
// not parse is left alone: an edit of a misread text could lose something.
#include "lbann-validate/fix.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "base/files.hpp"
#include "model/experiment.hpp"
#include "model/fix.hpp"

namespace lbann::tools {

namespace fs = std::filesystem;

namespace {

/// Keeps the permissions, and the link where the name is one.
void replace_file(const std::string& name, const std::string& text) {
  std::error_code ignored;
  const fs::path target = fs::canonical(name, ignored);
  const std::string path = target.empty() ? name : target.string();
  const fs::perms permissions = fs::status(path, ignored).permissions();
  base::atomic_write_file(path, text);
  fs::permissions(path, permissions, ignored);
}

/// Errors of the old text, without the notes on what has just been fixed.
base::Diagnostics remaining_errors(const std::string& name, const std::string& text) {
  base::Diagnostics all;
  model::Experiment experiment;
  model::parse_experiment(name, text, experiment, all);
  base::Diagnostics errors;
  errors.set_source(name, text);
  for (const auto& d : all.all())
    if (d.severity != base::Severity::note) errors.add(d);
  return errors;
}

}  // namespace

int fix_files(const ValidateOptions& options) {
  const bool in_place = *options.fix == "inplace";
  base::ExitCode code = base::ExitCode::ok;
  for (const std::string& file : options.experiment.merge_order()) {
    const std::string text = base::read_file(file);
    const std::string name = file == "-" ? "<stdin>" : file;
    base::Diagnostics syntax;
    const model::SyntaxTree tree = model::parse_syntax_tree(name, text, syntax);
    if (syntax.has_errors()) {
      report_diagnostics(syntax, options.common);
      code = base::ExitCode::config;
      continue;
    }
    const model::FixedText fixed = model::fix_spelling(tree);
    const base::Diagnostics errors = remaining_errors(name, text);
    if (!errors.all().empty()) report_diagnostics(errors, options.common);
    if (errors.has_errors()) code = base::ExitCode::config;
    if (in_place && fixed.num_changes > 0) replace_file(file, fixed.text);
    if (!in_place && options.output != "-") base::atomic_write_file(options.output, fixed.text);
    if (!in_place && options.output == "-") base::log().print(fixed.text);
    base::log().info(fixed.num_changes == 0 ? name + ": nothing to fix"
                                            : fmt::format("{}: {} changes", name, fixed.num_changes));
  }
  return static_cast<int>(code);
}

}  // namespace lbann::tools
